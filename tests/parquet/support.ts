import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { loadCodec } from '../../jobs/parquet/codec.ts'
import type { ParquetColumn } from '../../jobs/parquet/column.ts'
import type { EncodeOptions } from '../../jobs/parquet/data-pages.ts'
import { assembleFile } from '../../jobs/parquet/file.ts'
import { defaultLimits, encodeRowGroup } from '../../jobs/parquet/row-group.ts'
import type { BytesVector, ColumnVector, FixedVector } from '../../jobs/vector/vector.ts'

const snappy = await loadCodec('snappy')

type Cells<T> = readonly (T | null)[]

function nulls(cells: Cells<unknown>): Uint8Array | undefined {
  if (!cells.includes(null)) return undefined
  const defined = new Uint8Array(cells.length)
  cells.forEach((cell, row) => {
    if (cell !== null) defined[row] = 1
  })
  return defined
}

/** A fixed vector whose values `write` puts at their positions. */
export function fixedVector<T>(
  width: number,
  cells: Cells<T>,
  write: (view: DataView, position: number, value: T) => void,
): FixedVector {
  const values = cells.filter((cell) => cell !== null)
  const data = new Uint8Array(values.length * width)
  const view = new DataView(data.buffer)
  values.forEach((value, i) => {
    write(view, i * width, value)
  })
  return { kind: 'fixed', width, data, count: values.length, rows: cells.length, defined: nulls(cells) }
}

export const int32s = (cells: Cells<number>): FixedVector =>
  fixedVector(4, cells, (view, at, value) => {
    view.setInt32(at, value, true)
  })
export const int64s = (cells: Cells<bigint>): FixedVector =>
  fixedVector(8, cells, (view, at, value) => {
    view.setBigInt64(at, value, true)
  })
export const floats = (cells: Cells<number>): FixedVector =>
  fixedVector(4, cells, (view, at, value) => {
    view.setFloat32(at, value, true)
  })
export const doubles = (cells: Cells<number>): FixedVector =>
  fixedVector(8, cells, (view, at, value) => {
    view.setFloat64(at, value, true)
  })
export const booleans = (cells: Cells<boolean>): FixedVector =>
  fixedVector(1, cells, (view, at, value) => {
    view.setUint8(at, value ? 1 : 0)
  })
/** Big-endian two's complement of `width` bytes, at most 16: decimals over 18 digits, and uuids. */
export function bigEndian(width: number, cells: Cells<bigint>): FixedVector {
  const all = new DataView(new ArrayBuffer(16))
  return fixedVector(width, cells, (view, at, value) => {
    all.setBigInt64(0, value >> 64n)
    all.setBigInt64(8, value)
    for (let i = 0; i < width; i++) view.setUint8(at + i, all.getUint8(16 - width + i))
  })
}

export function bytes(cells: Cells<string | Uint8Array>): BytesVector {
  const values = cells.filter((cell) => cell !== null).map((value) => Buffer.from(value as string))
  const offsets = new Int32Array(values.length + 1)
  values.forEach((value, i) => (offsets[i + 1] = offsets[i]! + value.length))
  return {
    kind: 'bytes',
    data: Buffer.concat(values),
    offsets,
    count: values.length,
    rows: cells.length,
    defined: nulls(cells),
  }
}

export const column = (name: string, type: ParquetColumn['type'], required = false): ParquetColumn => ({
  name,
  fieldId: name.length * 100 + name.charCodeAt(0),
  required,
  type,
})

/** A whole file in memory. */
export function parquetFile(
  columns: readonly ParquetColumn[],
  rowGroups: readonly (readonly ColumnVector[])[],
  options: Partial<EncodeOptions> = {},
  keyValueMetadata: Readonly<Record<string, string>> = {},
): Buffer {
  const assembler = assembleFile({
    columns,
    keyValueMetadata,
    createdBy: 'lakejobs version 0.1.0 (build test)',
  })
  const encodeOptions = { ...defaultLimits, codec: snappy, ...options }
  const parts = rowGroups.flatMap((vectors) => assembler.add(encodeRowGroup(columns, vectors, encodeOptions)))
  return Buffer.concat([...parts, ...assembler.finish().bytes])
}

const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect()

/** Runs SQL in DuckDB with `$file` replaced by a path to `file`; rows as objects of DuckDB's JS values. */
export async function duckdb(file: Uint8Array, sql: string): Promise<Record<string, unknown>[]> {
  const folder = await mkdtemp(join(tmpdir(), 'parquet-'))
  try {
    const path = join(folder, 'file.parquet')
    await writeFile(path, file)
    const reader = await connection.runAndReadAll(sql.replaceAll('$file', `'${path}'`))
    return reader.getRowObjectsJS()
  } finally {
    await rm(folder, { recursive: true })
  }
}
