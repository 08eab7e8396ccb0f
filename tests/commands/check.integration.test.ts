import { describe, expect, it } from '@jest/globals'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run, summaryOf, type Ran } from '../support/cli.ts'
import { eachWithDatabase } from './each-with-database.ts'
import { freePort } from '../support/postgres.ts'

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
  ...['catalog', 'catalog tables', 'catalog writes'],
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
    const ran = await check()
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
    expect(stderr).toMatch(/^failed +CRUD_INPUT +\d+ ms .*lakejobs init/m)
  })
})
