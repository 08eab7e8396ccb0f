import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import pg from 'pg'
import type { TableRequest } from '../../jobs/postgres/source/plan.ts'
import type { PostgresSettings } from '../../jobs/postgres/connection/settings.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { columnOf, open, readAll, readTable } from './read-source.ts'

let server: TestPostgres
type Login = PostgresSettings & { readonly password: string }
let reader: Login
const clients: pg.Client[] = []
beforeAll(async () => {
  server = await startPostgres({ autovacuum: 'off' })
  await server.query(`CREATE ROLE reader LOGIN PASSWORD 'r'`)
  reader = { ...server, user: 'reader', password: 'r' }
}, 30_000)
afterAll(async () => {
  for (const client of clients) await client.end()
  await server.stop()
})

async function session(settings: Login): Promise<pg.Client> {
  const { host, port, user, password, database } = settings
  const client = new pg.Client({ host, port, user, password, database })
  client.on('error', () => undefined)
  await client.connect()
  clients.push(client)
  return client
}

/** What a SELECT through the table gives to that role, and what the export reads: the column `n` of each. */
async function both(
  settings: Login,
  table: string | TableRequest,
  name: string,
): Promise<{ selected: number[]; read: number[]; ranges: number }> {
  const client = await session(settings)
  const { rows } = await client.query<{ n: number }>(`SELECT n FROM ${name} ORDER BY n`)
  const { plan, groups } = await readTable(settings, table)
  return {
    selected: rows.map(({ n }) => n),
    read: columnOf(groups, 0, (value) => value.readInt32LE())
      .map(Number)
      .sort((a, b) => a - b),
    ranges: plan.ranges.length,
  }
}

/** 0 … 9 in one partition, 10 … 19 in another. */
const partitions = (name: string): string => `CREATE TABLE ${name} (n int) PARTITION BY RANGE (n);
  CREATE TABLE ${name}_low PARTITION OF ${name} FOR VALUES FROM (0) TO (10);
  CREATE TABLE ${name}_high PARTITION OF ${name} FOR VALUES FROM (10) TO (20);
  INSERT INTO ${name} SELECT generate_series(0, 19); GRANT SELECT ON ${name}, ${name}_low, ${name}_high TO reader`

/** DETACH … CONCURRENTLY marks the partition, waits for whoever holds the table, and is cancelled there. */
async function detachUntilMarked(table: string, partition: string): Promise<void> {
  const holder = await session(server)
  await holder.query(`BEGIN; SELECT FROM ${table} LIMIT 1`)
  const detacher = await session(server)
  const [{ pid }] = (await detacher.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows as [
    { pid: number },
  ]
  const detaching = detacher
    .query(`ALTER TABLE ${table} DETACH PARTITION ${partition} CONCURRENTLY`)
    .catch((error: unknown) => error)
  const marked = async (): Promise<boolean> =>
    (
      await server.query(`SELECT FROM pg_inherits WHERE inhrelid = $1::regclass AND inhdetachpending`, [
        partition,
      ])
    ).length > 0
  while (!(await marked())) await new Promise((resolve) => setTimeout(resolve, 5))
  await server.query('SELECT pg_cancel_backend($1)', [pid])
  expect(await detaching).toMatchObject({ code: '57014' })
  await holder.query('ROLLBACK')
}

const low = Array.from({ length: 10 }, (_, n) => n)
const all = Array.from({ length: 20 }, (_, n) => n)

describe('a partition that is being detached', () => {
  it('is not read, as a SELECT does not', async () => {
    await server.query(partitions('det'))
    await detachUntilMarked('det', 'det_high')
    expect(await both(server, 'det', 'det')).toEqual({ selected: low, read: low, ranges: 1 })
    expect((await both(server, 'det_high', 'det_high')).read).toEqual(all.slice(10))
  })

  it('nor are its own partitions', async () => {
    await server.query(`CREATE TABLE deep (n int) PARTITION BY RANGE (n);
      CREATE TABLE deep_low PARTITION OF deep FOR VALUES FROM (0) TO (10);
      CREATE TABLE deep_high PARTITION OF deep FOR VALUES FROM (10) TO (20) PARTITION BY RANGE (n);
      CREATE TABLE deep_highest PARTITION OF deep_high FOR VALUES FROM (10) TO (20);
      INSERT INTO deep SELECT generate_series(0, 19)`)
    await detachUntilMarked('deep', 'deep_high')
    expect(await both(server, 'deep', 'deep')).toEqual({ selected: low, read: low, ranges: 1 })
  })

  it('is read by the instant before it was marked', async () => {
    await server.query(partitions('later'))
    const { source, plan } = await open(server, 'later')
    await detachUntilMarked('later', 'later_high')
    const groups = await readAll(source, plan)
    await source.close()
    const read = columnOf(groups, 0, (value) => value.readInt32LE()).map(Number)
    expect(read.sort((a, b) => a - b)).toEqual(all)
    expect((await both(server, 'later', 'later')).read).toEqual(low)
  })
})

describe('what applies to a leaf does not apply through its parent', () => {
  it('row-level security', async () => {
    await server.query(`${partitions('secured')};
      ALTER TABLE secured_high ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON secured_high USING (n < 12)`)
    expect(await both(reader, 'secured', 'secured')).toEqual({ selected: all, read: all, ranges: 1 })
    expect((await both(server, 'secured', 'secured')).ranges).toBe(2)
  })

  it('row-level security of a child, when the parent’s policies are allowed', async () => {
    await server.query(`CREATE TABLE elder (n int); CREATE TABLE younger () INHERITS (elder);
      INSERT INTO elder VALUES (1), (2); INSERT INTO younger VALUES (3), (4);
      GRANT SELECT ON elder, younger TO reader; ALTER TABLE younger ENABLE ROW LEVEL SECURITY`)
    expect((await both(reader, 'elder', 'elder')).read).toEqual([1, 2, 3, 4])
    await server.query(
      'ALTER TABLE elder ENABLE ROW LEVEL SECURITY; CREATE POLICY odd ON elder USING (n % 2 = 1)',
    )
    const { source, plan } = await open(reader, 'elder', { rowSecurity: true })
    const groups = await readAll(source, plan)
    await source.close()
    expect(columnOf(groups, 0, (value) => value.readInt32LE())).toEqual([1, 3])
  })

  it('privileges, those of its schema too', async () => {
    await server.query(
      `${partitions('closed')}; CREATE SCHEMA hidden; ALTER TABLE closed_high SET SCHEMA hidden`,
    )
    expect(await both(reader, 'closed', 'closed')).toEqual({ selected: all, read: all, ranges: 1 })
  })

  it('the expression of a virtual column', async () => {
    await server.query(`CREATE TABLE computed (m int, n int GENERATED ALWAYS AS (m * 2) VIRTUAL);
      CREATE TABLE computed_otherwise (m int, n int GENERATED ALWAYS AS (m * 100) VIRTUAL) INHERITS (computed);
      INSERT INTO computed_otherwise VALUES (7)`)
    const request = { table: { schema: 'public', name: 'computed' }, columns: ['n'] }
    expect(await both(server, request, 'computed')).toEqual({ selected: [14], read: [14], ranges: 1 })
  })

  it('and another session’s temporary child is not there', async () => {
    await server.query('CREATE TABLE shared (n int); INSERT INTO shared VALUES (1)')
    const other = await session(server)
    await other.query('CREATE TEMP TABLE own () INHERITS (shared); INSERT INTO own VALUES (2)')
    expect((await both(server, 'shared', 'shared')).read).toEqual([1])
  })
})
