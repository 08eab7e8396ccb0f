import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, run, summaryOf, type Ran } from '../support/cli.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { documented, statements } from './documented.ts'

/** Source and catalog by the roles of docs/permissions.md and no others. */
let server: TestPostgres
let cwd: string
let env: Record<string, string>
beforeAll(async () => {
  build()
  server = await startPostgres()
  await server.createDatabase('mydb')
  await server.createDatabase('iceberg_db')
  cwd = await mkdtemp(join(tmpdir(), 'lakejobs-grants-'))
  const { host, port, user, password } = server
  const owner = {
    ...settings('POSTGRES', 'mydb', user, password),
    ...settings('ICEBERG_POSTGRES', 'iceberg_db', user, password),
  }
  function settings(prefix: string, database: string, role: string, secret: string) {
    return {
      [`${prefix}_HOST`]: host,
      [`${prefix}_PORT`]: String(port),
      [`${prefix}_DB`]: database,
      [`${prefix}_USER`]: role,
      [`${prefix}_PASSWORD`]: secret,
    }
  }
  const made = await run(['init'], { cwd, env: { ...owner, DEMO_DATA: 'true' } })
  expect(made.exit).toBe(0)
  await run(['seed', '--rows', '500', '--date', '2024-09-16', '--days', '2'], { cwd, env: owner })
  // Nothing by way of everybody's rights.
  for (const database of ['mydb', 'iceberg_db'])
    await server.query(
      `REVOKE ALL ON DATABASE ${database} FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM PUBLIC`,
      [],
      database,
    )
  for (const block of ['source', 'source tables', 'demo', 'demo tables', 'demo shop'])
    await server.query(documented(block), [], 'mydb')
  await server.query(documented('catalog writer'), [], 'iceberg_db')
  await server.query(documented('catalog reader'), [], 'iceberg_db')
  env = {
    ...settings('POSTGRES', 'mydb', 'lakejobs_source', 'choose-one'),
    ...settings('ICEBERG_POSTGRES', 'iceberg_db', 'lakejobs_catalog', 'choose-one'),
  }
}, 300_000)
afterAll(async () => {
  await server.stop()
  await rm(cwd, { recursive: true })
})

const lakejobs = (words: readonly string[], more: Record<string, string> = {}): Promise<Ran> =>
  run(words, { cwd, env: { ...env, ...more } })
const failed = (ran: Ran) => (summaryOf(ran).checks ?? []).filter(({ status }) => status === 'failed')
const reader = { ICEBERG_POSTGRES_USER: 'lakejobs_reader', POSTGRES_USER: 'nobody' }

describe('the documented grants', () => {
  it('are enough for export, verify, inspect, sql and maintain, and check says so', async () => {
    for (const words of [
      ['check'],
      ['check', '--permissions'],
      ['check', '--permissions', '--as', 'maintainer'],
      ['export', '--mode', 'full', '--partition-by', 'day(timestamp)'],
      ['export', '--date', '2024-09-16'],
      ['verify'],
      ['inspect', '--table', 'web_logs'],
      ['sql', 'select count(*) from web_logs'],
      ['maintain', 'expire', '--older-than', '0', '--keep', '1'],
    ]) {
      const ran = await lakejobs(words)
      expect([words.join(' '), ran.exit, ran.exit === 0 ? '' : ran.stderr]).toEqual([words.join(' '), 0, ''])
    }
  }, 300_000)

  it('of a reader are enough to read the lake, and not to write', async () => {
    for (const words of [
      ['check', '--permissions', '--as', 'reader'],
      ['verify', '--against', 'written'],
      ['inspect', '--table', 'web_logs'],
      ['sql', 'select count(*) from web_logs'],
    ])
      expect([words.join(' '), (await lakejobs(words, reader)).exit]).toEqual([words.join(' '), 0])
    const ran = await lakejobs(['check', '--permissions'], { ICEBERG_POSTGRES_USER: 'lakejobs_reader' })
    expect(ran.exit).toBe(2)
    expect(failed(ran).map(({ check }) => check)).toEqual(
      ['iceberg_tables', 'iceberg_namespace_properties']
        .flatMap((table) => ['INSERT', 'UPDATE', 'DELETE'].map((one) => `${one} on public.${table}`))
        .map((what) => `catalog role: ${what}`),
    )
  }, 300_000)
})

describe('the documented grants of demo data', () => {
  const demo = { POSTGRES_USER: 'lakejobs_demo' }

  it('are enough for seed in each of its ways, and for nothing but these tables', async () => {
    for (const words of [
      ['seed', '--demo', '--if-empty', '--days', '1', '--date', '2024-09-20', '--rows', '10'],
      ['seed', '--append', '--days', '1', '--date', '2024-09-20', '--rows', '10'],
      ['seed', '--replace', '--days', '1', '--date', '2024-09-20', '--rows', '10'],
    ]) {
      const ran = await lakejobs(words, { ...demo, DEMO_DATA: 'true' })
      expect([words.join(' '), ran.exit, ran.exit === 0 ? '' : ran.stderr]).toEqual([words.join(' '), 0, ''])
    }
    await server.query('CREATE TABLE own (a int)', [], 'mydb')
    const ran = await lakejobs(['export', '--table', 'own'], demo)
    expect([ran.exit, ran.stderr.includes('permission denied')]).toEqual([2, true])
  }, 120_000)
})

it('the whole source may be read by the grant for that, also what is made later', async () => {
  await server.query(documented('source whole'), [], 'mydb')
  await server.query('CREATE SCHEMA later; CREATE TABLE later.t AS SELECT 1 AS a', [], 'mydb')
  try {
    expect(failed(await lakejobs(['check', '--permissions', '--table', 'later.t']))).toEqual([])
    expect((await lakejobs(['export', '--table', 'later.t', '--format', 'parquet'])).exit).toBe(0)
  } finally {
    await server.query('REVOKE pg_read_all_data FROM lakejobs_source', [], 'mydb')
  }
}, 120_000)

describe('an environment with several roles', () => {
  it('is enough for each command as its role, of which check says the same', async () => {
    const several = {
      READER_ICEBERG_POSTGRES_USER: 'lakejobs_reader',
      READER_ICEBERG_POSTGRES_PASSWORD: 'choose-one',
      DEMO_POSTGRES_USER: 'lakejobs_demo',
      DEMO_POSTGRES_PASSWORD: 'choose-one',
    }
    for (const words of [
      ['seed', '--append', '--rows', '10', '--days', '1', '--date', '2024-09-16'],
      ['export', '--date', '2024-09-16'],
      ['sql', 'select count(*) from web_logs'],
      ['inspect'],
      ['runs'],
      ['report', '2024-09-16'],
    ]) {
      const ran = await lakejobs(words, several)
      expect([words.join(' '), ran.exit, ran.exit === 0 ? '' : ran.stderr]).toEqual([words.join(' '), 0, ''])
    }
    // Without its role seed is the source's, who writes nothing.
    const readOnly = await lakejobs(['seed', '--append', '--rows', '10'])
    expect([readOnly.exit === 0, readOnly.stderr]).toEqual([
      false,
      expect.stringContaining('permission denied'),
    ])
    const detail = (ran: Ran) =>
      summaryOf(ran)
        .checks?.find(({ check }) => check === 'catalog role')
        ?.detail.split(' ')[0]
    expect([
      detail(await lakejobs(['check', '--permissions'], several)),
      detail(await lakejobs(['check', '--permissions', '--as', 'reader'], several)),
    ]).toEqual(['lakejobs_catalog', 'lakejobs_reader'])
  }, 300_000)
})

/** `GRANT a, b ON x, y TO z` of the page, one privilege of one object at a time. */
function singles(block: string): string[] {
  return statements(block)
    .filter((text) => text.startsWith('GRANT'))
    .flatMap((text) => {
      const [, privileges = '', objects = '', role = ''] = /^GRANT (.*) ON (.*) TO (\w+)$/.exec(text) ?? []
      return privileges
        .split(', ')
        .flatMap((privilege) => objects.split(', ').map((object) => `${privilege} ON ${object} TO ${role}`))
    })
}

describe.each([
  ['source', 'mydb'],
  ['source tables', 'mydb'],
  ['catalog writer', 'iceberg_db'],
])('each grant of the %s that is taken away', (block, database) => {
  let taken = ''
  afterEach(() => server.query(`GRANT ${taken}`, [], database))

  it.each(singles(block))(
    '%s is named, with the statement that gives it back',
    async (grant) => {
      taken = grant
      await server.query(`REVOKE ${grant.replace(' TO ', ' FROM ')}`, [], database)
      const ran = await lakejobs(['check', '--permissions'])
      const [missing, ...others] = failed(ran)
      expect([ran.exit, others]).toEqual([2, []])
      const [, statement = ''] = /^as the owner run: (.*);$/.exec(missing?.fix ?? '') ?? []
      // As a person would, with what the check says.
      await server.query(statement, [], database)
      expect(failed(await lakejobs(['check', '--permissions']))).toEqual([])
    },
    120_000,
  )
})

describe('check --permissions', () => {
  it('names columns that may not be read, and a table that filters rows', async () => {
    await server.query(
      `CREATE TABLE partly (a int, "B c" int, d int); GRANT SELECT (a) ON partly TO lakejobs_source;
       CREATE TABLE secured (a int); ALTER TABLE secured ENABLE ROW LEVEL SECURITY;
       GRANT SELECT ON secured TO lakejobs_source`,
      [],
      'mydb',
    )
    const words = ['check', '--permissions', '--table', 'partly,secured,gone']
    const ran = await lakejobs(words)
    expect(failed(ran).map(({ fix }) => fix)).toEqual([
      'as the owner run: GRANT SELECT ("B c", "d") ON "public"."partly" TO "lakejobs_source";',
      'as the owner run: ALTER ROLE "lakejobs_source" BYPASSRLS;',
      'correct --table or LAKEJOBS_TABLE',
    ])
    const settled = { LAKEJOBS_COLUMNS: 'a', LAKEJOBS_ROW_SECURITY: 'true' }
    expect(failed(await lakejobs(['check', '--permissions', '--table', 'partly,secured'], settled))).toEqual(
      [],
    )
  })

  it('tells of a server that is away once, and of a catalog without tables', async () => {
    const away = await lakejobs(['check', '--permissions'], { POSTGRES_PORT: '1' })
    expect([away.exit, failed(away).map(({ check }) => check)]).toEqual([1, ['source role']])
    await server.createDatabase('empty')
    const empty = await lakejobs(['check', '--permissions'], {
      ICEBERG_POSTGRES_DB: 'empty',
    })
    expect([empty.exit, failed(empty)[0]?.fix]).toEqual([2, expect.stringContaining('lakejobs init')])
  })
})
