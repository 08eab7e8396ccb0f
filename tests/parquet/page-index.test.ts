import { describe, expect, it } from '@jest/globals'
import { parquetMetadata } from 'hyparquet'
import { BoundaryOrders } from 'hyparquet/src/constants.js'
import { readColumnIndex, readOffsetIndex } from 'hyparquet/src/indexes.js'
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js'
import { crc32 } from 'node:zlib'
import { pageIndexesOf } from '../../jobs/lake/footer/page-indexes.ts'
import { pageTypes } from '../../jobs/parquet/page.ts'
import type { ColumnVector } from '../../jobs/vector/vector.ts'
import { bytes, column, doubles, duckdb, int32s, int64s, parquetFile } from './support.ts'

const columns = [
  column('id', { kind: 'int64' }, true),
  column('day', { kind: 'date' }),
  column('text', { kind: 'string' }),
  column('share', { kind: 'double' }),
]
const small = { pageRows: 10, pageIndex: true }
const range = <T>(from: number, to: number, cell: (i: number) => T): T[] =>
  Array.from({ length: to - from }, (_, i) => cell(from + i))

/** 35 rows from `from` on: an id that rises, a day that falls and is NULL on the second page, texts and doubles. */
const vectors = (from: number): ColumnVector[] => [
  int64s(range(from, from + 35, BigInt)),
  int32s(range(0, 35, (i) => (i >= 10 && i < 20 ? null : -from - i))),
  bytes(range(0, 35, (i) => (i % 3 === 0 ? null : `text ${i % 4}`))),
  doubles(range(0, 35, (i) => i / 7)),
]

const viewOf = (file: Buffer, offset: bigint | undefined): { view: DataView; offset: number } => ({
  view: new DataView(file.buffer, file.byteOffset),
  offset: Number(offset),
})
const metadataOf = (file: Buffer): ReturnType<typeof parquetMetadata> =>
  parquetMetadata(new Uint8Array(file).buffer)

describe('the index of pages', () => {
  const file = parquetFile(columns, [vectors(0), vectors(1000)], small)
  const {
    row_groups: groups,
    schema,
    key_value_metadata: entries,
    metadata_length: length,
  } = metadataOf(file)
  const chunk = (group: number, at: number): (typeof groups)[number]['columns'][number] =>
    groups[group]!.columns[at]!

  it('tells of each page where it begins, its bytes and the rows before it', () => {
    for (const [group, at] of groups.flatMap((_, one) => columns.map((_, i) => [one, i] as const))) {
      const { meta_data: data, offset_index_offset: offset } = chunk(group, at)
      const { page_locations: pages } = readOffsetIndex(viewOf(file, offset))
      expect(pages.map(({ first_row_index: row }) => Number(row))).toEqual([0, 10, 20, 30])
      let end = Number(data!.data_page_offset)
      for (const { offset: start, compressed_page_size: size } of pages) {
        expect(Number(start)).toBe(end)
        const reader = viewOf(file, start)
        const header = deserializeTCompactProtocol(reader) as unknown as { field_1: number; field_3: number }
        expect(header.field_1).toBe(pageTypes.data)
        end = reader.offset + header.field_3
        expect(size).toBe(end - Number(start))
      }
      const first = Number(data!.dictionary_page_offset ?? data!.data_page_offset)
      expect(end).toBe(first + Number(data!.total_compressed_size))
    }
  })

  it('has the bounds and NULLs of each page of whole numbers, and in which order they are', () => {
    const indexOf = (group: number, at: number): ReturnType<typeof readColumnIndex> =>
      readColumnIndex(viewOf(file, chunk(group, at).column_index_offset), schema[at + 1]!)
    expect(indexOf(1, 0)).toMatchObject({
      null_pages: [false, false, false, false],
      min_values: [1000n, 1010n, 1020n, 1030n],
      max_values: [1009n, 1019n, 1029n, 1034n],
      boundary_order: 'ASCENDING',
      null_counts: [0n, 0n, 0n, 0n],
    })
    const raw = deserializeTCompactProtocol(viewOf(file, chunk(0, 1).column_index_offset)) as unknown as {
      field_1: boolean[]
      field_2: Uint8Array[]
      field_3: Uint8Array[]
      field_4: number
      field_5: bigint[]
    }
    // By its Thrift fields: hyparquet takes no bounds of pages of NULLs.
    const numbers = (values: readonly Uint8Array[]): (number | undefined)[] =>
      values.map((value) => (value.length === 0 ? undefined : Buffer.from(value).readInt32LE()))
    expect([numbers(raw.field_2), numbers(raw.field_3)]).toEqual([
      [-9, undefined, -29, -34],
      [0, undefined, -20, -30],
    ])
    expect(raw).toMatchObject({
      field_1: [false, true, false, false],
      field_4: BoundaryOrders.indexOf('DESCENDING'),
      field_5: [0n, 10n, 0n, 0n],
    })
    // Of texts and floating-point numbers there are only places.
    for (const at of [2, 3]) expect(chunk(0, at)).not.toHaveProperty('column_index_offset', expect.anything())
  })

  it('is unordered where bounds go up and down', () => {
    const turning = parquetFile(
      [columns[0]!],
      [[int64s(range(0, 30, (i) => BigInt(15 - Math.abs(i - 15))))]],
      {
        pageRows: 10,
        pageIndex: true,
      },
    )
    const { row_groups: parts, schema: one } = metadataOf(turning)
    const index = readColumnIndex(viewOf(turning, parts[0]!.columns[0]!.column_index_offset), one[1]!)
    expect(index).toMatchObject({
      boundary_order: 'UNORDERED',
      min_values: [0n, 10n, 1n],
      max_values: [9n, 15n, 10n],
    })
  })

  it('lies in one piece between row groups and footer, with its checksum', () => {
    const indexes = pageIndexesOf(metadataOf(file))!
    expect(indexes.end).toBe(file.length - length - 8)
    const { columns: last } = groups[1]!
    const data = last.at(-1)!.meta_data!
    expect(indexes.start).toBe(
      Number(data.dictionary_page_offset ?? data.data_page_offset) + Number(data.total_compressed_size),
    )
    const checksum = crc32(file.subarray(indexes.start, indexes.end)).toString(16).padStart(8, '0')
    expect(entries).toContainEqual({ key: 'lakejobs.page-index-crc32', value: checksum })
  })

  it('is not there where each column has one page, or nobody asks for it', () => {
    for (const options of [{ ...small, pageRows: 35 }, { pageRows: 10 }]) {
      const without = parquetFile(columns, [vectors(0)], options)
      expect(pageIndexesOf(metadataOf(without))).toBeUndefined()
      expect(without.includes('page-index-crc32')).toBe(false)
    }
  })

  it('changes no answer', async () => {
    const sql = 'SELECT id, day, text FROM read_parquet($file) WHERE id BETWEEN 1015 AND 1021 ORDER BY id'
    const plain = parquetFile(columns, [vectors(0), vectors(1000)])
    const found = await duckdb(file, sql)
    expect(found.map(({ id }) => id)).toEqual(range(1015, 1022, BigInt))
    expect(found).toEqual(await duckdb(plain, sql))
  })
})
