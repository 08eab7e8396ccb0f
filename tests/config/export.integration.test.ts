import { beforeEach, describe, expect, it } from '@jest/globals'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { filesIn } from '../export/lake.ts'
import { eachWithDatabase } from '../commands/each-with-database.ts'
import { run, summaryOf, type Ran } from '../support/cli.ts'

const { server, place } = eachWithDatabase()

beforeEach(async () => {
  await place.query(`
    CREATE SCHEMA shop; CREATE SCHEMA other;
    CREATE TABLE shop.orders (id int, amount numeric, created_at timestamptz);
    INSERT INTO shop.orders VALUES (1, 1.5, '2024-09-24T10:00Z'), (2, 2.5, '2024-10-01T10:00Z');
    CREATE TABLE shop.items (id int); INSERT INTO shop.items VALUES (1), (2), (3);
    CREATE VIEW shop.totals AS SELECT count(*) AS n FROM shop.orders;
    CREATE TABLE shop.tmp_a (id int); CREATE TABLE shop.sessions (id int);
    CREATE TABLE shop.events (day date) PARTITION BY RANGE (day);
    CREATE TABLE shop.events_2024 PARTITION OF shop.events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    INSERT INTO shop.events VALUES ('2024-09-24');
    CREATE EXTENSION IF NOT EXISTS plpgsql; ANALYZE`)
})

const exported = (args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Ran> =>
  run(['export', '--connections', '1', ...args], { cwd: place.cwd, env: { ...place.env, ...env } })
const write = (text: string): Promise<void> => writeFile(join(place.cwd, 'lakejobs.yaml'), text)
const tablesOf = (ran: Ran): unknown =>
  summaryOf(ran).tables?.map(({ table, status, rows }) => [table, status, rows])

describe('export and lakejobs.yaml', () => {
  it('takes what the file says, each table with its own options, patterns without partitions', async () => {
    await write(`version: 1
defaults: { decimal: { amount: "38,9" } }
groups: { hourly: {} }
tables:
  shop.*: {}
  shop.orders: { group: hourly, partition-by: ["month(created_at)"], decimal: { amount: "9,2" } }
  shop.sessions: { enabled: false }
  nope.*: {}
`)
    const ran = await exported(['--exclude', 'shop.tmp_*'])
    expect(ran.stderr).toContain('no table or view matches nope.*')
    expect(tablesOf(ran)).toEqual([
      ['shop.orders', 'ok', 2],
      ['shop.events', 'ok', 1],
      ['shop.items', 'ok', 3],
      ['shop.totals', 'ok', 1],
    ])
    const plan = summaryOf(await exported(['--group', 'hourly', '--dry-run']))
    expect(plan.tables).toHaveLength(1)
    expect(plan.tables?.[0]?.plan).toMatchObject({
      partitionedBy: ['created_at_month'],
      formats: ['iceberg'],
      columns: [{}, { name: 'amount', type: 'decimal(9, 2)' }, {}],
    })
    // A flag wins over the file; so does a name over `enabled`.
    const flags = await exported(['--table', 'shop.sessions', '--format', 'parquet'])
    expect(summaryOf(flags).tables?.[0]).toMatchObject({ table: 'shop.sessions', status: 'ok' })
    expect(summaryOf(flags).tables?.[0]?.parquetLocation).toContain('shop.sessions')
  })

  it("--table 'shop.*' needs no file; a pattern that matches nothing is exit 2", async () => {
    const ran = await exported([
      '--table',
      'shop.*',
      '--exclude',
      'shop.[te]*,shop.events,shop.orders,shop.t*',
    ])
    expect(tablesOf(ran)).toEqual([
      ['shop.items', 'ok', 3],
      ['shop.sessions', 'ok', 0],
    ])
    const nothing = await exported(['--table', 'shop.*,nope_*'])
    expect(summaryOf(nothing)).toMatchObject({
      exit: 2,
      error: { field: '--table', message: '--table nope_*: no table or view matches' },
    })
  })

  it('two sources: one that is away and a table that is gone fail alone', async () => {
    await server.createDatabase('crm_db')
    await server.query(
      'CREATE TABLE IF NOT EXISTS users (id int); CREATE SCHEMA IF NOT EXISTS x; CREATE TABLE IF NOT EXISTS x.y ()',
      [],
      'crm_db',
    )
    await write(`version: 1
sources: { crm: { env: CRM }, away: { env: AWAY }, same: { database: crm_db } }
tables: { shop.items: {}, shop.gone: {}, crm/*.*: {}, away/a.b: {}, away/a.*: {}, same/users: { target: both.users } }
`)
    const { host, port, user, password } = server
    const of = (prefix: string, to: number): Record<string, string> => ({
      [`${prefix}_HOST`]: host,
      [`${prefix}_PORT`]: String(to),
      [`${prefix}_DB`]: 'crm_db',
      [`${prefix}_USER`]: user,
      [`${prefix}_PASSWORD`]: password,
    })
    const ran = await exported([], { ...of('CRM', port), ...of('AWAY', 1) })
    expect(ran.exit).toBe(2)
    expect(tablesOf(ran)).toEqual([
      ['away/a.*', 'failed', undefined],
      ['shop.items', 'ok', 3],
      ['shop.gone', 'failed', undefined],
      ['away_a.b', 'failed', undefined],
      ['both.users', 'ok', 0],
      ['crm.users', 'ok', 0],
      ['crm_x.y', 'failed', undefined],
    ])
  })

  it('what is said wrongly of several tables is told at once, before anything is read', async () => {
    await write(`version: 1
tables: { shop.items: { mode: day }, shop.orders: { from: 2024-09-24 } , shop.events: {} }
`)
    const { error, tables } = summaryOf(await exported())
    expect(error?.message).toBe('shop.items: --mode day without a day; shop.orders: --to is missing')
    expect(tables).toBeUndefined()
  })

  it('two sources of one target are exit 2', async () => {
    await write('version: 1\ntables: { shop.items: {}, other.items: { namespace: shop } }')
    const { exit, error } = summaryOf(await exported())
    expect({ exit, error: error?.message }).toEqual({
      exit: 2,
      error: 'shop.items and other.items would both become shop.items',
    })
  })

  it('one table goes to two namespaces where both are asked for', async () => {
    const ran = await exported(['--table', 'shop.items=a.items', '--table', 'shop.items=b.items'])
    expect(summaryOf(ran)).toMatchObject({ exit: 0 })
    expect(tablesOf(ran)).toEqual([
      ['a.items', 'ok', 3],
      ['b.items', 'ok', 3],
    ])
  })

  it('a table that a pattern has and no folder can be called is exported as the message says', async () => {
    await place.query(String.raw`CREATE TABLE shop."a\b" AS SELECT 1 AS id; DROP TABLE shop.orders CASCADE`)
    const flags = ['--table', 'shop.*', '--exclude', 'shop.e*']
    const refused = summaryOf(await exported(flags))
    expect(refused).toMatchObject({ exit: 2, error: { field: '--table' } })
    const [, flag = ''] = /--table '([^']*)'/.exec(refused.error!.fix!) ?? []
    const names = (ran: Ran): unknown => summaryOf(ran).tables?.map(({ table }) => table)
    expect(names(await exported([...flags, '--table', flag]))).toEqual([
      'default.some_name',
      'shop.items',
      'shop.sessions',
      'shop.tmp_a',
    ])
    await write('version: 1\ntables:\n  shop.*: {}\n')
    const said = summaryOf(await exported(flags.slice(2)))
    expect(said).toMatchObject({ exit: 2, error: { field: String.raw`shop."a\b"` } })
    const [, entry = ''] = /under tables (.*)$/.exec(said.error!.fix!) ?? []
    await write(`version: 1\ntables:\n  shop.*: {}\n  ${entry}\n`)
    expect(names(await exported(flags.slice(2)))).toContain('default.some_name')
  })

  it('a column that one table’s own options name and it has not is its fault alone', async () => {
    await write(`version: 1
tables:
  shop.items: { cast: { amount: text } }
  shop.orders: { cast: { amount: text } }
`)
    const ran = await exported()
    expect(tablesOf(ran)).toEqual([
      ['shop.items', 'failed', undefined],
      ['shop.orders', 'ok', 2],
    ])
    expect(summaryOf(ran).error?.message).toContain('shop.items has no column amount')
  })

  it('a table that the file exports as a whole takes no day; tables by day need one', async () => {
    await write(`version: 1
tables: { shop.items: { mode: full }, shop.events: { mode: day, partition-by: ["day(day)"] } }
`)
    const ran = await exported(['--date', '2024-09-24'])
    expect(summaryOf(ran).tables?.map(({ table, mode }) => [table, mode])).toEqual([
      ['shop.items', 'full'],
      ['shop.events', 'day'],
    ])
  })

  it('--no-one-instant gives the locks back table by table', async () => {
    await place.query('CREATE TABLE shop.later (id int); INSERT INTO shop.later SELECT generate_series(1, 5)')
    const names = ['shop.items', 'shop.later']
    for (const [flag, waits] of [
      ['--no-one-instant', false],
      ['--one-instant', true],
    ] as const) {
      const blocker = place
        .query('BEGIN; LOCK shop.later IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(60); COMMIT')
        .catch(() => undefined)
      const running = exported(['--table', names.join(','), '--format', 'parquet', flag])
      const held = async (): Promise<boolean> => {
        const [row] = await place.query(
          `SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 'shop.later'::regclass AND NOT granted) AS waits,
             EXISTS (SELECT FROM pg_locks WHERE relation = 'shop.items'::regclass AND mode = 'AccessShareLock') AS held`,
        )
        if (row?.['waits'] === true) return row['held'] === true
        await new Promise((resolve) => setTimeout(resolve, 100))
        return held()
      }
      const isHeld = await held()
      await place.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()",
      )
      await blocker
      expect((await running).exit).toBe(0)
      expect([flag, isHeld]).toEqual([flag, waits])
    }
  })
})

describe('--exclude-columns', () => {
  it('what it names reaches neither lake nor log nor plan, whatever --columns says', async () => {
    await place.query(`CREATE TABLE shop.users (id int, "Password_Hash" text, ssn text, name text);
      INSERT INTO shop.users VALUES (1, 'hunter2', '078-05-1120', 'Ada'); ANALYZE shop.users`)
    await write(`version: 1
defaults: { exclude-columns: ["*password*"] }
tables: { shop.users: { exclude-columns: [ssn], format: [parquet, iceberg], codec: none } }
`)
    const columns = ['--columns', 'id,Password_Hash,name,ssn', '--log-level', 'debug']
    const runs = [await exported(['--dry-run', ...columns]), await exported(columns)]
    for (const { exit, stdout, stderr } of runs) {
      expect(exit).toBe(0)
      expect(`${stdout}${stderr}`).not.toMatch(/hunter2|078-05/)
    }
    expect(summaryOf(runs[0]!).tables?.[0]?.plan?.['columns']).toMatchObject([
      { name: 'id' },
      { name: 'name' },
    ])
    const lake = join(place.cwd, 'data')
    const files = await Promise.all((await filesIn(lake)).map((name) => readFile(join(lake, name), 'latin1')))
    expect(files.join('')).toContain('Ada')
    expect(files.join('')).not.toMatch(/hunter2|078-05|Password|ssn/)
  })

  it('a name that the table has not, and one that the lake has, are refused with the way out', async () => {
    await write('version: 1\ntables: { shop.items: { exclude-columns: [ids] } }')
    const wrong = summaryOf(await exported())
    expect(wrong).toMatchObject({ exit: 2, error: { field: '--exclude-columns' } })
    expect(wrong.error?.message).toBe('--exclude-columns: shop.items has no column ids')

    await write('version: 1\ntables: { shop.orders: { decimal: { amount: "9,2" } } }')
    expect((await exported()).exit).toBe(0)
    const misspelt = summaryOf(await exported(['--exclude-columns', 'amuont']))
    expect(misspelt).toMatchObject({ exit: 2, error: { field: '--exclude-columns' } })
    expect(misspelt.error?.message).toBe('--exclude-columns: there is no column amuont')
    expect(misspelt.error?.fix).toContain('amuont*')
    expect((await exported(['--exclude-columns', 'amuont*'])).exit).toBe(0)
    const later = ['--exclude-columns', 'AMOUNT']
    const refused = summaryOf(await exported(later))
    expect(refused).toMatchObject({ exit: 2, error: { field: '--exclude-columns' } })
    expect(refused.error?.fix).toContain('--drop-columns amount')
    const gone = summaryOf(await exported([...later, '--drop-columns', 'amount']))
    expect(gone.tables?.[0]?.warnings?.join()).toContain('snapshots from before keep its values')
  })
})
