import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import type { PostgresSettings } from '../../jobs/postgres/connection/settings.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { columnOf, open, readAll, readTable, rowCount } from './read-source.ts'

let server: TestPostgres
let reader: PostgresSettings
const clients: pg.Client[] = []
beforeAll(async () => {
  server = await startPostgres({ autovacuum: 'off' })
  await server.query(`CREATE ROLE reader LOGIN PASSWORD 'r';
    CREATE TABLE t (a int, b text, secret text, at timestamptz);
    INSERT INTO t SELECT i, 'b' || i, 'x', '2024-09-16' FROM generate_series(1, 5000) i;
    GRANT SELECT (a, b) ON t TO reader`)
  reader = { ...server, user: 'reader', password: 'r' }
}, 30_000)
afterAll(async () => {
  for (const client of clients) await client.end()
  await server.stop()
})

async function session(): Promise<pg.Client> {
  const { host, port, user, password, database } = server
  const client = new pg.Client({ host, port, user, password, database })
  client.on('error', () => undefined)
  await client.connect()
  clients.push(client)
  return client
}

const t = { schema: 'public', name: 't' }
const granted = { table: t, columns: ['b', 'a'] }

/** Resolves once a session waits for a lock. */
async function waiting(): Promise<void> {
  while ((await server.query('SELECT FROM pg_locks WHERE NOT granted')).length === 0)
    await new Promise((resolve) => setTimeout(resolve, 5))
}

describe('a role that may read some columns', () => {
  it('reads these', async () => {
    const { plan, groups } = await readTable(reader, granted)
    expect(plan.columns.map(({ name }) => name)).toEqual(['b', 'a'])
    expect(columnOf(groups, 0, String).slice(0, 2)).toEqual(['b1', 'b2'])
    expect(rowCount(groups)).toBe(5000)
  })

  it('and is told of every other one, with flags that work', async () => {
    await expect(open(reader, { table: t })).rejects.toMatchObject({
      code: 'usage',
      message: 'the role may not read column public.t.secret; the role may not read column public.t.at',
      fix: expect.stringContaining('--columns a,b') as unknown,
    })
    await expect(
      open(reader, { ...granted, days: { column: 'at', days: ['2024-09-16'] } }),
    ).rejects.toMatchObject({ code: 'usage', message: 'the role may not read column public.t.at' })
  })

  it('whatever they are called, as a shell and a list of names take them', async () => {
    await server.query(`CREATE TABLE odd ("it's" int, "a,b" int, secret int);
      GRANT SELECT ("it's", "a,b") ON odd TO ${reader.user}`)
    await expect(open(reader, { table: { schema: 'public', name: 'odd' } })).rejects.toMatchObject({
      fix: expect.stringContaining(`--columns 'it'\\''s,"a,b"'`) as unknown,
    })
  })

  it('of a partitioned table and of a view, too', async () => {
    await server.query(`CREATE TABLE parts (a int, secret int) PARTITION BY RANGE (a);
      CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (10); INSERT INTO parts VALUES (1, 2);
      CREATE VIEW seen AS SELECT * FROM t; GRANT SELECT (a) ON parts, seen TO reader`)
    const columns = ['a']
    const parts = await readTable(reader, { table: { schema: 'public', name: 'parts' }, columns })
    expect(rowCount(parts.groups)).toBe(1)
    const seen = await readTable(reader, { table: { schema: 'public', name: 'seen' }, columns })
    expect(rowCount(seen.groups)).toBe(5000)
  })

  it('a value is refused where it can be found', async () => {
    await server.query(`CREATE TABLE days (d date, secret int); INSERT INTO days VALUES ('2024-09-16'), ('infinity');
      GRANT SELECT (d) ON days TO reader`)
    const request = { table: { schema: 'public', name: 'days' }, columns: ['d'] }
    await expect(readTable(reader, request)).rejects.toMatchObject({
      message: 'public.days.d: infinity, or a year outside 1–9999 at row 2 of ONLY "public"."days"',
    })
  })
})

describe('what LOCK TABLE does not take is held from before the snapshot', () => {
  it('a TRUNCATE that comes first is waited for', async () => {
    await server.query(`CREATE TABLE first AS SELECT 1 AS a, 2 AS b; GRANT SELECT (a) ON first TO reader`)
    const other = await session()
    await other.query('BEGIN; TRUNCATE first')
    const opening = open(reader, { table: { schema: 'public', name: 'first' }, columns: ['a'] })
    await waiting()
    await other.query('INSERT INTO first VALUES (42, 0); COMMIT')
    const { source, plan } = await opening
    expect(columnOf(await readAll(source, plan), 0, (value) => value.readInt32LE())).toEqual([42])
    await source.close()
  })

  it.each([
    ['TABLE', 'TRUNCATE held'],
    ['MATERIALIZED VIEW', 'REFRESH MATERIALIZED VIEW held'],
  ])('a %s is held until the source is closed', async (kind, statement) => {
    await server.query(`CREATE ${kind} held AS SELECT 1 AS a, 2 AS b; GRANT SELECT (a) ON held TO reader`)
    const { source } = await open(reader, { table: { schema: 'public', name: 'held' }, columns: ['a'] })
    const other = await session()
    const truncated = other.query(statement)
    await waiting()
    await source.close()
    await truncated
    await server.query(`DROP ${kind} held`)
    expect(await server.query(`SELECT FROM pg_stat_activity WHERE usename = 'reader'`)).toEqual([])
  })

  it('a lock that is not had in time is an error with its table', async () => {
    const other = await session()
    await other.query('BEGIN; LOCK TABLE t')
    await expect(open(reader, granted, { lockTimeoutMs: 50 })).rejects.toMatchObject({
      message: 'public.t is locked by another transaction',
    })
    await other.query('ROLLBACK')
  })
})

describe('what no retry mends is exit 3 or 2, with its remedy', () => {
  it('a materialized view without rows', async () => {
    await server.query('CREATE MATERIALIZED VIEW empty AS SELECT 1 AS a WITH NO DATA')
    await expect(open(server, 'empty')).rejects.toMatchObject({
      code: 'data',
      field: 'public.empty',
      fix: expect.stringContaining('REFRESH MATERIALIZED VIEW') as unknown,
    })
    await server.query('REFRESH MATERIALIZED VIEW empty')
    expect(rowCount((await readTable(server, 'empty')).groups)).toBe(1)
  })

  it.each([
    ['a column that is gone behind a function', `'SELECT gone FROM t'`],
    ['a table that is gone behind it', `'SELECT a FROM gone'`],
    ['more than one row', `'SELECT 1', (SELECT a FROM t)`],
  ])('%s', async (_, select) => {
    await server.query(`CREATE OR REPLACE FUNCTION ask(sql text, more int DEFAULT 0) RETURNS int LANGUAGE plpgsql
        AS $$ DECLARE found int; BEGIN EXECUTE sql INTO found; RETURN found; END $$;
      CREATE OR REPLACE VIEW broken AS SELECT ask(${select}) AS a FROM t`)
    await expect(readTable(server, 'broken')).rejects.toMatchObject({
      code: select.includes('FROM gone') ? 'usage' : 'data',
      field: 'public.broken',
    })
    await server.query('DROP VIEW broken')
  })

  it('policies behind a security_invoker view are named as what they are, before anything is read', async () => {
    await server.query(`CREATE TABLE mine (a int); ALTER TABLE mine ENABLE ROW LEVEL SECURITY;
      CREATE VIEW invoked WITH (security_invoker = true) AS SELECT * FROM mine; GRANT SELECT ON mine, invoked TO reader`)
    await expect(open(reader, 'invoked')).rejects.toMatchObject({
      code: 'usage',
      fix: expect.stringContaining('--row-security') as unknown,
    })
    expect(rowCount((await readTable(reader, 'invoked', { rowSecurity: true })).groups)).toBe(0)
  })
})
