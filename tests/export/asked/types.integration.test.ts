import { describe, expect, it } from '@jest/globals'
import type { JobError } from '../../../jobs/errors.ts'
import { currentSchema, snapshotById } from '../../../jobs/iceberg/metadata/metadata.ts'
import { results } from '../../verify/verify-lake.ts'
import { eachWithLake } from '../each-with-lake.ts'
import { currentSnapshot, load, queryTable, runExport, type Flags } from '../lake.ts'

const { server, lake } = eachWithLake('')

const run = (flags: Flags = {}): ReturnType<typeof runExport> => runExport(server, lake, flags)
const failure = (flags: Flags = {}): Promise<JobError> =>
  run(flags).then(
    () => {
      throw new Error('it was exported')
    },
    (error: unknown) => error as JobError,
  )
const column = async (name = 'v'): Promise<(string | null)[]> =>
  (await queryTable(await load(lake), `SELECT "${name}"::text FROM FILES ORDER BY id`)).map(
    ([value]) => value!,
  )
const typeOf = async (name = 'v'): Promise<unknown> =>
  currentSchema((await load(lake)).metadata).fields.find((field) => field.name === name)?.type

describe('types that the lake has not', () => {
  it.each([
    ['name', 'a name', 'a name'],
    ['inet', '10.0.0.1/8', '10.0.0.1/8'],
    ['cidr', '10.0.0.0/8', '10.0.0.0/8'],
    ['macaddr', '08:00:2b:01:02:03', '08:00:2b:01:02:03'],
    ['interval', '1 year 2 days 03:04:05.6', 'P1Y2DT3H4M5.6S'],
    ['timetz', '12:00:00.5+02', '12:00:00.5+02'],
    ['bit(3)', '101', '101'],
    ['varbit', '', ''],
    ['tsvector', 'a fat cat', "'a' 'cat' 'fat'"],
    ['int4range', '[1,5]', '[1,6)'],
    ['tstzrange', '[2024-09-16 12:00+02,)', '["2024-09-16 10:00:00+00",)'],
    ['point', '(1.5,2)', '(1.5,2)'],
    ['oid', '4294967295', '4294967295'],
    ['inet[]', '{10.0.0.1,NULL}', '[10.0.0.1/32, NULL]'],
    ['pg_lsn', '16/B374D848', '16/B374D848'],
  ])('%s is text without a flag, named in plan and summary, and verify agrees', async (type, value, text) => {
    await server.query(
      `CREATE TABLE t (id int, v ${type}); INSERT INTO t VALUES (1, '${value}'), (2, NULL); ANALYZE t`,
    )
    const plan = await run({ dryRun: true })
    const readAs = type.endsWith('[]') ? 'text[]' : 'text'
    expect(plan.tables?.[0]?.plan).toMatchObject({ columns: [{ name: 'id' }, { name: 'v', readAs }] })
    expect((await run()).tables).toMatchObject([{ status: 'ok', asText: ['v'] }])
    expect(await column()).toEqual([text, null])
    expect(currentSnapshot(await load(lake)).summary['lakejobs.read']).toBe(`{"casts":{"2":"${readAs}"}}`)
    expect(await results(server, lake, { strict: true })).toMatchObject({
      code: 'ok',
      found: { all: 'match' },
    })
    // The flag means the same.
    const flag = await run({ casts: { v: readAs }, onlyChanged: true })
    expect(flag.tables).toMatchObject([{ status: 'unchanged' }])
  })

  it('what depends on the server’s locale or the search path, and rows, stay refused', async () => {
    await server.query(`DROP TYPE IF EXISTS pair; CREATE TYPE pair AS (a int, b int); DROP TYPE IF EXISTS fees;
      CREATE TYPE fees AS RANGE (subtype = money);
      CREATE TABLE t (id int, m money, r regclass, p pair, f fees, ms money[])`)
    const { code, message } = await failure()
    expect([code, message.match(/public\.t\.\w+/g)]).toEqual([
      'data',
      ['public.t.m', 'public.t.r', 'public.t.p', 'public.t.f', 'public.t.ms'],
    ])
    await server.query('DROP TABLE t; DROP TYPE fees; DROP TYPE pair')
  })
})

describe('--out-of-range', () => {
  const beyond: readonly (readonly [string, string, string, string | null])[] = [
    ['timestamp', 'infinity', '2024-01-01 00:00:00', '9999-12-31 23:59:59.999999'],
    ['timestamptz', '-infinity', '2024-01-01 00:00:00+00', '0001-01-01 00:00:00+00'],
    ['timestamp', '0044-03-15 00:00:00 BC', '2024-01-01 00:00:00', '0001-01-01 00:00:00'],
    ['date', '10000-01-01', '9999-12-31', '9999-12-31'],
    ['numeric(5,2)', 'NaN', '1.50', null],
  ]
  it.each(beyond)(
    '%s %s becomes NULL or the nearest value, and is counted',
    async (type, value, other, nearest) => {
      await server.query(`CREATE TABLE t (id int, v ${type} NOT NULL);
      INSERT INTO t VALUES (1, '${value}'), (2, '${other}'); ANALYZE t`)
      const refused = await failure()
      expect(refused).toMatchObject({ code: 'data', field: 'public.t.v' })
      expect(refused.fix).toContain('--out-of-range null or clamp')
      const ended = await run({ outOfRange: 'null', required: true })
      expect(ended.tables).toMatchObject([{ status: 'ok', changedValues: { v: 1 } }])
      expect(await column()).toEqual([null, other])
      expect(await results(server, lake, { strict: true })).toMatchObject({
        code: 'ok',
        found: { all: 'match' },
      })
      expect((await run({ outOfRange: 'null', onlyChanged: true })).tables).toMatchObject([
        { status: 'unchanged' },
      ])
      const clamped = await run({ outOfRange: 'clamp', onlyChanged: true })
      expect(clamped.tables).toMatchObject([{ status: 'ok', changedValues: { v: 1 } }])
      expect(await column()).toEqual([nearest, other])
      expect(await results(server, lake, { strict: true })).toMatchObject({
        code: 'ok',
        found: { all: 'match' },
      })
    },
  )

  it.each([
    ['timestamptz', true],
    ['timestamp', false],
    ['date', true],
    ['date', false],
  ])('the first and the last day have what becomes theirs: %s, indexed: %s', async (type, indexed) => {
    const values = ['-infinity', '0044-03-15 BC', '0001-01-01', '2024-09-16', '9999-12-31', '10000-01-01']
    await server.query(`SET timezone = 'UTC'; CREATE TABLE t (id serial, v ${type}); INSERT INTO t (v) SELECT v::${type} FROM
      unnest(ARRAY['${values.join("', '")}', 'infinity', NULL]) v; ${indexed ? 'CREATE INDEX ON t (v);' : ''} ANALYZE t`)
    const flags: Flags = { outOfRange: 'clamp', formats: ['iceberg', 'parquet'] }
    await run({ ...flags, formats: ['iceberg'], partitionBy: ['day(v)'] })
    const all = await column()
    const day = async (from: string, to = from): Promise<number | undefined> =>
      (await run({ ...flags, scope: { mode: 'day', from, to } })).rows
    expect([await day('0001-01-01'), await day('2024-09-16'), await day('9999-12-31')]).toEqual([3, 1, 3])
    expect(await column()).toEqual(all)
    const verified = await results(server, lake, { days: { from: '9999-12-31', to: '9999-12-31' } })
    expect(verified).toMatchObject({ code: 'ok', found: { '9999-12-31': 'match' } })
  })

  it('of decimals without precision infinity is the most that they hold; more digits stay a fault', async () => {
    await server.query(`CREATE TABLE t (id int, v numeric);
      INSERT INTO t VALUES (1, 'Infinity'), (2, '-Infinity'), (3, 'NaN'), (4, 1.25); ANALYZE t`)
    const decimals = { v: { precision: 5, scale: 2 } }
    await run({ outOfRange: 'clamp', decimals })
    expect(await column()).toEqual(['999.99', '-999.99', null, '1.25'])
    await server.query('INSERT INTO t VALUES (5, 1000)')
    const refused = await failure({ outOfRange: 'clamp', decimals })
    expect(refused).toMatchObject({ code: 'data' })
    expect(refused.fix).not.toContain('--lossy-cast')
  })

  it('a table without such types is read as before', async () => {
    await server.query(`CREATE TABLE t (id int, v text); INSERT INTO t VALUES (1, 'a'); ANALYZE t`)
    await run()
    const again = await run({ outOfRange: 'null', onlyChanged: true })
    expect(again.tables).toMatchObject([{ status: 'unchanged' }])
  })
})

describe('--replace-table', () => {
  it('makes columns anew whose type cannot follow; the name stays and old snapshots read as before', async () => {
    await server.query(`CREATE TABLE t (id int, v int, w text); INSERT INTO t VALUES (1, 7, 'x'); ANALYZE t`)
    await run()
    const before = await load(lake)
    await server.query(`ALTER TABLE t ALTER v TYPE text USING 'seven'; ANALYZE t`)
    const refused = await failure()
    expect(refused).toMatchObject({ code: 'data' })
    expect(refused.fix).toContain('--mode full --replace-table')
    const { tables } = await run({ replaceTable: true })
    expect(tables).toMatchObject([
      { status: 'ok', changes: ['drop column v int, which is made anew', 'add column v string'] },
    ])
    expect([await typeOf(), await column()]).toEqual(['string', ['seven']])
    const { metadata } = await load(lake)
    expect(metadata['table-uuid']).toBe(before.metadata['table-uuid'])
    expect(currentSchema(metadata).fields.map(({ id, name }) => [id, name])).toEqual([
      [1, 'id'],
      [3, 'w'],
      [4, 'v'],
    ])
    const old = snapshotById(metadata, currentSnapshot(before)['snapshot-id'])!
    expect(
      metadata.schemas.find((schema) => schema['schema-id'] === old['schema-id'])?.fields[1],
    ).toMatchObject({
      id: 2,
      type: 'int',
    })
    expect(await results(server, lake, { strict: true })).toMatchObject({
      code: 'ok',
      found: { all: 'match' },
    })
    expect((await run({ replaceTable: true, onlyChanged: true })).tables).toMatchObject([
      { status: 'unchanged' },
    ])
  })

  it('refuses what partitions the table', async () => {
    await server.query(`CREATE TABLE t (id int, v int); INSERT INTO t VALUES (1, 7); ANALYZE t`)
    await run({ partitionBy: ['bucket(4, v)'] })
    await server.query(`ALTER TABLE t ALTER v TYPE text USING '7'; ANALYZE t`)
    const { fix } = await failure()
    expect(fix).not.toContain('--replace-table')
    expect(fix).toContain(`--cast 'v=integer'`)
    expect(fix).toContain('export to a new table')
    await run({ casts: { v: 'integer' } })
    expect(await failure({ replaceTable: true })).toMatchObject({ code: 'usage', field: '--replace-table' })
  })
})
