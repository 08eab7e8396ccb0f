import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import type { DuckDBConnection } from '@duckdb/node-api'
import { bind } from '../../../jobs/iceberg/expression/bind.ts'
import { positionOf } from '../../../jobs/iceberg/expression/position.ts'
import type { Predicate } from '../../../jobs/iceberg/expression/predicate.ts'
import type { DataFile } from '../../../jobs/iceberg/manifest/data-file.ts'
import type { Schema } from '../../../jobs/iceberg/schema/schema.ts'
import { toSingleValue } from '../../../jobs/iceberg/schema/single-value.ts'
import { asPrimitive, type Value } from '../../../jobs/iceberg/schema/types.ts'
import { engineType, identifier } from '../../../jobs/lake/engine-type.ts'
import { openSession, parse } from '../../../jobs/query/session.ts'
import { constantOf } from '../../../jobs/query/statement/constants.ts'
import { wantedRows } from '../../../jobs/query/statement/filters.ts'
import { judge } from '../../../jobs/query/statement/judge.ts'
import type { Node } from '../../../jobs/query/statement/tree.ts'

let session: Awaited<ReturnType<typeof openSession>>
let connection: DuckDBConnection
beforeAll(async () => {
  session = await openSession()
  ;({ connection } = session)
  await connection.run("SET TimeZone = 'UTC'")
})
afterAll(() => {
  session.close()
})

const types = {
  i: 'int',
  l: 'long',
  d: 'double',
  m: 'decimal(9, 2)',
  s: 'string',
  a: 'date',
  t: 'timestamp',
  z: 'timestamptz',
} as const
type Column = keyof typeof types
const columns = Object.keys(types) as Column[]
const schema: Schema = {
  type: 'struct',
  'schema-id': 0,
  fields: columns.map((name, at) => ({ id: at + 1, name, required: false, type: types[name] })),
}

async function wantedBy(sql: string): Promise<Predicate<string>> {
  const { query, tables } = judge(await parse(connection, sql))
  const nodes = tables.filter(({ parts }) => parts.at(-1) === 't').map(({ node }) => node)
  return wantedRows(query, nodes, schema)
}

const day = 86_400_000_000n
/** Few values, near each other, so that conditions meet them. */
const values: Readonly<Record<Column, readonly (Value | null)[]>> = {
  i: [null, -1, 0, 1, 2],
  l: [null, -1n, 0n, 1n, 2n ** 53n + 1n],
  d: [null, -1, -0, 0, 0.1, 1, NaN, Infinity],
  m: [null, -150n, 0n, 10n, 150n],
  s: [null, '', 'a', 'ab', 'b%', 'ż'],
  a: [null, -1, 0, 1, 19_000],
  t: [null, -1n, 0n, day - 1n, day, day + 1n],
  z: [null, -1n, 0n, day - 1n, day, day + 1n],
}

const literals: Readonly<Record<Column, readonly string[]>> = {
  i: ['-1', '0', '1', '1.5', "'1'", '2::double', 'NULL', '99999999999'],
  l: ['0', '1', '9007199254740993', "'1'", '1.0'],
  d: ['-1', '0', '0.1', '1e0', "'NaN'::double", "'1'"],
  m: ['0', '0.1', '1.5', '1.505', '-1.50', "'1.5'", '1e0'],
  s: ["''", "'a'", "'ab'", "'b%'", "'ż'", '1'],
  a: ["'1970-01-01'", "DATE '1970-01-02'", "'2022-01-08'", "TIMESTAMP '1970-01-01 00:00:00'"],
  t: [
    "'1970-01-01'",
    "DATE '1970-01-02'",
    "TIMESTAMP '1970-01-01 23:59:59.999999'",
    "'1970-01-02 00:00:00'",
    "DATE '1970-01-01 23:59:59'",
  ],
  z: [
    "'1970-01-01'",
    "DATE '1970-01-02'",
    "TIMESTAMPTZ '1970-01-02 00:00:00+00'",
    "'1970-01-02 01:00:00+01'",
    "'1970-01-02T00:00:00Z'",
  ],
}

const column = fc.constantFrom(...columns)
const comparison = column.chain((name) => {
  const literal = fc.constantFrom(...literals[name])
  const operator = fc.constantFrom('<', '<=', '=', '>=', '>', '<>', 'IS DISTINCT FROM')
  const mayCast = name === 't' || name === 'z' ? fc.constantFrom(name, `${name}::date`) : fc.constant(name)
  const text = fc.constantFrom(
    "s LIKE 'a%'",
    "s LIKE 'a'",
    "s LIKE '_b%'",
    "s LIKE 'a_'",
    "s LIKE 'a%b'",
    "starts_with(s, 'a')",
    "s NOT LIKE 'a%'",
  )
  return fc.oneof(
    fc.tuple(mayCast, operator, literal).map((parts) => parts.join(' ')),
    fc.tuple(literal, operator, mayCast).map((parts) => parts.join(' ')),
    fc.tuple(literal, literal).map(([one, other]) => `${name} BETWEEN ${one} AND ${other}`),
    fc
      .tuple(literal, literal, fc.boolean())
      .map(([one, other, isNot]) => `${name} ${isNot ? 'NOT IN' : 'IN'} (${one}, ${other})`),
    fc.boolean().map((isNot) => `${name} IS ${isNot ? 'NOT ' : ''}NULL`),
    text,
  )
})
const { condition } = fc.letrec<{ condition: string }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3 },
    comparison,
    fc.tuple(tie('condition'), tie('condition')).map(([a, b]) => `(${a} AND ${b})`),
    fc.tuple(tie('condition'), tie('condition')).map(([a, b]) => `(${a} OR ${b})`),
    tie('condition').map((one) => `NOT (${one})`),
  ),
}))

const row = fc.record(
  Object.fromEntries(columns.map((name) => [name, fc.constantFrom(...values[name])])),
) as fc.Arbitrary<Readonly<Record<Column, Value | null>>>

/** A file of one row. */
function fileOf(one: Readonly<Record<Column, Value | null>>): DataFile {
  const bounds = new Map<number, Uint8Array>()
  const nulls = new Map<number, number>()
  const nans = new Map<number, number>()
  const counts = new Map<number, number>()
  columns.forEach((name, at) => {
    const value = one[name]
    counts.set(at + 1, 1)
    nulls.set(at + 1, value === null ? 1 : 0)
    if (name === 'd') nans.set(at + 1, Number.isNaN(value) ? 1 : 0)
    if (value !== null && !Number.isNaN(value))
      bounds.set(at + 1, toSingleValue(asPrimitive(types[name])!, value))
  })
  return {
    content: 0,
    filePath: 'f',
    fileFormat: 'PARQUET',
    specId: 0,
    partition: [],
    recordCount: 1,
    fileSizeInBytes: 1,
    valueCounts: counts,
    nullValueCounts: nulls,
    nanValueCounts: nans,
    lowerBounds: bounds,
    upperBounds: bounds,
  }
}

const sqlOf = (name: Column, value: Value | null): string => {
  const type = engineType(asPrimitive(types[name])!)
  if (value === null) return `NULL::${type}`
  switch (name) {
    case 'a':
      return `DATE '1970-01-01' + ${Number(value)}`
    case 't':
      return `make_timestamp(${String(value)})`
    case 'z':
      return `make_timestamptz(${String(value)})`
    case 'm':
      return `(${String(value)}::decimal(11, 2) / 100)::${type}`
    default:
      return `'${Object.is(value, -0) ? '-0' : String(value)}'::${type}`
  }
}

it('a row that a query sees is in a file that is read, whatever its conditions', async () => {
  const rows = fc.sample(row, { numRuns: 60, seed: 7 })
  const relation = rows.map(
    (one, at) =>
      `SELECT ${at} AS n, ${columns.map((name) => `${sqlOf(name, one[name])} AS ${identifier(name)}`).join(', ')}`,
  )
  await connection.run(`CREATE TABLE t AS ${relation.join(' UNION ALL ')}`)
  const files = rows.map(fileOf)
  let pruned = 0
  await fc.assert(
    fc.asyncProperty(condition, async (where) => {
      const reader = await connection
        .runAndReadAll(`SELECT n FROM t WHERE ${where}`)
        // A condition that has no meaning, as a date compared with a number.
        .catch(() => undefined)
      if (reader === undefined) return
      const seen = new Set(reader.getRows().map(([n]) => Number(n)))
      const wanted = bind(schema, await wantedBy(`SELECT * FROM t WHERE ${where}`))
      const outside = [...files.keys()].filter((at) => positionOf(wanted, files[at]!, []) === 'outside')
      pruned += outside.length
      expect([where, outside.filter((at) => seen.has(at))]).toEqual([where, []])
    }),
    { numRuns: 800 },
  )
  expect(pruned).toBeGreaterThan(800)
}, 60_000)

const texts = [
  '2024-09-15|2024-09-15 23:30:00|2024-09-15T23:30:00|2024-09-15 23:30:00Z|2024-09-15 23:30:00+02',
  '2024-09-15 23:30:00+00:00|2024-09-15 23:30:00-0930|2024-09-15 23:30|2024-09-15 23:59:60|2024-09-15 24:00:00',
  '2024-09-15 23:30:00.1|2024-09-15 23:30:00.123456|2024-09-15 23:30:00.1234565|9999-12-31 23:59:59.999999',
  ' 2024-09-15|2024-09-15 |2024-9-5|24-09-15|2024/09/15|2024-02-29|2023-02-29|1969-12-31|0001-01-01|0000-01-01',
  '-0001-01-01|0001-01-01 (BC)|10000-01-01|infinity|-infinity|epoch|2024-09-15abc|2024-09-15 UTC|',
  '1| 1 |1.5|1.0|1e2|-0|+1|0x10|1_000|2147483648|9223372036854775808|99999999999999999999|0.125|1.505|NaN|nan|true',
].flatMap((line) => line.split('|'))
const cases = [
  ...texts.flatMap((text) => ['', 'DATE ', 'TIMESTAMP ', 'TIMESTAMPTZ '].map((type) => `${type}'${text}'`)),
  ...texts.flatMap((text) => [`TRY_CAST('${text}' AS DATE)`, `DATE '${text}'::TIMESTAMP`]),
  ...[
    '0|1|-1|127|128|2147483648|9007199254740993|9223372036854775807|170141183460469231731687303715884105727|1::hugeint',
    '1.0|1.5|1.005|0.1|0.7|2.675|1e0|1.5e-3|1e400|-1e400|100000000.01|9999999.99|12345678.9|0.30000000000000004',
    "9007199254740993.0|9007199254740993::double|0.1::float|'1'::int|1::decimal(4, 2)|'a'::blob|true|NULL",
  ].flatMap((line) => line.split('|')),
  // What a division by a power of ten might round otherwise than the engine.
  ...Array.from({ length: 37 }, (_, zeros) => `0.${'0'.repeat(zeros)}7`),
  ...Array.from({ length: 22 }, (_, zeros) => `0.${'0'.repeat(zeros)}9007199254740991`),
]

it.each(columns)('a constant beside a column %s is what the engine compares it with', async (name) => {
  const type = asPrimitive(types[name])!
  let known = 0
  for (const text of cases) {
    const { query } = judge(await parse(connection, `SELECT 1 WHERE ${name} = ${text}`))
    const condition = query['where_clause'] as Node
    const constant = constantOf(condition['right'] as Node, type)
    if (constant === undefined) continue
    const answer = await connection
      .runAndReadAll(`SELECT c = ${text} FROM (SELECT ${sqlOf(name, constant)}) AS t(c)`)
      .then((reader) => reader.getRows()[0]![0])
      .catch(() => 'refused')
    if (answer === 'refused') continue
    expect([text, constant, answer]).toEqual([text, constant, true])
    known++
  }
  expect(known).toBeGreaterThan(5)
})

describe('conditions decide over a table', () => {
  it.each([
    ['SELECT * FROM t WHERE i = 1', true],
    ['SELECT * FROM default_ns.t AS x WHERE x.i = 1', true],
    ["SELECT * FROM t WHERE T.I = 1 AND s LIKE '%x'", true],
    ['SELECT * FROM t JOIN u ON true WHERE t.i = 1', true],
    ['SELECT (SELECT max(i) FROM t WHERE i = 1)', true],
    ['WITH x AS (SELECT * FROM t WHERE i = 1) SELECT * FROM x', true],
    ['SELECT * FROM t WHERE i = 1 UNION ALL SELECT * FROM t WHERE i = 2', true],
    ['SELECT * FROM t WHERE i = 1 UNION ALL SELECT * FROM t', false],
    ['SELECT * FROM t JOIN u ON true WHERE i = 1', false],
    ['SELECT * FROM u LEFT JOIN t ON true WHERE t.i = 1', false],
    ['SELECT * FROM u ASOF JOIN t ON u.i >= t.i WHERE t.i = 1', false],
    ['SELECT * FROM t AS x WHERE t.i = 1', false],
    ['SELECT * FROM t AS x(i2, i) WHERE i = 1', false],
    ['SELECT * FROM t TABLESAMPLE 10% WHERE i = 1', false],
    ['SELECT * FROM t WHERE i = random()', false],
    ['SELECT * FROM t WHERE nope = 1', false],
    ['SELECT * FROM (SELECT i + 1 AS i FROM t) WHERE i = 1', false],
    ['SELECT i FROM t GROUP BY i HAVING i = 1', false],
  ])('%s: %s', async (sql, decides) => {
    expect((await wantedBy(sql)).kind !== 'true').toBe(decides)
  })
})
