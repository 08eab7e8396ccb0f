import { expect, it } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { containerOf, decodeContainer, encodeContainer } from '../../../jobs/iceberg/avro/avro.ts'
import type { ManifestFile } from '../../../jobs/iceberg/manifest/data-file.ts'
import { decodeManifestList, encodeManifestList } from '../../../jobs/iceberg/manifest/manifest-list.ts'
import { manifestListSchema } from '../../../jobs/iceberg/manifest/manifest-schema.ts'

const count = fc.oneof(fc.nat(), fc.maxSafeNat())
const int = fc.nat()
const bytes = fc.uint8Array({ maxLength: 20 }).map((array) => Buffer.from(array))
const summary = fc.record(
  { containsNull: fc.boolean(), containsNan: fc.boolean(), lowerBound: bytes, upperBound: bytes },
  { requiredKeys: ['containsNull'] },
)
const manifestFile: fc.Arbitrary<ManifestFile> = fc.record(
  {
    manifestPath: fc.string({ unit: 'grapheme' }),
    manifestLength: count,
    partitionSpecId: int,
    content: fc.constantFrom(0, 1),
    sequenceNumber: count,
    minSequenceNumber: count,
    addedSnapshotId: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    addedFilesCount: int,
    existingFilesCount: int,
    deletedFilesCount: int,
    addedRowsCount: count,
    existingRowsCount: count,
    deletedRowsCount: count,
    partitions: fc.array(summary, { maxLength: 3 }),
    keyMetadata: bytes,
  },
  { noNullPrototype: true },
)
const someOptional = manifestFile.chain((all) =>
  fc
    .constantFrom(all, { ...all, partitions: undefined }, { ...all, keyMetadata: undefined })
    .map(
      (one) =>
        Object.fromEntries(
          Object.entries(one).filter(([, value]) => value !== undefined),
        ) as unknown as ManifestFile,
    ),
)
const list = { snapshotId: 7n, parentSnapshotId: undefined, sequenceNumber: 5 }

/** The same records in a file of another writer: its schema's text differs, so the general decoder reads it. */
async function asForeign(file: Buffer): Promise<Buffer> {
  const { records } = decodeContainer('own', file)
  return encodeContainer({ ...(manifestListSchema as object), doc: 'foreign' }, {}, records, randomBytes(16))
}

it('is decoded alike by the quick decoder of our own layout and the general one, and copied without loss', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(someOptional, { maxLength: 5 }), async (manifests) => {
      const own = await encodeManifestList(list, manifests, randomBytes(16))
      const read = decodeManifestList('own', own)
      expect(read).toEqual(manifests)
      expect(decodeManifestList('foreign', await asForeign(own))).toEqual(manifests)
      // What was read is copied, among new entries.
      const next = await encodeManifestList(list, [...manifests, ...read], randomBytes(16))
      expect(decodeManifestList('next', next)).toEqual([...manifests, ...manifests])
      expect(decodeContainer('next', next).records).toHaveLength(2 * manifests.length)
      // In another order, with some left out and some twice.
      const some = [...read.slice(1), ...read.slice(0, 2), ...manifests.slice(0, 1), ...read.slice(0, -1)]
      const last = decodeManifestList('last', await encodeManifestList(list, some, randomBytes(16)))
      expect(last).toEqual(some)
    }),
    { numRuns: 60 },
  )
})

it('says so when its entries end too early', async () => {
  const short = { count: 1, bytes: Buffer.from([20, 0x61]) }
  const disguised = await containerOf(manifestListSchema, {}, [short], randomBytes(16))
  expect(() => decodeManifestList('x.avro', disguised)).toThrow('x.avro is damaged')
})
