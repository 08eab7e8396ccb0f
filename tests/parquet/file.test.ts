import { createHash } from 'node:crypto'
import { ParquetReader } from '@dsnp/parquetjs'
import { describe, expect, it } from '@jest/globals'
import { parquetMetadata } from 'hyparquet'
import { checkColumns } from '../../jobs/parquet/column.ts'
import { loadCodec } from '../../jobs/parquet/codec.ts'
import { assembleFile } from '../../jobs/parquet/file.ts'
import { defaultLimits, encodeRowGroup, transferables } from '../../jobs/parquet/row-group.ts'
import { bigEndian, bytes, column, duckdb, int32s, int64s, parquetFile } from './support.ts'

const options = { ...defaultLimits, codec: await loadCodec('snappy') }
const description = { keyValueMetadata: {}, createdBy: 'lakejobs version 0.1.0 (build test)' }

describe('file', () => {
  it('names types and field ids for strict readers', async () => {
    const columns = [
      { ...column('id', { kind: 'uuid' }, true), fieldId: 7 },
      { ...column('amount', { kind: 'decimal', precision: 20, scale: 5 }), fieldId: 8 },
      { ...column('at', { kind: 'timestamp-micros', utc: true }), fieldId: 9 },
      { ...column('local', { kind: 'timestamp-micros', utc: false }), fieldId: 10 },
      { ...column('name', { kind: 'string' }), fieldId: 11 },
    ] as const
    const file = parquetFile(columns, [
      [bigEndian(16, [1n]), bigEndian(9, [-5n]), int64s([1n]), int64s([1n]), bytes(['x'])],
    ])
    const schema = await duckdb(
      file,
      'SELECT name, type, type_length, repetition_type, converted_type, logical_type, field_id FROM parquet_schema($file)',
    )
    const micros = (utc: boolean): string =>
      `TimestampType(isAdjustedToUTC=${utc ? 1 : 0}, unit=TimeUnit(MILLIS=<null>, MICROS=MicroSeconds(), NANOS=<null>))`
    expect(schema.slice(1).map((row) => Object.values(row))).toEqual([
      ['id', 'FIXED_LEN_BYTE_ARRAY', '16', 'REQUIRED', null, 'UUIDType()', 7n],
      [
        'amount',
        'FIXED_LEN_BYTE_ARRAY',
        '9',
        'OPTIONAL',
        'DECIMAL',
        'DecimalType(scale=5, precision=20)',
        8n,
      ],
      ['at', 'INT64', null, 'OPTIONAL', 'TIMESTAMP_MICROS', micros(true), 9n],
      ['local', 'INT64', null, 'OPTIONAL', 'TIMESTAMP_MICROS', micros(false), 10n],
      ['name', 'BYTE_ARRAY', null, 'OPTIONAL', 'UTF8', 'StringType()', 11n],
    ])
  })

  it('is read by parquetjs, with its metadata', async () => {
    const file = parquetFile(
      [column('v', { kind: 'int32' })],
      [[int32s([1, null, 3])]],
      {},
      { 'iceberg.schema': '{}' },
    )
    const reader = await ParquetReader.openBuffer(file)
    const cursor = reader.getCursor()
    expect([await cursor.next(), await cursor.next(), await cursor.next(), await cursor.next()]).toEqual([
      { v: 1 },
      { v: null },
      { v: 3 },
      null,
    ])
    expect(reader.getMetadata()).toEqual({ 'iceberg.schema': '{}' })
    expect(reader.metadata?.created_by).toBe('lakejobs version 0.1.0 (build test)')
    expect(reader.metadata?.column_orders).toHaveLength(1)
    await reader.close()
  })

  it('places the same row groups in several files', async () => {
    const columns = [column('a', { kind: 'int32' }), column('b', { kind: 'string' })]
    const first = encodeRowGroup(columns, [int32s([1, 2, 2, 2]), bytes(['x', 'x', 'x', null])], options)
    const second = encodeRowGroup(columns, [int32s([3]), bytes(['y'])], options)
    const files = [[first, second], [second]].map((rowGroups) => {
      const assembler = assembleFile({ columns, ...description })
      const parts = rowGroups.flatMap((rowGroup) => assembler.add(rowGroup))
      const before = assembler.size()
      const { bytes: end, summary } = assembler.finish()
      const file = Buffer.concat([...parts, ...end])
      expect(summary.size).toBe(file.length)
      expect(before).toBe(file.length - summary.footerSize - 8)
      expect(file.readUInt32LE(file.length - 8)).toBe(summary.footerSize)
      return { file, summary }
    })
    expect(files[0]!.summary.splitOffsets).toEqual([4, 4 + first.compressedSize])
    expect(files[1]!.summary).toMatchObject({ rowCount: 1, splitOffsets: [4] })
    expect(await duckdb(files[0]!.file, 'SELECT a, b FROM $file')).toEqual([
      { a: 1, b: 'x' },
      { a: 2, b: 'x' },
      { a: 2, b: 'x' },
      { a: 2, b: null },
      { a: 3, b: 'y' },
    ])
    expect(await duckdb(files[1]!.file, 'SELECT a, b FROM $file')).toEqual([{ a: 3, b: 'y' }])
  })

  it('has a footer of any size: many columns in many row groups, which are not kept', () => {
    const columns = Array.from({ length: 40 }, (_, i) => column(`c${i}`, { kind: 'int32' }))
    const rowGroup = encodeRowGroup(
      columns,
      columns.map((_, i) => int32s([i, -i])),
      options,
    )
    const assembler = assembleFile({ columns, ...description })
    const parts = Array.from({ length: 200 }, () => assembler.add(rowGroup)).flat()
    const { bytes: end, summary } = assembler.finish()
    const file = Buffer.concat([...parts, ...end])
    const { row_groups: groups, num_rows: rows } = parquetMetadata(new Uint8Array(file).buffer)
    expect([groups.length, rows]).toEqual([200, 400n])
    for (const [index, group] of groups.entries()) {
      const { dictionary_page_offset: dictionary, data_page_offset: data } = group.columns[0]!.meta_data!
      expect(Number(dictionary ?? data)).toBe(summary.splitOffsets[index])
      expect(group.columns[39]!.meta_data!.statistics).toMatchObject({ min_value: -39, max_value: 39 })
    }
    // What is kept of a chunk.
    expect(summary.footerSize / (40 * 200)).toBeLessThan(150)
  })

  it('without row groups has no rows', async () => {
    const file = parquetFile([column('a', { kind: 'string' })], [])
    expect(await duckdb(file, 'SELECT count(*) AS n, any_value(a) AS a FROM $file')).toEqual([
      { n: 0n, a: null },
    ])
  })

  it('keeps row groups whole when they are moved to another thread', async () => {
    const columns = [column('a', { kind: 'string' })]
    const rowGroup = encodeRowGroup(columns, [bytes(['x', null, 'long '.repeat(50)])], options)
    const moved = structuredClone(rowGroup, { transfer: transferables(rowGroup) })
    expect(rowGroup.chunks[0]!.blocks[0]).toHaveLength(0)
    const assembler = assembleFile({ columns, ...description })
    const file = Buffer.concat([...assembler.add(moved), ...assembler.finish().bytes])
    expect(await duckdb(file, 'SELECT a FROM $file')).toEqual([
      { a: 'x' },
      { a: null },
      { a: 'long '.repeat(50) },
    ])
  })
})

describe('values of many megabytes', () => {
  it('are moved without a copy, between small ones', async () => {
    const columns = [column('a', { kind: 'binary' })]
    const big = Buffer.from(
      Uint32Array.from({ length: 1_000_000 }, (_, i) => Math.imul(i, 0x9e3779b1)).buffer,
    )
    const rowGroup = encodeRowGroup(columns, [bytes(['x', big, 'y', big])], options)
    const blocks = rowGroup.chunks[0]!.blocks
    expect(blocks.reduce((sum, { length }) => sum + length, 0)).toBe(rowGroup.compressedSize)
    const assembler = assembleFile({ columns, ...description })
    const file = Buffer.concat([...assembler.add(rowGroup), ...assembler.finish().bytes])
    expect(await duckdb(file, 'SELECT md5(a) AS hash FROM $file')).toEqual(
      ['x', big, 'y', big].map((value) => ({ hash: createHash('md5').update(value).digest('hex') })),
    )
  })
})

describe('what is refused', () => {
  it.each([
    ['no columns', [], 'usage', 'columns'],
    ['a name twice', [column('a', { kind: 'int32' }), column('a', { kind: 'date' })], 'data', 'a'],
    ['39 digits', [column('d', { kind: 'decimal', precision: 39, scale: 0 })], 'data', 'd'],
    ['scale over precision', [column('d', { kind: 'decimal', precision: 2, scale: 3 })], 'data', 'd'],
  ])('%s', (_, columns, code, field) => {
    expect(() => {
      checkColumns(columns)
    }).toThrow(expect.objectContaining({ code, field }))
  })

  it.each([
    ['a vector of another width', column('a', { kind: 'int64' }), int32s([1])],
    ['bytes for numbers', column('a', { kind: 'int32' }), bytes(['1'])],
    ['NULL in a required column', column('a', { kind: 'int32' }, true), int32s([1, null])],
    ['no rows', column('a', { kind: 'int32' }), int32s([])],
  ])('%s', (_, only, vector) => {
    expect(() => encodeRowGroup([only], [vector], options)).toThrow(TypeError)
  })
})
