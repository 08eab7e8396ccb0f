import { describe, expect, it } from '@jest/globals'
import { readdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run, summaryOf, type Ran } from '../support/cli.ts'
import { eachWithDatabase } from './each-with-database.ts'
import { freePort } from '../support/free-port.ts'

const { place } = eachWithDatabase()

const lakejobs = (words: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Ran> =>
  run(words, { ...place, env: { ...place.env, ...more } })
const check = (more: Readonly<Record<string, string>> = {}, ...words: string[]): Promise<Ran> =>
  lakejobs(['check', ...words], more)
const statuses = (ran: Ran): Record<string, string> =>
  Object.fromEntries((summaryOf(ran).checks ?? []).map(({ check: name, status }) => [name, status]))
const failed = (ran: Ran): string[] =>
  Object.entries(statuses(ran)).flatMap(([name, status]) => (status === 'failed' ? [name] : []))
const query = (sql: string): Promise<Record<string, unknown>[]> => place.query(sql)

const names = [
  ...['source', 'source tables', 'table public.web_logs'],
  ...['catalog', 'catalog tables', 'catalog writes', 'metadata'],
  ...['WAREHOUSE', 'PARQUET_LOCATION', 'CRUD_INPUT', 'CRUD_OUTPUT', 'CRUD_CACHE'],
]

describe('lakejobs check', () => {
  it('is exit 0 after init, and leaves nothing behind', async () => {
    expect((await lakejobs(['init'], { DEMO_DATA: 'true' })).exit).toBe(0)
    const ran = await check({ DEMO_DATA: 'true' })
    expect(ran.exit).toBe(0)
    expect(statuses(ran)).toEqual(Object.fromEntries(names.map((name) => [name, 'ok'])))
    const { checks } = summaryOf(ran)
    expect(checks?.find(({ check: name }) => name === 'source')?.detail).toMatch(/^PostgreSQL \d+\.\d+/)
    expect(checks?.find(({ check: name }) => name === 'catalog tables')?.detail).toBe('version 1')
    expect(await readdir(join(place.cwd, 'data'), { recursive: true })).toEqual(
      expect.not.arrayContaining([expect.stringContaining('check')]),
    )
    expect(await query('SELECT FROM iceberg_tables')).toEqual([])
    expect(await query('SELECT namespace FROM iceberg_namespace_properties')).toEqual([
      { namespace: 'default' },
    ])
    await query('ALTER TABLE iceberg_tables DROP COLUMN iceberg_type')
    const version0 = summaryOf(await check()).checks
    expect(version0?.find(({ check: name }) => name === 'catalog tables')?.detail).toBe('version 0')
  })

  it('lists all that is missing, each with its fix', async () => {
    const ran = await check({ CRUD_OUTPUT: './data/crud/output' })
    const { exit, checks, error } = summaryOf(ran)
    expect({ exit, code: error?.code }).toEqual({ exit: 2, code: 'usage' })
    expect(failed(ran)).toEqual([
      ...['table public.web_logs', 'catalog tables'],
      ...['WAREHOUSE', 'PARQUET_LOCATION', 'CRUD_INPUT', 'CRUD_OUTPUT', 'CRUD_CACHE'],
    ])
    for (const { status, fix } of checks ?? []) {
      if (status === 'failed') expect(fix).toContain('lakejobs init')
    }
    expect(await readdir(place.cwd)).toEqual([])
  })

  it('servers that are away are exit 1; all of them are listed', async () => {
    await lakejobs(['init'], { DEMO_DATA: 'true' })
    const port = String(await freePort())
    const ran = await check({
      POSTGRES_PORT: port,
      ICEBERG_POSTGRES_PORT: port,
      WAREHOUSE: 's3://lake/iceberg',
      S3_ENDPOINT: `http://127.0.0.1:${port}`,
      MINIO_ROOT_USER: 'u',
      MINIO_ROOT_PASSWORD: 'p',
    })
    expect(summaryOf(ran)).toMatchObject({ exit: 1, error: { code: 'failed' } })
    expect(failed(ran)).toEqual(['source', 'catalog', 'WAREHOUSE'])
  })

  it('finds what a role may not do', async () => {
    await lakejobs(['init'], { DEMO_DATA: 'true' })
    await query(`DROP ROLE IF EXISTS poor`)
    await query(`CREATE ROLE poor LOGIN PASSWORD 'poor'; CREATE TABLE mine (n int);
      GRANT SELECT ON mine, iceberg_tables, iceberg_namespace_properties TO poor`)
    const role = Object.fromEntries(
      ['POSTGRES', 'ICEBERG_POSTGRES'].flatMap((prefix) => [
        [`${prefix}_USER`, 'poor'],
        [`${prefix}_PASSWORD`, 'poor'],
      ]),
    )
    const ran = await check(role, '--table', 'mine,web_logs')
    expect(failed(ran)).toEqual(['table public.web_logs', 'catalog writes'])
    expect(statuses(ran)['table public.mine']).toBe('ok')
    await query('DROP OWNED BY poor; DROP ROLE poor')
  })

  it('refuses what an export refuses, all of it', async () => {
    await lakejobs(['init'], { DEMO_DATA: 'true' })
    await query(`DROP ROLE IF EXISTS poor; CREATE ROLE poor LOGIN PASSWORD 'poor';
      CREATE TABLE secured (a int); ALTER TABLE secured ENABLE ROW LEVEL SECURITY; GRANT SELECT ON secured TO poor;
      CREATE TABLE partly (a int, b int, c money); GRANT SELECT (a, c) ON partly TO poor;
      CREATE TABLE bare (); GRANT SELECT ON bare TO poor; CREATE MATERIALIZED VIEW empty AS SELECT 1 AS a WITH NO DATA;
      GRANT SELECT ON empty TO poor`)
    const role = { POSTGRES_USER: 'poor', POSTGRES_PASSWORD: 'poor' }
    const tables = ['--table', 'secured,partly,bare,empty']
    const ran = await check(role, ...tables)
    const detailOf = (name: string): string | undefined =>
      summaryOf(ran).checks?.find(({ check: one }) => one === `table public.${name}`)?.detail
    expect(failed(ran)).toEqual(['secured', 'partly', 'bare', 'empty'].map((name) => `table public.${name}`))
    expect(detailOf('secured')).toContain('row-level security')
    expect(detailOf('partly')).toMatch(/may not read column public\.partly\.b; public\.partly\.c: type money/)
    expect(detailOf('bare')).toBe('public.bare has no columns')
    expect(detailOf('empty')).toContain('has not been populated')
    const settled = await check(
      { ...role, LAKEJOBS_ROW_SECURITY: 'true', LAKEJOBS_COLUMNS: 'a,c', LAKEJOBS_CAST: 'partly.c=text' },
      ...['--table', 'secured,partly'],
    )
    expect(failed(settled)).toEqual([])
    await query('DROP OWNED BY poor; DROP ROLE poor')
  })

  it('plans what the tables are written to as an export does, and what that refuses is the same', async () => {
    await lakejobs(['init'])
    await query(
      'CREATE TABLE mine AS SELECT 1 AS id, 2 AS other; CREATE TABLE fine AS SELECT 1 AS id; ANALYZE',
    )
    const tables = ['--table', 'mine,fine']
    expect((await lakejobs(['export', ...tables])).exit).toBe(0)
    expect(failed(await check({}, ...tables))).toEqual([])
    await query(`ALTER TABLE mine ALTER other TYPE money USING '1', ALTER id TYPE text`)
    const files = await readdir(place.cwd, { recursive: true })
    const faults =
      /^public\.mine\.other: type money .*; the source of table default\.mine changed .* id is int in the table and string in the source$/
    const ran = await check({}, ...tables)
    expect(failed(ran)).toEqual(['table public.mine'])
    expect(summaryOf(ran)).toMatchObject({
      exit: 3,
      error: { message: expect.stringMatching(faults) as unknown },
    })
    const refused = summaryOf(await lakejobs(['export', '--dry-run', ...tables]))
    expect(refused.error).toEqual(summaryOf(ran).error)
    const byDay = await check({ LAKEJOBS_MODE: 'day', LAKEJOBS_COLUMNS: 'other' }, '--table', 'mine')
    expect(summaryOf(byDay).error?.message).toMatch(/no date or timestamp column to choose days by/)
    expect(summaryOf(byDay).error?.message).toMatch(/--columns leaves out id, which table default\.mine has/)
    expect(await readdir(place.cwd, { recursive: true })).toEqual(files)
  })

  it('opens the metadata of each table: a store that was lost or moved is exit 3 with the ways out, for export, too', async () => {
    const demo = { DEMO_DATA: 'true' }
    await lakejobs(['init'], demo)
    await lakejobs(['seed', '--rows', '10', '--date', '2024-09-16'])
    for (const words of [[], ['--table', 'public.web_logs=other.logs']])
      expect(await lakejobs(['export', '--format', 'iceberg', ...words])).toMatchObject({ exit: 0 })
    const detail = (ran: Ran, name: string) =>
      summaryOf(ran).checks?.find(({ check: check_ }) => check_ === name)
    const was = `file://${join(place.cwd, 'data/lake/iceberg')}`
    const now = `file://${join(place.cwd, 'elsewhere')}`
    expect(detail(await check(demo), 'metadata')?.detail).toBe('2 tables, the metadata of 2 can be read')
    await rename(join(place.cwd, 'data/lake/iceberg/default'), join(place.cwd, 'data/lake/iceberg/lost'))

    const lost = await check(demo)
    expect(failed(lost)).toEqual(['metadata of default.web_logs'])
    const found = detail(lost, 'metadata of default.web_logs')
    expect(found?.detail).toMatch(
      `the catalog says that default.web_logs is at ${was}/default/web_logs/metadata/`,
    )
    expect(found?.detail).toMatch(`, written when WAREHOUSE was ${was}, and nothing is there`)
    expect(found?.detail).not.toContain('now WAREHOUSE is')
    expect(found).toMatchObject({
      field: 'WAREHOUSE',
      fix: expect.stringContaining('restore the files of that store') as unknown,
    })

    const moved = await lakejobs(['export', '--format', 'iceberg'], { WAREHOUSE: now })
    expect(summaryOf(moved)).toMatchObject({
      exit: 3,
      error: {
        code: 'data',
        message: expect.stringMatching(/^the catalog says that default\.web_logs is at /) as unknown,
        fix: expect.stringContaining(`set WAREHOUSE back to ${was}`) as unknown,
      },
    })
    expect(summaryOf(moved).error?.message).toMatch(`; now WAREHOUSE is ${now}`)
    // The ways out lead out.
    const fresh = await lakejobs(['export', '--format', 'iceberg'], {
      WAREHOUSE: now,
      ICEBERG_CATALOG_NAME: 'anew',
    })
    expect(fresh.exit).toBe(0)
  })

  it('says of each setting where it comes from, and of secrets only whether they are set', async () => {
    await writeFile(join(place.cwd, '.env'), 'CRUD_INPUT=logs\nICEBERG_NAMESPACE=from_file\n')
    const ran = await check(
      { ICEBERG_NAMESPACE: 'from_environment', LAKEJOBS_DAYS: '3', POSTGRES_PASSWORD: 'canary-1' },
      '--table',
      'public.t',
    )
    expect(summaryOf(ran).settings).toMatchObject({
      CRUD_INPUT: { value: 'logs', from: '.env' },
      ICEBERG_NAMESPACE: { value: 'from_environment', from: 'environment' },
      LAKEJOBS_DAYS: { value: '3', from: 'environment' },
      LAKEJOBS_TABLE: { value: 'public.t', from: 'flag' },
      CRUD_CACHE: { value: './data/crud/cache', from: 'default' },
      POSTGRES_PASSWORD: { value: 'set', from: 'environment' },
      MINIO_ROOT_PASSWORD: { value: 'unset', from: 'default' },
    })
    expect(summaryOf(ran).settings).not.toHaveProperty('LAKEJOBS_THREADS')
  })

  it('takes names and places without the blanks around them, and passwords with theirs', async () => {
    await writeFile(join(place.cwd, '.env'), 'PARQUET_LOCATION="from/file "\nLAKEJOBS_REPORTS=" "\n')
    const { settings, checks } = summaryOf(
      await check({
        ...{ ICEBERG_CATALOG_NAME: 'h3 ', ICEBERG_NAMESPACE: ' ', WAREHOUSE: `${place.cwd}/wh\t` },
        ...{ LAKEJOBS_CONFIG: ' ', LAKEJOBS_TABLE: ' public.t ', POSTGRES_PASSWORD: ' canary-1' },
      }),
    )
    expect(settings).toMatchObject({
      ICEBERG_CATALOG_NAME: { value: 'h3', from: 'environment' },
      ICEBERG_NAMESPACE: { value: 'default', from: 'default' },
      WAREHOUSE: { value: `${place.cwd}/wh`, from: 'environment' },
      PARQUET_LOCATION: { value: 'from/file', from: '.env' },
      LAKEJOBS_TABLE: { value: 'public.t', from: 'environment' },
    })
    expect(settings).not.toHaveProperty('LAKEJOBS_CONFIG')
    expect(JSON.stringify(checks)).toContain('password')
  })

  it('prints no secret, also none inside an address', async () => {
    await lakejobs(['init'])
    const more = {
      POSTGRES_PASSWORD: 'canary-1',
      ICEBERG_POSTGRES_HOST: 'postgres://u:canary-2@somewhere/db?password=canary-3',
      S3_ENDPOINT: 'http://u:canary-4@127.0.0.1:1/p@canary-5@x',
      MINIO_ROOT_USER: 'u',
      MINIO_ROOT_PASSWORD: 'canary-6',
      AWS_SECRET_ACCESS_KEY: 'canary-7',
      AWS_SESSION_TOKEN: 'canary-8',
      WAREHOUSE: 's3://lake/iceberg',
    }
    for (const words of [
      ['--log-format', 'pretty'],
      ['--log-level', 'debug'],
    ]) {
      const ran = await check(more, ...words)
      expect(summaryOf(ran).exit).toBe(2)
      expect(failed(ran)).toEqual(['source', 'catalog', 'WAREHOUSE'])
      expect(ran.stdout + ran.stderr).not.toContain('canary')
    }
  })

  it('shows people a table', async () => {
    const { stderr } = await check({}, '--log-format', 'pretty')
    expect(stderr).toMatch(/^POSTGRES_PASSWORD +environment +set$/m)
    expect(stderr).toMatch(/^ok +source +\d+ ms +PostgreSQL/m)
    expect(stderr).toMatch(/^failed +WAREHOUSE +\d+ ms .*lakejobs init/m)
  })
})
