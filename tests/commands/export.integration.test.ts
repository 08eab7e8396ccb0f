import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Table } from '../../jobs/iceberg/catalog/catalog.ts'
import type { DataFile } from '../../jobs/iceberg/manifest/data-file.ts'
import {
  dataFilesOf,
  filesIn,
  load,
  openLake,
  queryFiles,
  queryTable,
  unreferenced,
  type TestLake,
} from '../export/lake.ts'
import { build, run, start, summaryOf, type Ran, type Running } from '../support/cli.ts'
import { freePort } from '../support/free-port.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'

let server: TestPostgres
let lake: TestLake
let cwd: string
beforeAll(async () => {
  build()
  server = await startPostgres()
  cwd = await mkdtemp(join(tmpdir(), 'lakejobs-cwd-'))
}, 120_000)
afterAll(async () => {
  await server.stop()
  await rm(cwd, { recursive: true })
})
beforeEach(async () => {
  lake = await openLake(server)
})
afterEach(async () => {
  await lake.close()
  await server.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public')
})

/** Found in no output: never the password of anything else. */
const canary = 'canary-5fb1c7'

const environment = (): Record<string, string> => {
  const { host, port, user, password, database } = server
  return {
    POSTGRES_HOST: host,
    POSTGRES_PORT: String(port),
    POSTGRES_USER: user,
    POSTGRES_PASSWORD: password,
    POSTGRES_DB: database,
    ICEBERG_POSTGRES_HOST: host,
    ICEBERG_POSTGRES_PORT: String(port),
    ICEBERG_POSTGRES_USER: user,
    ICEBERG_POSTGRES_PASSWORD: password,
    ICEBERG_POSTGRES_DB: String(lake.pool.options.database),
    WAREHOUSE: `${lake.folder}/iceberg`,
    PARQUET_LOCATION: `${lake.folder}/parquet`,
  }
}
const lakejobs = (words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> =>
  run(['export', ...words], { cwd, env: { ...environment(), ...env } })
const started = (words: readonly string[]): Running =>
  start(['export', ...words], { cwd, env: environment() })
const iceberg = ['--format', 'iceberg']

const bigTable = (rows: number): Promise<unknown> =>
  server.query(`
    CREATE TABLE t AS SELECT i AS id, CASE WHEN i % 11 > 0 THEN 'row ' || i % 5000 END AS text,
      timestamptz '2024-09-01 00:00+00' + i % 5 * interval '1 day' + i % 80000 * interval '1 second' AS at,
      (i::bigint * 7919 % 1000003)::numeric(9,2) AS amount
    FROM generate_series(1, ${rows}) i`)

/** Number, sums, lengths and NULLs: equal for equal sets of rows. */
const digest = `SELECT count(*)::text AS n, sum(id)::text AS ids, count(text)::text AS texts,
  sum(length(text))::text AS lengths, sum(amount)::text AS amounts, count(DISTINCT "at")::text AS times`
const inSource = async (table = 't'): Promise<unknown> =>
  Object.values((await server.query(`${digest} FROM ${table}`))[0]!)
const inLake = async (table: Table): Promise<unknown> => (await queryTable(table, `${digest} FROM FILES`))[0]

const dataPaths = (files: readonly DataFile[]): string[] =>
  files.map(({ filePath }) => filePath.replace('file://', ''))
/** Rows of each row group, by the files' footers. */
const rowGroups = async (paths: readonly string[]): Promise<number[]> => {
  const list = paths.map((path) => `'${path}'`).join(', ')
  const select = `SELECT DISTINCT file_name, row_group_id, row_group_num_rows FROM parquet_metadata([${list}])`
  return (await queryFiles(paths, select)).map(([, , rows]) => Number(rows))
}

describe('with threads', () => {
  it.each([1, 3])('%d connections read the same rows, analysed or not', async (connections) => {
    await bigTable(300_000)
    const words = ['--table', 't', '--connections', String(connections), '--row-group-rows', '5000']
    const { exit, stdout, stderr } = await lakejobs(words)
    // Whatever is no line of the log is a warning of Node.js, of listeners that are never removed, say.
    const unusual = stderr.split('\n').filter((line) => !/^(\{(?!.*"error").*)?$/.test(line))
    expect({ exit, unusual }).toEqual({ exit: 0, unusual: [] })
    expect(summaryOf({ exit, stdout })).toMatchObject({ rows: 300_000, tables: [{ table: 'default.t' }] })
    expect(await inLake(await load(lake))).toEqual(await inSource())
    expect(await queryFiles([`${lake.folder}/parquet/t/t.parquet`], `${digest} FROM FILES`)).toEqual([
      await inSource(),
    ])
    expect(
      (await lakejobs([...words, '--mode', 'full', '--partition-by', 'day(at),bucket(3, id)'])).exit,
    ).toBe(0)
    expect((await lakejobs([...words, '--from', '2024-09-02', '--to', '2024-09-03'])).exit).toBe(0)
    expect(await inLake(await load(lake))).toEqual(await inSource())
    expect((await load(lake)).metadata.snapshots).toHaveLength(3)
  })

  it.each([
    { most: 1, rows: 700 },
    { most: 1000, rows: 60_000 },
    { most: 4097, rows: 60_000 },
  ])(
    'row groups of at most $most rows are full but for the last of a reader and day',
    async ({ most, rows }) => {
      await bigTable(rows)
      for (const connections of [1, 2]) {
        for (const [days, more] of [
          [1, []],
          [5, ['--partition-by', 'day(at)']],
        ] as const) {
          const name = `t${connections}${days}`
          const words = ['--table', `t=default.${name}`, '--connections', String(connections), ...more]
          expect((await lakejobs([...words, '--row-group-rows', String(most)])).exit).toBe(0)
          const table = await load(lake, name)
          for (const files of [
            dataPaths(await dataFilesOf(table)),
            [`${lake.folder}/parquet/${name}/${name}.parquet`],
          ]) {
            const groups = await rowGroups(files)
            expect(Math.max(...groups)).toBe(most)
            expect(groups.reduce((sum, size) => sum + size)).toBe(rows)
            expect(groups.filter((size) => size < most).length).toBeLessThanOrEqual(connections * days)
          }
        }
      }
    },
  )

  it('views, partitioned, inherited and oddly named tables arrive whole', async () => {
    await bigTable(1000)
    await server.query(`
      CREATE VIEW v AS SELECT * FROM t;
      CREATE MATERIALIZED VIEW m AS SELECT * FROM t;
      CREATE TABLE p (LIKE t) PARTITION BY RANGE (id);
      CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (300);
      CREATE TABLE p2 PARTITION OF p DEFAULT;
      INSERT INTO p SELECT * FROM t;
      CREATE TABLE parent (LIKE t); CREATE TABLE child (more int) INHERITS (parent);
      INSERT INTO parent SELECT * FROM t WHERE id <= 400;
      INSERT INTO child SELECT *, 1 FROM t WHERE id > 400;
      CREATE TABLE "Select ""From" (LIKE t); INSERT INTO "Select ""From" SELECT * FROM t;
      ALTER TABLE "Select ""From" ADD COLUMN "Weird, ""Column""" int GENERATED ALWAYS AS (id * 2) STORED`)
    const tables = ['v', 'm', 'p', 'parent', '"Select ""From"=default.odd']
    const { exit, stdout } = await lakejobs([...tables.flatMap((table) => ['--table', table]), ...iceberg])
    expect(summaryOf({ exit, stdout })).toMatchObject({ exit: 0, rows: 5000 })
    for (const name of ['v', 'm', 'p', 'parent', 'odd']) {
      expect(await inLake(await load(lake, name))).toEqual(await inSource())
    }
    const odd = await load(lake, 'odd')
    expect(odd.metadata.schemas[0]!.fields.at(-1)!.name).toBe('Weird, "Column"')
    expect(await queryTable(odd, 'SELECT sum("Weird, ""Column""") FROM FILES')).toEqual([['1001000']])
  })

  it('sees one instant while others write', async () => {
    await server.query('CREATE TABLE t AS SELECT i AS id, 0 AS balance FROM generate_series(1, 200000) i')
    const running = started(['--table', 't', '--connections', '3', ...iceberg])
    let moves = 0
    while (running.child.exitCode === null) {
      await server.query(`
        WITH pair AS (SELECT 1 + (random() * 199998)::int AS a)
        UPDATE t SET balance = balance + CASE WHEN id = a THEN 5 ELSE -5 END FROM pair WHERE id IN (a, a + 1)`)
      moves++
    }
    expect(summaryOf(await running.ended)).toMatchObject({ exit: 0, rows: 200_000 })
    expect(moves).toBeGreaterThan(0)
    expect(
      await queryTable(await load(lake), 'SELECT count(*), count(DISTINCT id), sum(balance) FROM FILES'),
    ).toEqual([['200000', '200000', '0']])
  })

  it('goes on with the next table after one that fails in a thread', async () => {
    await bigTable(60_000)
    await server.query(`CREATE TABLE bad AS SELECT id, 'infinity'::date AS d FROM t`)
    const { exit, stdout } = await lakejobs(['--table', 'bad,t', '--connections', '2', ...iceberg])
    expect(summaryOf({ exit, stdout })).toMatchObject({
      exit: 3,
      error: { field: 'public.bad.d' },
      tables: [
        { table: 'default.bad', status: 'failed' },
        { table: 'default.t', status: 'ok', rows: 60_000 },
      ],
    })
    expect((await filesIn(lake.folder)).filter((path) => path.includes('/bad/'))).toEqual([])
  })
})

describe('stopped in the middle', () => {
  const writing = async (): Promise<void> => {
    for (let wait = 0; wait < 400; wait++) {
      if ((await filesIn(lake.folder)).some((path) => path.endsWith('.tmp'))) return
      await sleep(20)
    }
    throw new Error('nothing was written')
  }

  it('by SIGINT: exit 130, the table as it was, no file more', async () => {
    await bigTable(1_000_000)
    expect((await lakejobs(['--table', 't'])).exit).toBe(0)
    const before = [await filesIn(lake.folder), (await load(lake)).metadataLocation]
    const running = started(['--table', 't'])
    await writing()
    running.child.kill('SIGINT')
    const ended = await running.ended
    expect(summaryOf(ended)).toMatchObject({ exit: 130, status: 'failed', error: { code: 'interrupted' } })
    expect([await filesIn(lake.folder), (await load(lake)).metadataLocation]).toEqual(before)
  })

  it('by SIGKILL: the next run is exact, and what is left over belongs to nobody', async () => {
    await bigTable(1_000_000)
    for (const attempt of [1, 2]) {
      const running = started(['--table', 't', '--partition-by', 'day(at)', '--target-file-size', '1MB'])
      await writing()
      await sleep(attempt * 150)
      running.child.kill('SIGKILL')
      await running.ended
    }
    expect((await lakejobs(['--table', 't', '--partition-by', 'day(at)'])).exit).toBe(0)
    const table = await load(lake)
    expect(await inLake(table)).toEqual(await inSource())
    for (const path of await unreferenced(lake, table)) expect(path).toMatch(/^iceberg\/default\/t\/data\//)
    expect((await filesIn(`${lake.folder}/parquet`)).filter((path) => path.endsWith('.tmp'))).toEqual([])
  })
})

interface BadInput {
  readonly what: string
  readonly words?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly exit: number
  readonly field: string
}

const bad: readonly BadInput[] = [
  { what: 'a wrong password', env: { POSTGRES_PASSWORD: canary }, exit: 2, field: 'POSTGRES_PASSWORD' },
  {
    what: 'a wrong password of the catalog',
    env: { ICEBERG_POSTGRES_PASSWORD: canary },
    exit: 2,
    field: 'ICEBERG_POSTGRES_PASSWORD',
  },
  { what: 'no password', env: { POSTGRES_PASSWORD: '' }, exit: 2, field: 'POSTGRES_PASSWORD' },
  { what: 'an unknown database', env: { POSTGRES_DB: 'nope' }, exit: 2, field: 'POSTGRES_DB' },
  { what: 'an unknown host', env: { POSTGRES_HOST: 'nope.invalid' }, exit: 1, field: 'POSTGRES_HOST' },
  { what: 'a port that is none', env: { POSTGRES_PORT: '99999' }, exit: 2, field: 'POSTGRES_PORT' },
  { what: 'a missing table', words: ['--table', 'nope'], exit: 2, field: 'public.nope' },
  { what: 'a missing column', words: ['--columns', 'id,nope'], exit: 2, field: '--columns' },
  { what: 'a table name that is none', words: ['--table', 'a.b.c'], exit: 2, field: '--table' },
  { what: 'an unknown transform', words: ['--partition-by', 'week(at)'], exit: 2, field: '--partition-by' },
  {
    what: 'a transform of a wrong type',
    words: ['--partition-by', 'day(id)'],
    exit: 2,
    field: '--partition-by',
  },
  { what: 'an unknown format', words: ['--format', 'csv'], exit: 2, field: '--format' },
  { what: 'an impossible day', words: ['--date', '2024-02-30'], exit: 2, field: '--date' },
  {
    what: 'a day and an interval',
    words: ['--date', '2024-02-01', '--from', '2024-02-01'],
    exit: 2,
    field: '--date',
  },
  { what: 'an interval without end', words: ['--from', '2024-02-01'], exit: 2, field: '--to' },
  {
    what: 'an interval backwards',
    words: ['--from', '2024-02-02', '--to', '2024-02-01'],
    exit: 2,
    field: '--to',
  },
  { what: 'a day for full', words: ['--mode', 'full', '--date', '2024-02-02'], exit: 2, field: '--mode' },
  { what: 'no day for day', words: ['--mode', 'day'], exit: 2, field: '--date' },
  { what: 'a bad cast', words: ['--cast', 'id=vector'], exit: 2, field: '--cast' },
  { what: 'a bad decimal', words: ['--decimal', 'id=x'], exit: 2, field: '--decimal' },
  { what: 'a share above 100', words: ['--max-shrink', '101%'], exit: 2, field: '--max-shrink' },
  { what: 'a warehouse of another kind', env: { WAREHOUSE: 'gs://x/y' }, exit: 2, field: 'WAREHOUSE' },
]

describe('bad input', () => {
  beforeEach(() =>
    server.query('CREATE TABLE t (id int, at timestamptz, n numeric, private text); ANALYZE t'),
  )

  it.each(bad)(
    '$what: exit $exit, one line that names $field',
    async ({ words = [], env = {}, exit, field }) => {
      const table = words.includes('--table')
        ? []
        : ['--table', 't', ...(words.includes('--columns') ? [] : ['--columns', 'id,at'])]
      const ran = await lakejobs([...table, ...words], env)
      const { error } = summaryOf(ran)
      expect({ exit: ran.exit, field: error?.field }).toEqual({ exit, field })
      expect(error?.fix).toMatch(/\w+/)
      expect(ran.stderr.trim().split('\n')).toHaveLength(1)
      expect(ran.stderr + ran.stdout).not.toMatch(/\n\s+at |\\n\s+at /)
      for (const secret of [canary, server.password]) {
        expect(ran.stderr + ran.stdout).not.toContain(secret)
        expect(ran.stderr + ran.stdout).not.toContain(JSON.stringify(secret).slice(1, -1))
      }
      expect(await filesIn(lake.folder)).toEqual([])
    },
  )

  it('nobody listens: exit 1', async () => {
    const ran = await lakejobs(['--table', 't'], { POSTGRES_PORT: String(await freePort()) })
    expect(summaryOf(ran)).toMatchObject({ exit: 1, error: { field: 'POSTGRES_HOST' } })
    const store = { S3_ENDPOINT: `http://127.0.0.1:${await freePort()}`, PARQUET_LOCATION: 's3://none/x' }
    const keys = { AWS_ACCESS_KEY_ID: 'someone', AWS_SECRET_ACCESS_KEY: canary }
    const away = await lakejobs(['--table', 't', '--columns', 'id', '--format', 'parquet'], {
      ...store,
      ...keys,
    })
    expect(summaryOf(away)).toMatchObject({ exit: 1 })
    expect(away.stdout + away.stderr).not.toContain(canary)
  })

  it('a numeric without scale is exit 3 and names both flags that resolve it', async () => {
    const { error, exit } = summaryOf(await lakejobs(['--table', 't']))
    expect({ exit, field: error?.field }).toEqual({ exit: 3, field: 'public.t.n' })
    expect(error?.fix).toMatch(/--decimal n=38,9.*--cast n=text/)
    expect((await lakejobs(['--table', 't', '--decimal', 'n=38,9'])).exit).toBe(0)
    expect((await lakejobs(['--table', 't=default.other', '--cast', 'n=text'])).exit).toBe(0)
  })

  it('a privilege that is missing is exit 2', async () => {
    await server.query(
      `DROP ROLE IF EXISTS poor; CREATE ROLE poor LOGIN PASSWORD 'poor'; GRANT SELECT (id) ON t TO poor`,
    )
    const ran = await lakejobs(['--table', 't', '--columns', 'id,private'], {
      POSTGRES_USER: 'poor',
      POSTGRES_PASSWORD: 'poor',
    })
    expect(summaryOf(ran)).toMatchObject({
      exit: 2,
      error: { fix: expect.stringContaining('GRANT SELECT') as unknown },
    })
  })

  it('shows the stack to who asks for it, and the search for secrets would find one', async () => {
    const debug = await lakejobs(['--table', 'nope', '--log-level', 'debug'])
    expect(debug.stderr).toMatch(/\\n\s+at /)
    expect(debug.stderr).not.toContain(JSON.stringify(server.password).slice(1, -1))
    const told = await lakejobs(['--table', canary])
    expect(told.stderr + told.stdout).toContain(canary)
  })
})

describe('a dry run', () => {
  it('prints the plan and makes nothing: no catalog table, no namespace, no folder', async () => {
    await server.query('CREATE TABLE t (id int, at timestamptz)')
    const ran = await lakejobs(['--table', 't', '--dry-run', '--date', '2024-09-01'])
    expect(summaryOf(ran)).toMatchObject({
      exit: 0,
      tables: [{ plan: { dayColumn: 'at', partitionedBy: ['at_day'], formats: ['parquet', 'iceberg'] } }],
    })
    expect(await readdir(lake.folder)).toEqual([])
    const made = `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace`
    expect((await lake.pool.query(made)).rows).toEqual([])
    expect((await lakejobs(['--table', 't', '--mode', 'full'])).exit).toBe(0)
    expect((await lake.pool.query(made)).rows.length).toBeGreaterThan(1)
  })

  it('refuses, as the run does, a name that is a view’s, before anything is read', async () => {
    await server.query('CREATE TABLE t (id int)')
    expect((await lakejobs(['--table', 't', ...iceberg])).exit).toBe(0)
    const before = await filesIn(lake.folder)
    await lake.pool.query(`UPDATE iceberg_tables SET iceberg_type = 'VIEW'`)
    for (const more of [['--dry-run'], []]) {
      const ran = await lakejobs(['--table', 't', ...iceberg, ...more])
      expect(summaryOf(ran)).toMatchObject({
        exit: 2,
        error: { message: 'default.t is a view in the catalog', field: 'default.t' },
      })
    }
    expect(await filesIn(lake.folder)).toEqual(before)
  })
})
