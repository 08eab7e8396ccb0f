import { expect, it } from '@jest/globals'
import { randomBytes } from 'node:crypto'
import { JobError } from '../../../jobs/errors.ts'
import { containerBlocks, decodeContainer, encodeContainer } from '../../../jobs/iceberg/avro/avro.ts'
import { readHeader } from '../../../jobs/iceberg/avro/header.ts'
import type { DataFile } from '../../../jobs/iceberg/manifest/data-file.ts'
import { decodeManifest, encodeManifest } from '../../../jobs/iceberg/manifest/manifest.ts'
import { readListEntry } from '../../../jobs/iceberg/manifest/list-entry.ts'
import { decodeManifestList, encodeManifestList } from '../../../jobs/iceberg/manifest/manifest-list.ts'
import { manifestListSchema } from '../../../jobs/iceberg/manifest/manifest-schema.ts'
import { partitionSpec, partitionType } from '../../../jobs/iceberg/partition/partition-spec.ts'
import { parsePartitionExpression } from '../../../jobs/iceberg/partition/transforms.ts'
import type { Schema } from '../../../jobs/iceberg/schema/schema.ts'
import { containerOfBlock, manifest } from '../manifest/samples.ts'

const schema: Schema = {
  type: 'struct',
  'schema-id': 0,
  fields: ['timestamptz', 'string'].map((type, at) => ({
    id: at + 1,
    name: `c${at}`,
    required: false,
    type,
  })),
}
const spec = partitionSpec(schema, [parsePartitionExpression('day(c0)'), parsePartitionExpression('c1')])
const partition = partitionType(spec, [schema])
const file: DataFile = {
  content: 0,
  filePath: 's3://bucket/data/a.parquet',
  fileFormat: 'PARQUET',
  specId: 0,
  partition: [19844, 'é😀'],
  recordCount: 7,
  fileSizeInBytes: 2 ** 40,
  columnSizes: new Map([[1, 10]]),
  lowerBounds: new Map([[1, Buffer.from([1])]]),
  splitOffsets: [4, 2 ** 35],
  equalityIds: [1],
}
const sync = randomBytes(16)
/** Of `containerOfBlock`. */
const marker = Buffer.alloc(16, 7)
const list = { snapshotId: 7n, parentSnapshotId: undefined, sequenceNumber: 5 }
const entry = {
  status: 1,
  snapshotId: 7n,
  sequenceNumber: undefined,
  fileSequenceNumber: undefined,
  dataFile: file,
}

/** The same without compression: a bit that turns is one of a record's. */
function plain(bytes: Buffer): Buffer {
  const { metadata, blocks } = containerBlocks('x', bytes)
  const [block] = blocks
  const schema: unknown = JSON.parse(metadata.get('avro.schema')!)
  return containerOfBlock(schema, 'null', block!.count, block!.bytes)
}

const asManifest = (bytes: Buffer): unknown => decodeManifest(manifest, bytes, partition)
const asList = (bytes: Buffer): unknown => decodeManifestList(manifest.manifestPath, bytes)
const encodedManifest = (): Promise<Buffer> =>
  encodeManifest({ schema, spec, partition, content: 0 }, [entry, entry], sync)
const encodedList = (): Promise<Buffer> => encodeManifestList(list, [manifest, manifest], sync)
const foreignList = async (): Promise<Buffer> =>
  encodeContainer(
    { ...(manifestListSchema as object), doc: 'of another writer' },
    {},
    decodeContainer('x', await encodedList()).records,
    sync,
  )

const files: [string, (bytes: Buffer) => unknown, () => Promise<Buffer>][] = [
  ['a manifest', asManifest, encodedManifest],
  ['a list of our own layout', asList, encodedList],
  ["another writer's list", asList, foreignList],
]

it.each(files)(
  '%s with a bit turned, or cut short, is read or is refused by name',
  async (_, read, encode) => {
    // Not a counter that ran away, nor what a decoder says to itself.
    const isRefusal = (error: unknown): boolean =>
      error instanceof JobError &&
      error.code === 'data' &&
      error.field === manifest.manifestPath &&
      /^s3:\/\/bucket\/m0\.avro is [^\n]+$/.test(error.message)
    const packed = await encode()
    const unpacked = plain(packed)
    // What is before the blocks is alike in both.
    for (const [bytes, from] of [
      [packed, 0],
      [unpacked, readHeader('x', unpacked).end],
    ] as const) {
      const whole = read(bytes)
      const refused: unknown[] = []
      const attempt = (damaged: Buffer): void => {
        try {
          read(damaged)
        } catch (error) {
          refused.push(error)
        }
      }
      for (let at = from; at < bytes.length; at++) {
        const damaged = Buffer.from(bytes)
        damaged[at]! ^= at % 2 === 0 ? 1 : 128
        attempt(damaged)
        if (at % 5 === 0) attempt(bytes.subarray(0, at))
      }
      expect(refused.filter((error) => !isRefusal(error))).toEqual([])
      expect(refused.length).toBeGreaterThan((bytes.length - from) / 4)
      expect(read(bytes)).toEqual(whole)
    }
  },
)

it.each(['a count of metadata', 'a count of records'])(
  '%s that is negative or larger than the file is refused at once',
  async (what) => {
    const bytes = plain(await encodedList())
    // Either is of one byte.
    const at = what === 'a count of metadata' ? 4 : bytes.indexOf(marker) + marker.length
    for (const long of ['01', 'feffffffffffffff7f', 'ffffffffffffffffff01', 'ffffffffffffffffffffff01']) {
      const damaged = Buffer.concat([bytes.subarray(0, at), Buffer.from(long, 'hex'), bytes.subarray(at + 1)])
      expect(() => asList(damaged)).toThrow(/^s3:\/\/bucket\/m0\.avro is (damaged|cut short)/)
    }
  },
)

it('records without bytes are no records', () => {
  const many = containerOfBlock('null', 'null', 2 ** 30, Buffer.alloc(0))
  expect(() => asList(many)).toThrow('s3://bucket/m0.avro is damaged')
})

it('a block that ends at the marker before it is refused at once', async () => {
  const bytes = await encodedList()
  // No records, and -18 bytes.
  const back = Buffer.concat([bytes.subarray(0, bytes.indexOf(sync) + sync.length), Buffer.from([0, 35])])
  expect(() => asList(back)).toThrow('s3://bucket/m0.avro is cut short or damaged')
})

/** The end of an entry in our own layout: summaries of one field, and key metadata of one byte. */
const ending = Buffer.from([2, 2, 1, 2, 0, 2, 2, 1, 2, 2, 2, 0, 2, 2, 107])

it.each([
  ['a third branch of a union', 12, 4],
  ['a boolean that is neither', 2, 2],
  ['a negative length', 13, 1],
])('%s in an entry of our own layout is a damage', async (_, offset, byte) => {
  const [block] = containerBlocks('x', await encodedList()).blocks
  const bytes = Buffer.from(block!.bytes)
  const at = bytes.indexOf(ending)
  expect(at).toBeGreaterThan(0)
  bytes[at + offset] = byte
  expect(() => readListEntry('x', bytes, 0)).toThrow('x is damaged')
})
