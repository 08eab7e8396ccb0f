import { describe, expect, it } from '@jest/globals'
import { readFile, writeFile } from 'node:fs/promises'
import type { DataFile } from '../../../jobs/iceberg/manifest/data-file.ts'
import { currentSchema } from '../../../jobs/iceberg/metadata/metadata.ts'
import { readFooter } from '../../../jobs/lake/footer/footer.ts'
import { defaultLimits } from '../../../jobs/parquet/row-group.ts'
import { eachCompactLake, rowsFrom } from '../compact-lake.ts'

import { enough, ownFile, type OwnFile, type Values } from './own-files.ts'

const test = eachCompactLake()

const day: Values = () => 0
const number: Values = (row) => row
const text: Values = (row) => (row % 10 === 0 ? null : `row ${row % 977}`)
const usual: OwnFile = { rowGroups: [enough, enough], values: [day, number, text] }

const add = async (...files: readonly DataFile[]): Promise<void> => test.commit({ addFiles: files })
const compacted = async (): Promise<DataFile> => {
  const done = await test.compact({ minFiles: 2 })
  expect(done.rewritten?.to.files).toBe(1)
  return (await test.live())[0]!
}
const bytesOf = ({ filePath }: DataFile): Promise<Buffer> => readFile(filePath.replace('file://', ''))
/** The bytes of all row groups, from behind the magic, and of all page indexes, which end with the footer. */
const partsOf = async (file: DataFile): Promise<{ pages: Buffer; indexes: Buffer }> => {
  const bytes = await bytesOf(file)
  const { start, end } = (await readFooter(test.lake.io, file)).pageIndexes!
  expect(end).toBe(bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8))
  return { pages: bytes.subarray(4, start), indexes: bytes.subarray(start, end) }
}
const metricsOf = ({ valueCounts, nullValueCounts, nanValueCounts, lowerBounds, upperBounds }: DataFile) => ({
  ...{ valueCounts, nullValueCounts, nanValueCounts, lowerBounds, upperBounds },
})
/** A column of doubles more. */
const withDouble = async (name = 'd'): Promise<void> => {
  const last = currentSchema(test.table.metadata)
  const fields = [...last.fields, { id: 4, name, required: false, type: 'double' } as const]
  await test.update(
    { action: 'add-schema', schema: { ...last, fields } },
    { action: 'set-current-schema', 'schema-id': -1 },
  )
}

describe('row groups that are large enough', () => {
  it('are copied byte by byte, and the file says of them what it would have said', async () => {
    const whole = await ownFile(test, { ...usual, rowGroups: [enough, enough, enough] })
    const files = [
      await ownFile(test, { ...usual, rowGroups: [enough] }),
      await ownFile(test, {
        rowGroups: [enough, enough],
        values: usual.values.map(
          (valueOf): Values =>
            (row) =>
              valueOf(row + enough),
        ),
      }),
    ]
    await add(...files)
    const before = await test.digest()
    const merged = await compacted()
    expect(await test.digest()).toEqual(before)
    const given = await Promise.all(files.map(partsOf))
    const { pages, indexes } = await partsOf(merged)
    expect(pages.equals(Buffer.concat(given.map((file) => file.pages)))).toBe(true)
    expect(indexes.equals((await partsOf(whole)).indexes)).toBe(true)
    expect(metricsOf(merged)).toEqual(metricsOf(whole))
    expect(merged.columnSizes).toEqual(whole.columnSizes)
    expect(merged.splitOffsets).toHaveLength(3)
    expect(await test.compact({ minFiles: 2 })).not.toHaveProperty('rewritten')
  })

  it('stay beside rows of small files, which are put together', async () => {
    await add(
      await ownFile(test, usual),
      await test.file(rowsFrom(1e6, 10)),
      await test.file(rowsFrom(2e6, 10)),
    )
    const before = await test.digest()
    const merged = await compacted()
    expect(merged).toMatchObject({ recordCount: 2 * enough + 20 })
    expect(merged.splitOffsets).toHaveLength(3)
    expect(await test.digest()).toEqual(before)
  })

  it('have the NaNs of their file, wherever in it they are, and bounds that hold', async () => {
    await withDouble()
    const doubles = (of: Values): OwnFile => ({ ...usual, values: [...usual.values, of] })
    const last: Values = (row) => (row < enough ? -5 + (row % 3) : NaN)
    const some: Values = (row) => (row % 5 === 0 ? NaN : row % 7 === 0 ? null : -0)
    await add(await ownFile(test, doubles(last)), await ownFile(test, doubles(some)))
    const before = await test.digest()
    const merged = await compacted()
    expect(merged.splitOffsets).toHaveLength(4)
    expect(merged.nanValueCounts!.get(4)).toBe(enough + (2 * enough) / 5)
    const bound = (bounds: DataFile['lowerBounds']): number => Buffer.from(bounds!.get(4)!).readDoubleLE()
    expect([bound(merged.lowerBounds), Object.is(bound(merged.upperBounds), 0)]).toEqual([-5, true])
    expect(await test.digest()).toEqual(before)
  })
})

describe('row groups are written anew', () => {
  const long: Values = (row) => `${'x'.repeat(70)}${row % 9}`
  it.each<[string, () => Promise<readonly DataFile[]>]>([
    ['that are too small', () => two({ ...usual, rowGroups: [enough / 2, enough / 2 - 1] })],
    [
      'of which only the first ones have pages that the kernel has room for',
      () =>
        two({
          rowGroups: [10, 30_000, 40_000, 5],
          values: [day, number, (row) => `${'x'.repeat(80)}${row}`],
          pages: (group) =>
            group === 1 ? { ...defaultLimits, pageBytes: 2 ** 30, pageRows: 2 ** 30 } : defaultLimits,
        }),
    ],
    ['of another codec', () => two({ ...usual, codec: 'gzip' })],
    [
      'with rows that are deleted',
      () =>
        two(usual).then(async (files) => [
          ...files,
          await test.deletes([
            [files[0]!, 7],
            [files[1]!, 9],
          ]),
        ]),
    ],
    ['of a schema with a column less', () => two(usual).then((files) => withDouble().then(() => files))],
    [
      'of a schema with another name',
      async () => {
        const files = await two(usual)
        const last = currentSchema(test.table.metadata)
        const fields = last.fields.map((field) => (field.id === 3 ? { ...field, name: 'renamed' } : field))
        await test.update(
          { action: 'add-schema', schema: { ...last, fields } },
          { action: 'set-current-schema', 'schema-id': -1 },
        )
        return files
      },
    ],
    [
      'of others',
      async () =>
        [await test.file(rowsFrom(0, enough)), await test.file(rowsFrom(0, enough))].map((file) => ({
          ...file,
          splitOffsets: [4],
        })),
    ],
    [
      'whose bounds are cut, where the table wants them whole',
      async () => {
        await test.update({
          action: 'set-properties',
          updates: { 'write.metadata.metrics.column.text': 'full' },
        })
        return two({ ...usual, values: [day, number, long] })
      },
    ],
    [
      'whose pages are larger than the table wants them',
      async () => {
        await test.update({ action: 'set-properties', updates: { 'write.parquet.page-row-limit': '1000' } })
        return two(usual)
      },
    ],
    [
      'of which nobody has counted the NaNs',
      async () => {
        await withDouble()
        const files = await two({ ...usual, values: [...usual.values, number] })
        return files.map((file) => ({ ...file, nanValueCounts: new Map<number, number>() }))
      },
    ],
  ])('%s', async (_, make) => {
    await add(...(await make()))
    const before = await test.digest()
    const merged = await compacted()
    expect(merged.splitOffsets).toHaveLength(1)
    if (_.startsWith('whose bounds'))
      expect(Buffer.from(merged.upperBounds!.get(3)!).toString()).toHaveLength(71)
    expect(await test.digest()).toEqual(before)
  })

  const two = async (file: OwnFile): Promise<DataFile[]> => [
    await ownFile(test, { ...file, rowGroups: file.rowGroups.slice(0, 1) }),
    await ownFile(test, { ...file, rowGroups: file.rowGroups.slice(1) }),
  ]

  it('that are too large for files of the target size', async () => {
    const file = await ownFile(test, usual)
    await add(file)
    const updates = { 'write.target-file-size-bytes': String(Math.ceil(file.fileSizeInBytes / 3)) }
    await test.update({ action: 'set-properties', updates })
    const before = await test.digest()
    await test.compact()
    expect((await test.live()).length).toBeGreaterThan(2)
    expect(await test.digest()).toEqual(before)
  })
})

describe('a row group whose pages are not what its footer says', () => {
  it.each<[string, (bytes: Buffer) => void, RegExp]>([
    ['something else', (bytes) => bytes.fill(0, 4, 40), /column day: there is no page at byte/],
    // The first page's header: its type and its sizes come first, each in its own field.
    [
      'page indexes that are damaged',
      (bytes) => {
        const end = bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8)
        bytes.writeUInt8(bytes.readUInt8(end - 3) ^ 1, end - 3)
      },
      /its page indexes are damaged/,
    ],
    ['pages of other sizes', (bytes) => bytes.writeUInt8(bytes.readUInt8(8) + 2, 8), /column day: /],
  ])('refuses it, and nothing is changed: %s', async (_, spoil, message) => {
    const files = [await ownFile(test, usual), await ownFile(test, usual)]
    await add(...files)
    const bytes = await bytesOf(files[1]!)
    spoil(bytes)
    await writeFile(files[1]!.filePath.replace('file://', ''), bytes)
    const [onDisk, head] = [await test.onDisk(), test.table.metadataLocation]
    const failure = test.compact({ minFiles: 2 })
    await expect(failure).rejects.toMatchObject({ code: 'data' })
    await expect(failure).rejects.toThrow(message)
    expect([await test.onDisk(), test.table.metadataLocation]).toEqual([onDisk, head])
  })
})
