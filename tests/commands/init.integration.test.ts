import { describe, expect, it } from '@jest/globals'
import { readdir, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run, summaryOf, type Ran } from '../support/cli.ts'
import { eachWithDatabase } from './each-with-database.ts'
import { freePort } from '../support/free-port.ts'

const { server, place } = eachWithDatabase()

const init = (more: Readonly<Record<string, string>> = {}, ...words: string[]): Promise<Ran> =>
  run(['init', ...words], { ...place, env: { ...place.env, ...more } })
const states = (ran: Ran): Record<string, string> =>
  Object.fromEntries(
    (summaryOf(ran).items ?? []).map(({ item, state }) => [item.replace(place.cwd, '.'), state]),
  )
const query = (sql: string): Promise<Record<string, unknown>[]> => place.query(sql)

const items = [
  'table public.web_logs',
  'mark of public.web_logs',
  'schema shop',
  'catalog tables',
  'namespace default of catalog local',
  'folder ./data/lake/iceberg',
  'folder ./data/lake/parquet',
  'folder ./data/crud/input',
  'folder ./data/crud/output',
  'folder ./data/crud/cache',
  'folder ./data/lake/runs',
]
const all = (state: string): Record<string, string> => Object.fromEntries(items.map((item) => [item, state]))

describe('lakejobs init', () => {
  it('makes what is missing, and nothing the second time', async () => {
    const first = await init({ DEMO_DATA: 'true' })
    expect(first.exit).toBe(0)
    expect(states(first)).toEqual(all('made'))
    expect(await query(`SELECT obj_description('web_logs'::regclass, 'pg_class') AS mark`)).toEqual([
      { mark: 'lakejobs demo data' },
    ])
    expect(await query('SELECT catalog_name, namespace FROM iceberg_namespace_properties')).toEqual([
      { catalog_name: 'local', namespace: 'default' },
    ])
    expect((await stat(join(place.cwd, 'data/crud/output'))).mode & 0o7777).toBe(0o2775)
    const second = await init({ DEMO_DATA: 'true' })
    expect(second.exit).toBe(0)
    expect(states(second)).toEqual(all('was there'))
  })

  it('leaves a team’s database alone: without DEMO_DATA no table', async () => {
    for (const more of [{}, { DEMO_DATA: 'false' }]) {
      const ran = await init(more)
      expect(ran.exit).toBe(0)
      expect(summaryOf(ran).items?.[0]).toEqual({
        item: 'table public.web_logs',
        state: 'left out',
        note: 'DEMO_DATA is not true',
      })
    }
    expect(await query(`SELECT to_regclass('public.web_logs') AS found`)).toEqual([{ found: null }])
  })

  it('of whoever only exports makes no folders of CRUD logs, and check asks for none', async () => {
    const ran = await init()
    expect(summaryOf(ran).items).toContainEqual({
      item: 'folders of CRUD logs',
      state: 'left out',
      note: 'none of CRUD_INPUT, CRUD_OUTPUT and CRUD_CACHE is set',
    })
    expect(await readdir(join(place.cwd, 'data'))).toEqual(['lake'])
    const checked = summaryOf(await run(['check'], place))
    expect((checked.checks ?? []).map(({ check }) => check)).not.toContain('CRUD_OUTPUT')
    expect(states(await init({ CRUD_OUTPUT: 'results' }))).toMatchObject({
      'folder ./results': 'made',
      'folder ./data/crud/input': 'made',
    })
  })

  it('takes the namespace and the catalog of the settings', async () => {
    const ran = await init({ ICEBERG_NAMESPACE: 'lake.raw', ICEBERG_CATALOG_NAME: 'prod' })
    expect(states(ran)).toMatchObject({ 'namespace lake.raw of catalog prod': 'made' })
    expect(await query('SELECT catalog_name, namespace FROM iceberg_namespace_properties')).toEqual([
      { catalog_name: 'prod', namespace: 'lake.raw' },
    ])
  })

  it('makes no namespace into which nothing could be exported', async () => {
    const ran = await init({ ICEBERG_NAMESPACE: 'a/b' })
    expect(summaryOf(ran)).toMatchObject({
      exit: 2,
      error: { field: 'ICEBERG_NAMESPACE', message: expect.stringContaining('"a/b"') as unknown },
    })
  })

  it('uses catalog tables of version 0 as they are', async () => {
    await init()
    await query('ALTER TABLE iceberg_tables DROP COLUMN iceberg_type')
    expect(states(await init())).toMatchObject({ 'catalog tables': 'was there' })
    expect(
      await query(
        `SELECT 1 FROM pg_attribute WHERE attrelid = 'iceberg_tables'::regclass AND attname = 'iceberg_type'`,
      ),
    ).toEqual([])
  })

  it('marks an empty table, and leaves one with rows of others as it is', async () => {
    await query('CREATE TABLE web_logs (n int); INSERT INTO web_logs VALUES (1)')
    const foreign = await init({ DEMO_DATA: 'true' })
    expect(foreign.exit).toBe(0)
    expect(states(foreign)).toMatchObject({
      'table public.web_logs': 'was there',
      'mark of public.web_logs': 'left out',
    })
    await query('TRUNCATE web_logs')
    expect(states(await init({ DEMO_DATA: 'true' }))).toMatchObject({ 'mark of public.web_logs': 'made' })
    expect(await query(`SELECT obj_description('web_logs'::regclass, 'pg_class') AS mark`)).toEqual([
      { mark: 'lakejobs demo data' },
    ])
  })

  it('of several at once all end well', async () => {
    const runs = await Promise.all([1, 2, 3, 4].map(() => init({ DEMO_DATA: 'true' })))
    expect(runs.map(({ exit }) => exit)).toEqual([0, 0, 0, 0])
    expect(states(await init({ DEMO_DATA: 'true' }))).toEqual(all('was there'))
  })

  it('a server that is away is exit 1 with field and fix, and the rest is made', async () => {
    const ran = await init({ ICEBERG_POSTGRES_PORT: String(await freePort()), DEMO_DATA: 'true' })
    expect(summaryOf(ran)).toMatchObject({
      exit: 1,
      error: { field: 'ICEBERG_POSTGRES_HOST', fix: expect.stringContaining('start PostgreSQL') as unknown },
    })
    expect(states(ran)).toMatchObject({ catalog: 'failed', 'folder ./data/crud/cache': 'made' })
  })

  it('every failing part is told; wrong settings decide', async () => {
    await writeFile(join(place.cwd, 'file'), '')
    const ran = await init({ CRUD_OUTPUT: 'file', ICEBERG_POSTGRES_USER: '' })
    expect(summaryOf(ran)).toMatchObject({ exit: 2, error: { field: 'ICEBERG_POSTGRES_USER' } })
    expect(states(ran)).toMatchObject({ catalog: 'failed', 'folder ./file': 'failed' })
    expect(ran.stderr).toContain('cannot write')
  })

  it('without the right to create says what is missing', async () => {
    await server.query(`DROP ROLE IF EXISTS poor; CREATE ROLE poor LOGIN PASSWORD 'poor'`)
    const ran = await init({ ICEBERG_POSTGRES_USER: 'poor', ICEBERG_POSTGRES_PASSWORD: 'poor' })
    expect(summaryOf(ran)).toMatchObject({
      exit: 2,
      error: { message: expect.stringContaining('permission denied') as unknown },
    })
  })

  it('shows people a table', async () => {
    const ran = await init({}, '--log-format', 'pretty')
    expect(ran.stderr).toMatch(/^left out {2}table public\.web_logs +DEMO_DATA is not true$/m)
    expect(ran.stderr).toMatch(/^made +catalog tables$/m)
    expect((await init()).stderr).toBe('')
    expect(await readdir(place.cwd)).toEqual(['data'])
  })
})
