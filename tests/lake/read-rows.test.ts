import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { readdir } from 'node:fs/promises'
import type { DataFile } from '../../jobs/iceberg/manifest/data-file.ts'
import type { NestedField } from '../../jobs/iceberg/schema/types.ts'
import type { PlannedFile } from '../../jobs/lake/read-plan.ts'
import { readRows, type RowSource } from '../../jobs/lake/read-rows.ts'
import { localFileIO } from '../../jobs/storage/local/local.ts'
import { memoryFileIO } from '../../jobs/storage/memory.ts'
import type { ColumnVector } from '../../jobs/vector/vector.ts'
import { flat } from '../support/vectors.ts'
import { concatenate } from '../../jobs/vector/gather.ts'
import { field, parquetFolder, type ParquetFolder } from './parquet-folder.ts'

let files: ParquetFolder
let source: RowSource
const fileOf: ParquetFolder['plannedFile'] = (...given) => files.plannedFile(...given)
beforeAll(async () => {
  files = await parquetFolder()
  source = files.source
})
afterAll(() => files.remove())

async function read(
  planned: PlannedFile,
  fields: readonly NestedField[],
  from = source,
): Promise<ColumnVector[]> {
  const batches: (readonly ColumnVector[])[] = []
  for await (const batch of readRows(from, planned, fields)) batches.push(batch)
  return fields.map((_, column) => concatenate(batches.map((batch) => batch[column]!)))
}

const textsOf = (vector: ColumnVector): (string | null)[] => {
  if (vector.kind !== 'bytes') throw new TypeError('not texts')
  let value = 0
  return Array.from({ length: vector.rows }, (_, row) => {
    if (vector.defined?.[row] === 0) return null
    const [start, end] = [vector.offsets[value]!, vector.offsets[++value]!]
    return Buffer.from(vector.data.subarray(start, end)).toString()
  })
}

describe('rows of a file', () => {
  it('texts of every length come whole, in order, NULLs left out', async () => {
    const rows = 150_000
    const text = (i: number): string | null =>
      i % 11 === 0 ? null : i % 5000 === 1 ? 'ż'.repeat(20_000) : `${i}-${'x'.repeat(i % 40)}`
    const planned = await fileOf(
      `SELECT CASE WHEN i % 11 = 0 THEN NULL WHEN i % 5000 = 1 THEN repeat('ż', 20000) ELSE i || '-' || repeat('x', (i % 40)::int) END AS a,
              i::int AS b FROM range(${rows}) r(i) ORDER BY i`,
      { a: 1, b: 2 },
      rows,
    )
    const [texts, numbers] = await read(planned, [field(1, 'string'), field(2, 'int')])
    const order = numbers?.kind === 'fixed' ? new Int32Array(numbers.data.buffer, 0, rows) : []
    expect(textsOf(texts!)).toEqual(Array.from(order, text))
  })

  it('texts of a dictionary, which rows share in any order, come whole', async () => {
    const rows = 20_000
    const text = (i: number): string => {
      const value = (i * 7919) % 600
      return value === 599 ? 'long'.repeat(3000) : `${value}-${'y'.repeat(value % 30)}`
    }
    const planned = await fileOf(
      `SELECT CASE WHEN v = 599 THEN repeat('long', 3000) ELSE v || '-' || repeat('y', (v % 30)::int) END AS a
       FROM (SELECT i, (i * 7919) % 600 AS v FROM range(${rows}) r(i)) ORDER BY i`,
      { a: 1 },
      rows,
    )
    const [texts] = await read(planned, [field(1, 'string')])
    expect(textsOf(texts!)).toEqual(Array.from({ length: rows }, (_, i) => text(i)))
  })

  it('by field id: renamed, reordered, widened, and NULL where the file has no such column', async () => {
    const planned = await fileOf(
      'SELECT 7::int AS old, 1.5::decimal(4,1) AS d, 2::float AS f',
      { old: 5, d: 6, f: 7 },
      1,
    )
    const [f, added, long, decimal] = await read(planned, [
      field(7, 'double'),
      field(9, 'uuid'),
      field(5, 'long'),
      field(6, 'decimal(20, 1)'),
    ])
    expect(Buffer.from(flat(f).data).readDoubleLE()).toBe(2)
    expect(added).toMatchObject({ rows: 1, count: 0 })
    expect(Buffer.from(flat(long).data).readBigInt64LE()).toBe(7n)
    expect(Buffer.from(flat(decimal).data.subarray(0, 16)).toString('hex')).toBe(`${'00'.repeat(15)}0f`)
  })

  it('small and wide decimals, uuids and booleans have the layout of vectors', async () => {
    const planned = await fileOf(
      `SELECT -1.5::decimal(4,1) AS a, -12345678901234567890::decimal(38,0) AS b,
              '80000000-0000-0000-0000-000000000001'::uuid AS c, true AS d`,
      { a: 1, b: 2, c: 3, d: 4 },
      1,
    )
    const [a, b, c, d] = await read(planned, [
      field(1, 'decimal(4, 1)'),
      field(2, 'decimal(38, 0)'),
      field(3, 'uuid'),
      field(4, 'boolean'),
    ])
    expect(Buffer.from(flat(a).data).readInt32LE()).toBe(-15)
    const wide = BigInt.asIntN(128, BigInt(`0x${Buffer.from(flat(b).data.subarray(0, 16)).toString('hex')}`))
    expect(wide).toBe(-12345678901234567890n)
    expect(Buffer.from(flat(c).data.subarray(0, 16)).toString('hex')).toBe('80000000000000000000000000000001')
    expect(flat(d).data[0]).toBe(1)
  })

  it('come of a store that is not local, through a bounded folder that is empty afterwards', async () => {
    const planned = await fileOf('SELECT 7::int AS a', { a: 1 }, 1)
    const io = memoryFileIO(() => new Date())
    const filePath = 'memory://store/a.parquet'
    await io.write(filePath, await localFileIO().read(planned.file.filePath))
    const remote = { ...planned, file: { ...planned.file, filePath } }
    const from = { ...source, table: { ...source.table, io } }
    const [a] = await read(remote, [field(1, 'int')], from)
    expect(Buffer.from(flat(a).data).readInt32LE()).toBe(7)
    expect((await readdir(source.scratch)).filter((name) => name.startsWith('rows-'))).toEqual([])
  })

  it('are refused where they have more bytes than may be brought here, and not where they have as many', async () => {
    const planned = await fileOf('SELECT 7::int AS a', { a: 1 }, 1)
    const io = memoryFileIO(() => new Date())
    const filePath = 'memory://store/a.parquet'
    const bytes = await localFileIO().read(planned.file.filePath)
    await io.write(filePath, bytes)
    const remote = { ...planned, file: { ...planned.file, filePath, fileSizeInBytes: bytes.length } }
    const from = { ...source, table: { ...source.table, io } }
    const readWith = (maxDownload: number) => read(remote, [field(1, 'int')], { ...from, maxDownload })
    expect(await readWith(bytes.length)).toHaveLength(1)
    await expect(readWith(bytes.length - 1)).rejects.toMatchObject({
      code: 'data',
      field: '--max-download',
      message: expect.stringMatching(`1 file of ${bytes.length} bytes .+ allows ${bytes.length - 1} `),
      fix: expect.stringMatching(/allow it with --max-download 1MB$/),
    })
  })

  it.each([
    [
      'a file without field ids, in a table without a name mapping,',
      'SELECT 7::int AS a',
      {},
      [field(1, 'int')],
      /columns without field ids, and no property schema.name-mapping.default, cannot be read/,
    ],
    [
      'a nested column',
      "SELECT {'x': 1} AS a",
      { a: '{__duckdb_field_id: 1, x: 2}' },
      [field(1, { type: 'struct', fields: [] })],
      /type struct of column f1/,
    ],
  ] as const)('%s is refused with table, file and feature', async (_, sql, ids, fields, message) => {
    const planned = await fileOf(sql, ids, 1)
    const failure = read(planned, fields)
    await expect(failure).rejects.toMatchObject({ code: 'data', field: 'default.t' })
    await expect(failure).rejects.toThrow(message)
  })

  it('a manifest that says another size or number of rows is told from the file', async () => {
    const planned = await fileOf('SELECT 7::int AS a', { a: 1 }, 1)
    const as = (file: Partial<DataFile>): Promise<unknown> =>
      read({ ...planned, file: { ...planned.file, ...file } }, [field(1, 'int')])
    await expect(as({ recordCount: 2 })).rejects.toThrow(/it has 1 rows, the manifest says 2/)
    await expect(as({ fileSizeInBytes: 5 })).rejects.toThrow(/bytes, the manifest says 5/)
    await expect(as({ filePath: `${planned.file.filePath}x` })).rejects.toThrow(/no such file/)
  })
})
