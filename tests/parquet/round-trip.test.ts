import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { ParquetColumn } from '../../jobs/parquet/column.ts'
import type { EncodeOptions } from '../../jobs/parquet/data-pages.ts'
import type { ColumnVector } from '../../jobs/vector/vector.ts'
import {
  bigEndian,
  booleans,
  bytes,
  column,
  doubles,
  duckdb,
  floats,
  int32s,
  int64s,
  parquetFile,
} from './support.ts'

/** Every type, with the SQL that turns DuckDB's value into the cell that was written. */
const types: {
  readonly type: ParquetColumn['type']
  readonly duckdbType: string
  readonly value: fc.Arbitrary<unknown>
  readonly vector: (cells: never[]) => ColumnVector
  readonly sql: string
}[] = [
  {
    type: { kind: 'boolean' },
    duckdbType: 'BOOLEAN',
    value: fc.boolean(),
    vector: booleans,
    sql: 'v',
  },
  {
    type: { kind: 'int32' },
    duckdbType: 'INTEGER',
    value: fc.oneof(fc.integer(), fc.integer({ min: -3, max: 3 }), fc.constantFrom(-(2 ** 31), 2 ** 31 - 1)),
    vector: int32s,
    sql: 'v',
  },
  {
    type: { kind: 'int64' },
    duckdbType: 'BIGINT',
    value: fc.oneof(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), fc.bigInt(-3n, 3n)),
    vector: int64s,
    sql: 'v',
  },
  {
    type: { kind: 'float' },
    duckdbType: 'FLOAT',
    value: fc.oneof(fc.float(), fc.constantFrom(-0, 0, NaN, Infinity)),
    vector: floats,
    sql: 'v',
  },
  {
    type: { kind: 'double' },
    duckdbType: 'DOUBLE',
    value: fc.oneof(fc.double(), fc.constantFrom(-0, 0, NaN, -Infinity)),
    vector: doubles,
    sql: 'v',
  },
  {
    type: { kind: 'decimal', precision: 9, scale: 2 },
    duckdbType: 'DECIMAL(9,2)',
    value: fc.integer({ min: -999_999_999, max: 999_999_999 }),
    vector: int32s,
    sql: '(v * 100)::INTEGER',
  },
  {
    type: { kind: 'decimal', precision: 18, scale: 0 },
    duckdbType: 'DECIMAL(18,0)',
    value: fc.bigInt(-(10n ** 18n) + 1n, 10n ** 18n - 1n),
    vector: int64s,
    sql: 'v::BIGINT',
  },
  {
    type: { kind: 'decimal', precision: 38, scale: 0 },
    duckdbType: 'DECIMAL(38,0)',
    value: fc.oneof(fc.bigInt(-(10n ** 38n) + 1n, 10n ** 38n - 1n), fc.bigInt(-3n, 3n)),
    vector: (cells) => bigEndian(16, cells),
    sql: 'v::HUGEINT',
  },
  {
    type: { kind: 'decimal', precision: 19, scale: 19 },
    duckdbType: 'DECIMAL(19,19)',
    value: fc.bigInt(-(10n ** 19n) + 1n, 10n ** 19n - 1n),
    vector: (cells) => bigEndian(9, cells),
    sql: "replace(v::VARCHAR, '.', '')::HUGEINT",
  },
  {
    type: { kind: 'date' },
    duckdbType: 'DATE',
    value: fc.integer({ min: -719_162, max: 2_932_896 }),
    vector: int32s,
    sql: "(v - DATE '1970-01-01')::INTEGER",
  },
  {
    type: { kind: 'time-micros' },
    duckdbType: 'TIME',
    value: fc.bigInt(0n, 86_399_999_999n),
    vector: int64s,
    sql: 'epoch_us(v)',
  },
  {
    type: { kind: 'timestamp-micros', utc: true },
    duckdbType: 'TIMESTAMP WITH TIME ZONE',
    value: fc.bigInt(-62_135_596_800_000_000n, 253_402_300_799_999_999n),
    vector: int64s,
    sql: 'epoch_us(v)',
  },
  {
    type: { kind: 'timestamp-micros', utc: false },
    duckdbType: 'TIMESTAMP',
    value: fc.bigInt(-62_135_596_800_000_000n, 253_402_300_799_999_999n),
    vector: int64s,
    sql: 'epoch_us(v)',
  },
  {
    type: { kind: 'string' },
    duckdbType: 'VARCHAR',
    value: fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.constantFrom('', '😀', 'a\u0000b', '/api/orders'),
    ),
    vector: bytes,
    sql: 'v',
  },
  {
    type: { kind: 'binary' },
    duckdbType: 'BLOB',
    value: fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array).toString('hex')),
    vector: (cells) =>
      bytes((cells as (string | null)[]).map((cell) => (cell === null ? null : Buffer.from(cell, 'hex')))),
    sql: 'lower(hex(v))',
  },
  {
    type: { kind: 'uuid' },
    duckdbType: 'UUID',
    value: fc.uuid(),
    vector: (cells) =>
      bigEndian(
        16,
        (cells as (string | null)[]).map((cell) =>
          cell === null ? null : BigInt(`0x${cell.replaceAll('-', '')}`),
        ),
      ),
    sql: 'v::VARCHAR',
  },
]

const cellsOf = (value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown[]> =>
  fc
    .tuple(
      fc.array(fc.oneof({ weight: 3, arbitrary: value }, { weight: 1, arbitrary: fc.constant(null) }), {
        minLength: 1,
        maxLength: 60,
      }),
      fc.integer({ min: 1, max: 20 }),
      fc.boolean(),
    )
    // Runs and repetitions, so that dictionaries, RLE runs and several pages occur.
    .map(([cells, times, runs]) =>
      runs
        ? cells.flatMap((cell) => Array<unknown>(times).fill(cell))
        : Array<unknown[]>(times).fill(cells).flat(),
    )

const options = fc.record<Partial<EncodeOptions>>({
  pageRows: fc.integer({ min: 1, max: 500 }),
  pageBytes: fc.integer({ min: 1, max: 2000 }),
  dictionaryBytes: fc.integer({ min: 8, max: 600 }),
})

describe('values written and read back by DuckDB', () => {
  it.each(types.map((entry) => ({ ...entry, name: JSON.stringify(entry.type) })))(
    '$name',
    async ({ type, duckdbType, value, vector, sql }) => {
      const columns = [column('v', type)]
      await fc.assert(
        fc.asyncProperty(cellsOf(value), options, async (cells, limits) => {
          const half = Math.ceil(cells.length / 2)
          const groups = [cells.slice(0, half), cells.slice(half)].filter((group) => group.length > 0)
          const file = parquetFile(
            columns,
            groups.map((group) => [vector(group as never[])]),
            limits,
          )
          const rows = await duckdb(file, `SELECT ${sql} AS v, typeof(v) AS type FROM $file`)
          expect(rows.map((row) => row['v'])).toEqual(cells)
          expect(rows[0]!['type']).toBe(duckdbType)
        }),
        { numRuns: 6 },
      )
    },
  )
})
