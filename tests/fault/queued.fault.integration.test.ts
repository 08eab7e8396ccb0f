import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { parquetReadObjects } from 'hyparquet'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { JobError } from '../../jobs/errors.ts'
import type { FileIO } from '../../jobs/storage/file-io.ts'
import { memoryFileIO } from '../../jobs/storage/memory.ts'
import { build, run, summaryOf } from '../support/cli.ts'
import { startPostgresProxy, type PostgresProxy } from './postgres-proxy.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { openLake, queryFiles, runExport, type TestLake } from '../export/lake.ts'

/**
 * TRUNCATE and ALTERs that rewrite, queued from another session at every step of an export (export-spec §1.1, §1.2).
 * Each fills the table again in its own transaction: no instant has an empty table, so no export may find one.
 */
let server: TestPostgres
let proxy: PostgresProxy
let lake: TestLake
let other: pg.Client
beforeAll(async () => {
  build()
  server = await startPostgres({ autovacuum: 'off' })
  proxy = await startPostgresProxy(server)
  lake = await openLake(server)
  other = new pg.Client({ ...server })
  await other.connect()
}, 120_000)
afterAll(async () => {
  await other.end()
  await lake.close()
  await proxy.stop()
  await server.stop()
})

const rows = 500
/** Analysed: what is small is read in this process, without the threads that need the built jobs. */
const changes = {
  truncate: `TRUNCATE t; INSERT INTO t SELECT i, repeat('y', 200) FROM generate_series(1, 400) i; ANALYZE t`,
  alter: `ALTER TABLE t ALTER id TYPE bigint USING id::bigint + 10000; ANALYZE t`,
} as const
/** Rows and sum of the ids: of the instant before, and of the one after. */
const before = `${rows} ${(rows * (rows + 1)) / 2}`
const after = {
  truncate: `400 ${(400 * 401) / 2}`,
  alter: `${rows} ${(rows * (rows + 1)) / 2 + rows * 10_000}`,
} as const

let changed: Promise<unknown> = Promise.resolve()
beforeEach(async () => {
  changed = Promise.resolve()
  await server.query(`DROP TABLE IF EXISTS t;
    CREATE TABLE t AS SELECT i AS id, repeat('x', 200) AS text FROM generate_series(1, ${rows}) i; ANALYZE t`)
})
afterEach(() => {
  proxy.watch(() => true)
  proxy.plan(() => false, [])
})

/** Sends a change and goes on when it is through, or waits for its lock. */
async function queue(change: keyof typeof changes): Promise<void> {
  const query = other.query(changes[change])
  changed = query
  const isWaiting = async (): Promise<boolean> =>
    (await server.query('SELECT FROM pg_locks WHERE NOT granted')).length > 0
  while (!(await Promise.race([query.then(() => true), isWaiting()]))) await sleep(2)
}

/** What an export of t finds, as `rows sum`, or why it found nothing. */
async function exported(parquetIO: FileIO = memoryFileIO(() => new Date())): Promise<string> {
  try {
    await runExport({ ...server, port: proxy.port }, lake, {
      formats: ['parquet'],
      parquetIO,
      lockTimeoutMs: 20_000,
    })
  } catch (error) {
    if (!(error instanceof JobError)) throw error
    return `${error.message}: ${error.fix ?? ''}`
  }
  const bytes = await parquetIO.read(`file://${lake.folder}/parquet/t/t.parquet`)
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
  const found = await parquetReadObjects({ file, columns: ['id'] })
  return `${found.length} ${found.reduce((sum, { id }) => sum + Number(id), 0)}`
}

const isStep = (sql: string): boolean => !sql.startsWith('SET LOCAL')

async function stepsOf(): Promise<string[]> {
  const steps: string[] = []
  proxy.watch(({ sql }) => {
    if (isStep(sql)) steps.push(sql)
    return true
  })
  expect(await exported()).toBe(before)
  return steps
}

/** An export with a change queued ahead of its statement number `step`. */
async function exportedWith(change: keyof typeof changes, step: number): Promise<string> {
  let at = 0
  proxy.watch(async ({ sql }) => {
    if (isStep(sql) && at++ === step) await queue(change)
    return true
  })
  const found = await exported()
  await changed
  return found
}

const isRefusal = (found: string): boolean => found.includes('another session waits for an exclusive lock')

describe.each(['truncate', 'alter'] as const)('%s, queued', (change) => {
  it('ahead of every statement: one instant or a refusal, and never an empty table', async () => {
    const steps = await stepsOf()
    expect(steps.filter((sql) => /^LOCK TABLE.*MODE( NOWAIT)?$|pg_export_snapshot|^COPY/.test(sql))).toEqual([
      'LOCK TABLE "public"."t" IN ACCESS SHARE MODE',
      expect.stringContaining('pg_export_snapshot') as unknown,
      'LOCK TABLE "public"."t" IN ACCESS SHARE MODE NOWAIT',
      expect.stringContaining('COPY') as unknown,
    ])
    const locked = steps.indexOf('LOCK TABLE "public"."t" IN ACCESS SHARE MODE')
    const noWait = steps.indexOf('LOCK TABLE "public"."t" IN ACCESS SHARE MODE NOWAIT')
    for (const [step, sql] of steps.entries()) {
      await server.query(`DROP TABLE t;
        CREATE TABLE t AS SELECT i AS id, repeat('x', 200) AS text FROM generate_series(1, ${rows}) i; ANALYZE t`)
      const found = await exportedWith(change, step)
      // Up to the lock it is through before; then it waits, and a reader that comes after it does not.
      const expected = step <= locked ? after[change] : step > noWait ? before : undefined
      const isRight = expected === undefined ? isRefusal(found) : found === expected
      expect({ step, sql, found, isRight }).toMatchObject({ isRight: true })
    }
  })

  it('in the middle of COPY, and after it', async () => {
    proxy.plan(({ sql }) => sql.startsWith('COPY'), [{ holdAtBytes: 1000, until: () => queue(change) }])
    expect(await exported()).toBe(before)
    expect(proxy.met()).toBe(1)
    await changed
    await server.query(`DROP TABLE t;
      CREATE TABLE t AS SELECT i AS id, repeat('x', 200) AS text FROM generate_series(1, ${rows}) i; ANALYZE t`)
    const store = memoryFileIO(() => new Date())
    let looks = 0
    const found = await exported({
      ...store,
      // The plain file that is replaced is looked at before anything is read, and again when all is.
      stat: async (location) => {
        if (++looks === 2) await queue(change)
        return store.stat(location)
      },
    })
    expect([found, looks >= 2]).toEqual([before, true])
    await changed
  })
})

describe('truncate, with two readers in threads, queued', () => {
  const big = 120_000
  beforeEach(() =>
    server.query(`DROP TABLE t;
      CREATE TABLE t AS SELECT i AS id, repeat('x', 100) AS text FROM generate_series(1, ${big}) i`),
  )

  it.each([
    ['before a reader has its lock: refused', 'NOWAIT', 0, 1],
    ['between the readers’ locks: the first one reads all', 'NOWAIT', 1, 0],
    ['before a COPY', 'COPY', 1, 0],
  ] as const)('%s', async (_, word, nth, expected) => {
    let at = 0
    proxy.watch(async ({ sql }) => {
      const isIt = word === 'COPY' ? sql.startsWith('COPY') : sql.endsWith('NOWAIT')
      if (isIt && at++ === nth) await queue('truncate')
      return true
    })
    const { host, user, password, database } = server
    const ran = await run(['export', '--table', 't', '--format', 'parquet', '--connections', '2'], {
      cwd: lake.folder,
      env: {
        POSTGRES_HOST: host,
        POSTGRES_PORT: String(proxy.port),
        POSTGRES_USER: user,
        POSTGRES_PASSWORD: password,
        POSTGRES_DB: database,
        PARQUET_LOCATION: `${lake.folder}/threads-${word}-${nth}`,
      },
    })
    await changed
    const { exit, error } = summaryOf(ran)
    expect({ exit, error: error?.message }).toMatchObject({ exit: expected })
    if (exit !== 0) {
      expect(error?.fix).toContain('another session waits for an exclusive lock')
      return
    }
    const path = `${lake.folder}/threads-${word}-${nth}/t/t.parquet`
    expect(await queryFiles([path], 'SELECT count(*), sum(id) FROM FILES')).toEqual([
      [String(big), String((big * (big + 1)) / 2)],
    ])
  })
})
