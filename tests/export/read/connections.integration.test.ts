import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, run, summaryOf } from '../../support/cli.ts'
import { startPostgres, type TestPostgres } from '../../support/postgres.ts'
import { filesIn, queryFiles } from '../lake.ts'

let server: TestPostgres
let cwd: string
let log = ''

beforeAll(async () => {
  build()
  cwd = await mkdtemp(join(tmpdir(), 'lakejobs-connections-'))
  server = await startPostgres({ log_connections: 'on', log_disconnections: 'on' }, (text) => (log += text))
}, 60_000)
afterAll(async () => {
  await server.stop()
  await rm(cwd, { recursive: true })
})

const environment = ({ user, password } = server): Record<string, string> => ({
  WAREHOUSE: join(cwd, 'lake'),
  POSTGRES_HOST: server.host,
  POSTGRES_PORT: String(server.port),
  POSTGRES_DB: server.database,
  POSTGRES_USER: user,
  POSTGRES_PASSWORD: password,
})

const count = (pattern: RegExp): number => log.match(pattern)?.length ?? 0

it('two readers have one connection each, whatever the number of tables, and say goodbye', async () => {
  const names = ['small', 'a', 'b', 'c']
  const rows = (name: string): number => (name === 'small' ? 10 : 120_000)
  for (const name of names)
    await server.query(
      `CREATE TABLE ${name} AS SELECT n, md5(n::text) AS v FROM generate_series(1, ${rows(name)}) n`,
    )
  await server.query('ANALYZE')
  log = ''
  const ran = await run(
    ['export', '--format', 'parquet', '--connections', '2', ...names.flatMap((name) => ['--table', name])],
    { cwd, env: environment() },
  )
  expect(ran).toMatchObject({ exit: 0, stdout: expect.stringContaining('"rows":360010') as unknown })
  while (count(/disconnection: /g) < count(/connection authorized: /g))
    await new Promise((resolve) => setTimeout(resolve, 20))
  // The third one holds the tables and the snapshot.
  expect(count(/connection authorized: /g)).toBe(3)
  expect(log).not.toContain('unexpected EOF')
})

// Two things refuse it, the plan and what its connection was opened with: without both it would be exit 0 with ten rows.
it('a table without --row-security is not read through its policies behind one that has it', async () => {
  const table = (name: string): string =>
    `CREATE TABLE ${name} AS SELECT n FROM generate_series(1, 100) n; ALTER TABLE ${name} ENABLE ROW LEVEL SECURITY;
     CREATE POLICY few ON ${name} USING (n <= 10); GRANT SELECT ON ${name} TO reader; ANALYZE ${name};`
  await server.query(`CREATE ROLE reader LOGIN PASSWORD 'reader'; ${table('shown')} ${table('whole')}`)
  const config = join(cwd, 'lakejobs.yaml')
  await writeFile(
    config,
    'version: 1\ntables:\n  public.shown: { row-security: true, format: parquet }\n  public.whole: { format: parquet }\n',
  )
  const ran = await run(['export', '--config', config], {
    cwd,
    env: environment({ ...server, user: 'reader', password: 'reader' }),
  })
  expect(summaryOf(ran)).toMatchObject({
    exit: 2,
    tables: [
      { table: 'default.shown', status: 'ok', rows: 10 },
      { table: 'default.whole', status: 'failed', fix: expect.stringContaining('--row-security') as unknown },
    ],
  })
})

// PostgreSQL reads a table by what the session says: the order of dates, whose rows a policy lets through, whether it may.
it('what a view’s function sets is not there when the next table is read', async () => {
  await server.query(`
    CREATE FUNCTION sets(local boolean) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
      PERFORM set_config(name, value, local) FROM (VALUES ('IntervalStyle', 'postgres_verbose'), ('TimeZone', 'Asia/Tokyo'),
        ('DateStyle', 'German'), ('row_security', 'on'), ('app.tenant', 'one')) setting (name, value);
      RETURN 1; END $$;
    CREATE VIEW first AS SELECT sets(true) AS n;
    CREATE VIEW second AS SELECT sets(false) AS n;
    CREATE TABLE spans AS SELECT interval '1 day' AS span, tstzrange('2026-01-02Z', NULL) AS during;
    CREATE TABLE tenants AS SELECT unnest(ARRAY['one', 'two']) AS tenant;
    ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON tenants USING (tenant = coalesce(current_setting('app.tenant', true), tenant));
    CREATE VIEW unseen WITH (security_invoker) AS SELECT * FROM tenants;
    CREATE ROLE tenant LOGIN PASSWORD 'tenant'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO tenant;`)
  const exported = async (...flags: string[]): Promise<unknown> =>
    summaryOf(
      await run(['export', '--format', 'parquet', '--connections', '1', ...flags], {
        cwd,
        env: environment({ ...server, user: 'tenant', password: 'tenant' }),
      }),
    )
  const spans = async (): Promise<unknown> =>
    queryFiles(
      (await filesIn(cwd))
        .filter((path) => /\/spans\/.*\.parquet$/.test(path))
        .map((path) => join(cwd, path)),
      'SELECT * FROM FILES',
    )
  for (const view of ['first', 'second']) {
    expect(await exported('--table', view, '--table', 'spans')).toMatchObject({ exit: 0 })
    expect(await spans()).toEqual([['P1D', '["2026-01-02 00:00:00+00",)']])
    expect(await exported('--table', view, '--table', 'tenants', '--row-security')).toMatchObject({
      exit: 0,
      tables: [{ rows: 1 }, { rows: 2 }],
    })
    expect(await exported('--table', view, '--table', 'unseen')).toMatchObject({
      exit: 2,
      tables: [
        { status: 'ok' },
        { status: 'failed', error: expect.stringContaining('row-level security policy') as unknown },
      ],
    })
  }
})
