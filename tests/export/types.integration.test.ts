import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { load, openLake, queryFiles, queryTable, runExport, type TestLake } from './lake.ts'

let server: TestPostgres
let lake: TestLake
beforeAll(async () => {
  server = await startPostgres()
  lake = await openLake(server)
}, 60_000)
afterAll(async () => {
  await lake.close()
  await server.stop()
})

/** `@` as text that is the same from PostgreSQL and from DuckDB. */
const texts = {
  instant: [
    `to_char(@ AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US')`,
    `strftime(@ AT TIME ZONE 'UTC', '%Y-%m-%d %H:%M:%S.%f')`,
  ],
  local: [`to_char(@, 'YYYY-MM-DD HH24:MI:SS.US')`, `strftime(@, '%Y-%m-%d %H:%M:%S.%f')`],
  date: [`to_char(@, 'YYYY-MM-DD')`, `strftime(@, '%Y-%m-%d')`],
  time: [`to_char(@, 'HH24:MI:SS.US')`, `strftime(DATE '2000-01-01' + @, '%H:%M:%S.%f')`],
  bytes: [`upper(encode(@, 'hex'))`, 'hex(@)'],
  padded: [`upper(encode(bpcharsend(@), 'hex'))`, 'hex(@)'],
  text: ['@::text', '@::text'],
  fraction: ['@::text', `replace(@::text, '.', '0.')`],
  float: ['@::float8::text', '@::double::text'],
} as const

interface Column {
  readonly name: string
  readonly type: string
  readonly values: readonly string[]
  readonly as: keyof typeof texts
}

const column = (
  name: string,
  type: string,
  values: readonly string[],
  as: Column['as'] = 'text',
): Column => ({ name, type, values, as })

const columns: readonly Column[] = [
  column('b', 'boolean', ['true', 'false']),
  column('i2', 'smallint', ['-32768', '32767', '0']),
  column('i4', 'integer', ['-2147483648', '2147483647', '0']),
  column('i8', 'bigint', ['-9223372036854775808', '9223372036854775807', '-1']),
  column('f4', 'real', ["'1.5'", "'-3.4028235e38'", "'1e-45'", "'Infinity'", "'-Infinity'"], 'float'),
  column('f8', 'float8', ["'1.7976931348623157e308'", "'5e-324'", "'Infinity'", "'-0.1'"], 'float'),
  column('n9', 'numeric(9,2)', ['-9999999.99', '9999999.99', '0.01']),
  column('n18', 'numeric(18,0)', ['-999999999999999999', '999999999999999999']),
  column('n38', 'numeric(38,10)', [`-${'9'.repeat(28)}.${'9'.repeat(10)}`, '0.0000000001']),
  column('neg', 'numeric(3,-2)', ['-99900', '12300']),
  column('frac', 'numeric(2,5)', ['0.00099', '-0.00001'], 'fraction'),
  column('t', 'text', ["''", "'Zażółć 🐘 漢字'", "E'a\\nb\\t\\\\'", "repeat('x', 100000)", "'NULL'"]),
  column('v', 'varchar(10)', ["'ten chars!'", "''"]),
  column('c', 'char(5)', ["'ab'", "'abcde'"], 'padded'),
  column('mood', 'mood', ["'sad'", "'happy 😀'"]),
  column('j', 'json', [`'{"b": 1,  "a": [1, null]}'`, "'null'"]),
  column('jb', 'jsonb', [`'{"b": 1,  "a": [1, null]}'`, `'"text"'`]),
  column('by', 'bytea', ["'\\x'", "'\\x00ff10'", "decode(repeat('00', 5000), 'hex')"], 'bytes'),
  column('u', 'uuid', ["'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"]),
  column('d', 'date', ["'0001-01-01'", "'9999-12-31'", "'1970-01-01'", "'1969-12-31'"], 'date'),
  column('ti', 'time', ["'00:00:00'", "'23:59:59.999999'"], 'time'),
  column('ts', 'timestamp', ["'0001-01-01 00:00:00'", "'9999-12-31 23:59:59.999999'"], 'local'),
  column(
    'tz',
    'timestamptz',
    ["'0001-01-01 00:00:00+00'", "'9999-12-31 23:59:59.999999+00'", "'2024-03-31 02:30:00.000001+05:30'"],
    'instant',
  ),
  column('pos', 'positive', ['1', '2147483647']),
  column('money_like', 'amount', ['-99999.99', '0.10']),
]

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** One row per value with NULL elsewhere, one of NULLs, and all first values together. */
async function allTypes(name: string): Promise<void> {
  const list = columns.map(({ name: one, type }) => `${quoted(one)} ${type}`).join(', ')
  await server.query(`CREATE TABLE ${name} (id int, ${list})`)
  let id = 0
  for (const { name: one, values } of columns) {
    for (const value of values) {
      await server.query(`INSERT INTO ${name} (id, ${quoted(one)}) VALUES (${++id}, ${value})`)
    }
  }
  await server.query(`INSERT INTO ${name} (id) VALUES (${++id})`)
  const first = columns.map(({ values }) => values[0]!).join(', ')
  await server.query(`INSERT INTO ${name} VALUES (${++id}, ${first})`)
  await server.query(`ANALYZE ${name}`)
}

const select = (side: 0 | 1): string =>
  columns.map(({ name, as }, i) => `${texts[as][side].replaceAll('@', quoted(name))} AS c${i}`).join(', ')

type Rows = readonly (readonly (string | null)[])[]

/** Two programs never write doubles alike: the numbers they stand for are compared. */
const comparable = (rows: Rows): Rows =>
  rows.map((row) =>
    row.map((value, i) =>
      value === null || columns[i]!.as !== 'float'
        ? value
        : String(Number(value.replace(/^(-?)inf$/, '$1Infinity'))),
    ),
  )

async function inPostgres(sql: string): Promise<Rows> {
  const rows = await server.query(sql)
  return comparable(
    rows.map((row) =>
      Object.values(row).map((value) => (value === null ? null : String(value as string | number | bigint))),
    ),
  )
}

const exported = async (name = 't'): Promise<Rows> =>
  comparable(await queryTable(await load(lake, name), `SELECT ${select(1)} FROM FILES ORDER BY id`))

describe('every type', () => {
  beforeAll(async () => {
    await server.query(`
      CREATE TYPE mood AS ENUM ('sad', 'happy 😀');
      CREATE DOMAIN positive AS int CHECK (VALUE > 0);
      CREATE DOMAIN base AS numeric(7,2); CREATE DOMAIN amount AS base`)
    await allTypes('t')
    await runExport(server, lake, { formats: ['iceberg', 'parquet'] })
  })
  it('arrives in the Iceberg table, value by value', async () => {
    const expected = await inPostgres(`SELECT ${select(0)} FROM t ORDER BY id`)
    expect(expected).toHaveLength(columns.reduce((sum, { values }) => sum + values.length, 2))
    expect(await exported()).toEqual(expected)
  })

  it('arrives in plain Parquet, the same', async () => {
    const file = `${lake.folder}/parquet/t/t.parquet`
    const plain = await queryFiles([file], `SELECT ${select(1)} FROM FILES ORDER BY id`)
    expect(comparable(plain)).toEqual(await exported())
  })

  it('has the Iceberg type of the contract', async () => {
    const { metadata } = await load(lake)
    expect(Object.fromEntries(metadata.schemas[0]!.fields.map(({ name, type }) => [name, type]))).toEqual({
      id: 'int',
      b: 'boolean',
      i2: 'int',
      i4: 'int',
      i8: 'long',
      f4: 'float',
      f8: 'double',
      n9: 'decimal(9, 2)',
      n18: 'decimal(18, 0)',
      n38: 'decimal(38, 10)',
      neg: 'decimal(5, 0)',
      frac: 'decimal(5, 5)',
      t: 'string',
      v: 'string',
      c: 'string',
      mood: 'string',
      j: 'string',
      jb: 'string',
      by: 'binary',
      u: 'uuid',
      d: 'date',
      ti: 'time',
      ts: 'timestamp',
      tz: 'timestamptz',
      pos: 'int',
      money_like: 'decimal(7, 2)',
    })
  })

  it.each([
    'day(tz)',
    'hour(ts)',
    'month(d)',
    'year(tz)',
    'bucket(4, t)',
    'truncate(2, n9)',
    'i8',
    'mood',
    'by',
  ])('partitioned by %s loses and changes nothing', async (expression) => {
    await runExport(server, lake, { tables: ['t=default.parts'], partitionBy: [expression] })
    expect(await exported('parts')).toEqual(await exported())
  })
})
