import { describe, expect, it } from '@jest/globals'
import { results } from '../verify/verify-lake.ts'
import { eachWithLake } from './each-with-lake.ts'
import { currentSchema } from '../../jobs/iceberg/metadata/metadata.ts'
import { dataFilesOf, load, queryFiles, queryTable, runExport, type Flags } from './lake.ts'

/** A list of every element type: NULL, empty, NULL elements, and values, also across days. */
const columns: Readonly<Record<string, { readonly type: string; readonly values: readonly string[] }>> = {
  b: { type: 'boolean[]', values: ['{t,NULL,f}', '{f}'] },
  i2: { type: 'smallint[]', values: ['{-32768,NULL,32767}', '{}'] },
  i4: { type: 'int[]', values: ['{-2147483648,2147483647}', '{NULL}', '{1,1,1,NULL,2}'] },
  i8: { type: 'bigint[]', values: ['{-9223372036854775808,9223372036854775807}', '{NULL,NULL}'] },
  f4: { type: 'real[]', values: ['{1.5,NULL,NaN,Infinity,-0}', '{1e-45}'] },
  f8: { type: 'float8[]', values: ['{5e-324,-Infinity}', '{0.1,NULL}'] },
  n9: { type: 'numeric(9,2)[]', values: ['{-9999999.99,0.01}', '{NULL,1}'] },
  n18: { type: 'numeric(18,0)[]', values: ['{-999999999999999999,1}'] },
  n38: { type: 'numeric(38,10)[]', values: ['{-9999999999999999999999999999.0000000001,NULL}'] },
  t: { type: 'text[]', values: ['{"","NULL",NULL,"a,b","ż🐘"}', '{long,"with \\"quotes\\""}'] },
  v: { type: 'varchar(10)[]', values: ['{"ten chars!"}'] },
  c: { type: 'char(3)[]', values: ['{ab,abc}'] },
  mood: { type: 'mood[]', values: ['{sad,NULL,"happy 😀"}'] },
  j: { type: 'json[]', values: ['{"{\\"a\\":  1}",NULL}'] },
  jb: { type: 'jsonb[]', values: ['{"{\\"a\\": 1}",null}'] },
  bin: { type: 'bytea[]', values: ['{"\\\\x00ff","\\\\x",NULL}'] },
  u: { type: 'uuid[]', values: ['{ffffffff-ffff-ffff-ffff-ffffffffffff,NULL}'] },
  d: { type: 'date[]', values: ['{0001-01-01,9999-12-31,NULL}'] },
  ti: { type: 'time[]', values: ['{00:00:00,23:59:59.999999}'] },
  ts: { type: 'timestamp[]', values: ['{"0001-01-01 00:00:00",NULL}'] },
  tz: { type: 'timestamptz[]', values: ['{"9999-12-31 23:59:59.999999+00"}'] },
  domains: { type: 'amount[]', values: ['{1.50,NULL}'] },
  domain: { type: 'amounts', values: ['{-1.50,NULL}', '{}'] },
}
const names = Object.keys(columns)

const { server, lake } = eachWithLake(`
  DROP DOMAIN IF EXISTS amounts, amount; DROP TYPE IF EXISTS mood; CREATE TYPE mood AS ENUM ('sad', 'happy 😀');
  CREATE DOMAIN amount AS numeric(7,2); CREATE DOMAIN amounts AS amount[];
  CREATE TABLE t (id int NOT NULL, at date, ${names.map((name) => `${name} ${columns[name]!.type}`).join(', ')});
  ${names
    .flatMap((name, at) =>
      [...columns[name]!.values, '{}'].map(
        (value, one) =>
          `INSERT INTO t (id, at, ${name}) VALUES (${10 * at + one}, date '2024-09-01' + ${at % 3}, '${value}');`,
      ),
    )
    .join('\n')}
  INSERT INTO t (id, at) VALUES (1000, '2024-09-02');
  ANALYZE t`)

/** Both sides as texts of elements, `∅` for NULL, in a list whose own NULL and emptiness show. */
const inPostgres = (name: string): string =>
  `(SELECT CASE WHEN ${name} IS NULL THEN 'NULL' ELSE '[' || coalesce((SELECT string_agg(coalesce(${elementOf(name, 'e', 0)}, '∅'), '|' ORDER BY o)
     FROM unnest(${name}) WITH ORDINALITY u(e, o)), '') || ']' END)`
const inDuckdb = (name: string): string =>
  `CASE WHEN ${name} IS NULL THEN 'NULL' ELSE '[' || coalesce(array_to_string(list_transform(${name}, lambda e: coalesce(${elementOf(name, 'e', 1)}, '∅')), '|'), '') || ']' END`

function elementOf(name: string, e: string, side: 0 | 1): string {
  if (name === 'bin') return side === 0 ? `upper(encode(${e}, 'hex'))` : `hex(${e})`
  if (name === 'c') return side === 0 ? `rpad(${e}::text, 3)` : e
  if (name === 'f4' || name === 'f8')
    return side === 0
      ? `(${e}::float8)::text`
      : `replace(replace(${e}::double::text, 'inf', 'Infinity'), 'nan', 'NaN')`
  if (name === 'ts') return side === 0 ? `to_char(${e}, 'YYYY-MM-DD')` : `strftime(${e}, '%Y-%m-%d')`
  if (name === 'tz')
    return side === 0
      ? `to_char(${e} AT TIME ZONE 'UTC', 'YYYY-MM-DD')`
      : `strftime(${e} AT TIME ZONE 'UTC', '%Y-%m-%d')`
  if (name === 'd') return side === 0 ? `to_char(${e}, 'YYYY-MM-DD')` : `strftime(${e}, '%Y-%m-%d')`
  return `${e}::text`
}
const selected = (side: (name: string) => string): string =>
  names.map((name) => `${side(name)} AS ${name}`).join(', ')
const expected = async (): Promise<string[][]> => {
  const rows = await server.query(`SELECT id::text, ${selected(inPostgres)} FROM t ORDER BY t.id`)
  return rows.map((row) => Object.values(row).map((value) => normal(String(value))))
}
/** Two programs do not write doubles alike. */
const normal = (text: string): string =>
  text
    .replace(/-?\d(\.\d+)?e[-+]?\d+/g, (number) => String(Number(number)))
    .replace(/(\d)\.0(?=[|\]])/g, '$1')
const shown = (rows: readonly (readonly (string | null)[])[]): string[][] =>
  rows.map((row) => row.map((value) => normal(String(value))))

describe('arrays as lists', () => {
  it('of every element type arrive, NULL, empty and NULL elements apart, in Iceberg and in plain Parquet', async () => {
    await runExport(server, lake, { formats: ['iceberg', 'parquet'] })
    const sql = `SELECT id::text, ${selected(inDuckdb)} FROM (SELECT * FROM FILES) f ORDER BY f.id`
    const rows = await expected()
    expect(shown(await queryTable(await load(lake), sql))).toEqual(rows)
    expect(shown(await queryFiles([`${lake.folder}/parquet/t/t.parquet`], sql))).toEqual(rows)
    for (const against of ['source', 'written'] as const) {
      const { code, found } = await results(server, lake, {
        against,
        formats: new Set(['iceberg', 'parquet']),
      })
      expect([code, found]).toEqual(['ok', { all: 'match' }])
    }
  })

  it('are carried by partitions, by days and by --lookback, and compared', async () => {
    await runExport(server, lake, { partitionBy: ['day(at)', 'bucket(3, id)'] })
    expect((await results(server, lake)).code).toBe('ok')
    const days: Flags = { scope: { mode: 'day', from: '2024-09-01', to: '2024-09-03' }, onlyChanged: true }
    expect((await runExport(server, lake, days)).tables).toMatchObject([{ unchangedDays: 3 }])
    await server.query("UPDATE t SET i4 = i4 || NULL::int WHERE i4 = '{}'")
    const { found } = await results(server, lake)
    expect(Object.values(found).sort()).toEqual(['changed', 'match', 'match'])
    expect((await runExport(server, lake, days)).tables).toMatchObject([{ unchangedDays: 2 }])
    expect((await results(server, lake, { against: 'written' })).code).toBe('ok')
    await expect(
      runExport(server, lake, { tables: ['t=default.by_list'], partitionBy: ['t'] }),
    ).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringMatching(/identity of t.*not possible for type.*list/) as unknown,
    })
  })

  it('of more than one dimension, or that begin elsewhere, are refused with their place and a way out that works', async () => {
    await server.query(
      "CREATE TABLE u (n int, a int[]); INSERT INTO u VALUES (1, '{1}'), (2, '{{1,2},{3,4}}'); ANALYZE u",
    )
    const refused = { tables: ['public.u'] }
    await expect(runExport(server, lake, refused)).rejects.toMatchObject({
      code: 'data',
      message: expect.stringMatching(
        /public\.u\.a: an array of more than one dimension.* at ctid \(0,2\).*\{\{1,2\},\{3,4\}\}/,
      ) as unknown,
      fix: expect.stringContaining('--cast a=text') as unknown,
    })
    await server.query("UPDATE u SET a = '[0:1]={5,6}' WHERE n = 2")
    await expect(runExport(server, lake, refused)).rejects.toMatchObject({ code: 'data' })
    await runExport(server, lake, { ...refused, casts: { a: 'text' } })
    expect(await queryTable(await load(lake, 'u'), 'SELECT n, a FROM FILES ORDER BY n')).toEqual([
      ['1', '{1}'],
      ['2', '[0:1]={5,6}'],
    ])
    expect((await results(server, lake, { tables: ['public.u'] })).found).toEqual({ all: 'match' })
  })

  it('elements that the lake cannot hold are refused, as values are', async () => {
    await server.query(
      "CREATE TABLE u (a date[]); INSERT INTO u VALUES ('{2024-01-01}'), ('{NULL,infinity}'); ANALYZE u",
    )
    await expect(runExport(server, lake, { tables: ['public.u'] })).rejects.toMatchObject({
      code: 'data',
      message: expect.stringMatching(/u\.a: infinity, or a year outside 1–9999 at ctid \(0,2\)/) as unknown,
    })
  })

  it('follow the source: a new list, wider elements; what is a list there and text here is refused with the cast that helps', async () => {
    const tables = ['public.u']
    await server.query(
      "CREATE TABLE u (n int, a int[], s text); INSERT INTO u VALUES (1, '{1,NULL}', '{x,NULL}'); ANALYZE u",
    )
    await runExport(server, lake, { tables })
    await server.query(
      "ALTER TABLE u ADD more text[], ALTER a TYPE bigint[]; UPDATE u SET more = '{x}', a = a || 5000000000; ANALYZE u",
    )
    await runExport(server, lake, { tables, formats: ['iceberg'] })
    const { metadata } = await load(lake, 'u')
    expect(currentSchema(metadata).fields.map(({ id, type }) => [id, type])).toEqual([
      [1, 'int'],
      [2, { type: 'list', 'element-id': 4, element: 'long', 'element-required': false }],
      [3, 'string'],
      [5, { type: 'list', 'element-id': 6, element: 'string', 'element-required': false }],
    ])
    expect(metadata['last-column-id']).toBe(6)
    expect((await results(server, lake, { tables })).found).toEqual({ all: 'match' })
    await server.query('ALTER TABLE u ALTER a TYPE int[] USING NULL; ANALYZE u')
    await runExport(server, lake, { tables })
    await server.query(
      'ALTER TABLE u ALTER a TYPE text USING a::text, ALTER s TYPE text[] USING s::text[]; ANALYZE u',
    )
    await expect(runExport(server, lake, { tables })).rejects.toMatchObject({
      code: 'data',
      message: expect.stringMatching(
        /a is list<long> in the table and string in the source; s is string.*list<string>/,
      ) as unknown,
      fix: expect.stringMatching(/--cast 'a=bigint\[\]', --cast 's=text'/) as unknown,
    })
    await runExport(server, lake, { tables, casts: { a: 'bigint[]', s: 'text' } })
    expect((await results(server, lake, { tables })).found).toEqual({ all: 'match' })
  })

  it('a partition of old files is read with the new type: verify finds both', async () => {
    await server.query(
      "CREATE TABLE u (at date, a int[]); INSERT INTO u VALUES ('2024-09-01', '{1,NULL}'), ('2024-09-02', '{}'); ANALYZE u",
    )
    const tables = ['public.u']
    await runExport(server, lake, { tables, partitionBy: ['day(at)'] })
    await server.query(
      "ALTER TABLE u ALTER a TYPE bigint[], ADD b text[]; UPDATE u SET b = '{x}' WHERE at = '2024-09-02'; ANALYZE u",
    )
    await runExport(server, lake, { tables, scope: { mode: 'day', from: '2024-09-02', to: '2024-09-02' } })
    const { found } = await results(server, lake, { tables })
    expect(found).toEqual({ '2024-09-01': 'match', '2024-09-02': 'match' })
  })

  it('--deep names what differs in them', async () => {
    await runExport(server, lake)
    await server.query("ALTER TABLE t ADD PRIMARY KEY (id); UPDATE t SET t = '{b,NULL}' WHERE id = 91")
    const { table } = await results(server, lake, { deep: true })
    const [interval] = table.verified!.intervals
    expect(interval).toMatchObject({
      result: 'changed',
      rowsThatDiffer: [
        {
          kind: 'changed',
          row: { id: '91' },
          columns: { t: { lake: '["long", "with \\"quotes\\""]', source: '["b", NULL]' } },
        },
      ],
    })
  })

  it('metrics are of the elements, by their ids, without bounds', async () => {
    await server.query(
      "CREATE TABLE u (n int, a int[]); INSERT INTO u VALUES (1, '{1,NULL,3}'), (2, NULL), (3, '{}'); ANALYZE u",
    )
    await runExport(server, lake, { tables: ['public.u'] })
    const [file] = await dataFilesOf(await load(lake, 'u'))
    expect([...file!.valueCounts!]).toEqual([
      [1, 3],
      [3, 5],
    ])
    expect([...file!.nullValueCounts!]).toEqual([
      [1, 0],
      [3, 3],
    ])
    expect([...file!.lowerBounds!.keys()]).toEqual([1])
    expect([...file!.columnSizes!.keys()]).toEqual([1, 3])
  })
})
