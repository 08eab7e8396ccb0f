import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { sqlCatalog } from '../../jobs/iceberg/catalog/sql/sql.ts'
import type { Catalog, Table } from '../../jobs/iceberg/catalog/catalog.ts'
import { commitSnapshot, type CommitEffects, type CommitResult } from '../../jobs/iceberg/snapshot/commit.ts'
import { openDatabase, type PostgresDatabase } from '../../jobs/postgres/connection/database.ts'
import { memoryFileIO } from '../../jobs/storage/memory.ts'
import type { FileIO } from '../../jobs/storage/file-io.ts'
import { contents, dataFile, request, webLogs, webLogsSchema } from '../iceberg/tables.ts'
import { startPostgresProxy, type PostgresProxy, type Statement } from './postgres-proxy.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'

let server: TestPostgres
let proxy: PostgresProxy
let io: FileIO
/** Through the proxy; and for others, straight to the server. */
let ours: PostgresDatabase
let direct: PostgresDatabase
let log: Record<string, unknown>[]
let databases = 0
const current = (): string => `catalog_${databases}`

beforeAll(async () => {
  server = await startPostgres()
}, 60_000)
afterAll(() => server.stop())
beforeEach(async () => {
  databases++
  const database = current()
  await server.createDatabase(database)
  proxy = await startPostgresProxy(server)
  ours = await openDatabase({ ...server, ...proxy, database }, 'ICEBERG_POSTGRES')
  direct = await openDatabase({ ...server, database }, 'ICEBERG_POSTGRES')
  io = memoryFileIO(() => new Date())
  log = []
})
afterEach(async () => {
  await Promise.all([ours.close(), direct.close()])
  await proxy.stop()
})

const effects: CommitEffects & { readonly openIO: () => Promise<FileIO> } = {
  now: () => new Date(),
  uuid: randomUUID,
  randomBytes,
  random: Math.random,
  sleep: (ms) => sleep(ms),
  openIO: () => Promise.resolve(io),
  log: (level, fields, message) => log.push({ level, message, ...fields }),
}
const catalogOn = (database: PostgresDatabase): Catalog =>
  sqlCatalog('local', database, 'memory://lake', effects)

/** Looks again after 0.1, 0.2, 0.4 … seconds unless `waitMs` says otherwise; or what tables have by default. */
const quick = { 'commit.status-check.min-wait-ms': '100', 'commit.retry.min-wait-ms': '10' }

const staged = async (catalog: Catalog, properties: Record<string, string>): Promise<Table> => {
  await catalog.createNamespace(['default']).catch(() => undefined)
  return catalog.stageCreate(webLogs, { schema: webLogsSchema, properties })
}

const append = async (catalog: Catalog, table: Table, count: number): Promise<CommitResult> =>
  commitSnapshot(catalog, table, request(table, { addFiles: [dataFile(table, { count })] }), effects)

/** Rows by the manifests of the current snapshot, every file of which has to be there. */
const rowsOf = async (): Promise<number> => {
  const { metadata } = await catalogOn(direct).load(webLogs)
  for (const snapshot of metadata.snapshots) expect(await io.stat(snapshot['manifest-list'])).toBeDefined()
  const { entries } = await contents(io, metadata)
  const snapshots = metadata.snapshots.map((snapshot) => snapshot['sequence-number'])
  expect(snapshots).toEqual(snapshots.map((_, index) => index + 1))
  return entries.reduce((sum, { dataFile: file }) => sum + file.recordCount, 0)
}

/** Files in `metadata/` that nothing refers to. */
const orphans = async (): Promise<string[]> => {
  const { metadata, metadataLocation } = await catalogOn(direct).load(webLogs)
  const known = new Set<string | undefined>([metadataLocation])
  for (const entry of metadata['metadata-log']) known.add(entry['metadata-file'])
  for (const snapshot of metadata.snapshots) known.add(snapshot['manifest-list'])
  for (const { manifestPath } of (await contents(io, metadata)).manifests) known.add(manifestPath)
  const names: string[] = []
  for await (const { location } of io.list('memory://lake')) if (!known.has(location)) names.push(location)
  return names
}

/** Both connections of both pools answer, and the server has no session besides: none was left or given back stalled. */
const expectNoOtherSessions = async (): Promise<void> => {
  const own: unknown[] = []
  for (const database of [ours, direct]) {
    const connections = [await database.connect(), await database.connect()]
    for (const connection of connections) {
      const { rows } = await connection.query('SELECT pg_backend_pid() AS pid')
      own.push(rows[0]?.['pid'])
      connection.release()
    }
  }
  // A server notices only after its statement that the client is gone.
  const others = async (): Promise<unknown[]> =>
    (await server.query('SELECT pid FROM pg_stat_activity WHERE datname = $1', [current()]))
      .map(({ pid }) => pid)
      .filter((pid) => !own.includes(pid))
  for (let look = 0; look < 50 && (await others()).length > 0; look++) await sleep(100)
  expect(await others()).toEqual([])
}

const isPointer = ({ sql }: Statement): boolean => /^\s*(UPDATE|INSERT INTO) iceberg_tables/.test(sql)

/** Once the fault that is planned has befallen a statement. */
const metByProxy = async (): Promise<void> => {
  while (proxy.met() === 0) await sleep(1)
}

/** The fault for the next pointer; from then on connections are refused: ours must not look again before others have done anything. */
const planLeaving = (fault: Parameters<PostgresProxy['plan']>[1][number]): void => {
  proxy.plan(
    (statement) => {
      const isNext = isPointer(statement) && proxy.met() === 0
      if (isNext) proxy.away(true)
      return isNext
    },
    [fault],
  )
}

/** Does what others do, however long it takes; then ours can look again. */
const whileAway = async (work: () => Promise<unknown>): Promise<void> => {
  await work()
  proxy.away(false)
}

/** Opens our connections anew, with statements that are given up sooner than by default. */
const impatient = async (timeoutMs: number): Promise<void> => {
  await ours.close()
  ours = await openDatabase({ ...server, ...proxy, database: current() }, 'ICEBERG_POSTGRES', timeoutMs)
}

/** A commit of 7 rows that is an UPDATE upon 5 rows, or the INSERT of a new table. */
const kinds = {
  'the UPDATE of a commit': async (properties: Record<string, string> = quick) => {
    const catalog = catalogOn(ours)
    const created = await catalog.create(await staged(catalog, properties), [])
    const first = await append(catalog, created, 5)
    if (first.kind !== 'committed') throw new Error(first.kind)
    return { before: 5, catalog, table: first.table }
  },
  'the INSERT of a create': async (properties: Record<string, string> = quick) => {
    const catalog = catalogOn(ours)
    return { before: 0, catalog, table: await staged(catalog, properties) }
  },
}
/** Another program's commit: it knows nothing of our queue. */
const foreign = async (count: number): Promise<void> => {
  const catalog: Catalog = { ...catalogOn(direct), inTurn: (_table, work) => work() }
  const table = await catalog.load(webLogs).catch(() => staged(catalog, quick))
  expect((await append(catalog, table, count)).kind).toBe('committed')
}

describe.each(Object.keys(kinds) as (keyof typeof kinds)[])('%s', (kind) => {
  it.each(['cut before', 'cut during', 'lose answer', 'cut after answer'] as const)(
    'with the connection %s the server has it: applied once',
    async (fault) => {
      const { before, catalog, table } = await kinds[kind]()
      proxy.plan(isPointer, [fault])
      expect((await append(catalog, table, 7)).kind).toBe('committed')
      expect(await rowsOf()).toBe(before + 7)
      expect(await orphans()).toEqual([])
      expect(proxy.met()).toBe(fault === 'cut after answer' ? 1 : 2)
    },
  )

  it('delivered 5 s after the client was cut, when our repetition has succeeded', async () => {
    const { before, catalog, table } = await kinds[kind]({})
    proxy.plan(isPointer, [{ deliverAfterMs: 5000 }])
    const started = Date.now()
    expect((await append(catalog, table, 7)).kind).toBe('committed')
    expect(Date.now() - started).toBeLessThan(5000)
    await foreign(2)
    await proxy.delivered()
    expect(Date.now() - started).toBeGreaterThanOrEqual(5000)
    expect(await rowsOf()).toBe(before + 9)
    expect(await orphans()).toEqual([])
  })

  it('delivered 5 s after the client was cut, while the server cannot be reached: found to be ours', async () => {
    const { before, catalog, table } = await kinds[kind]({})
    planLeaving({ deliverAfterMs: 5000 })
    const done = append(catalog, table, 7)
    await metByProxy()
    await whileAway(() => proxy.delivered())
    expect((await done).kind).toBe('committed')
    expect(await rowsOf()).toBe(before + 7)
    expect(await orphans()).toEqual([])
  })

  it('delivered late, and somebody committed upon it before we could look', async () => {
    const { before, catalog, table } = await kinds[kind]()
    planLeaving({ deliverAfterMs: 150 })
    const done = append(catalog, table, 7)
    await metByProxy()
    await whileAway(async () => {
      await proxy.delivered()
      for (let count = 0; count < 3; count++) await foreign(1)
    })
    expect((await done).kind).toBe('committed')
    expect(await rowsOf()).toBe(before + 10)
    expect(await orphans()).toEqual([])
  })

  it('delivered late, after somebody else had committed: lost, so made anew; the late one does nothing', async () => {
    const { before, catalog, table } = await kinds[kind]()
    let deliver: (() => void) | undefined
    const isThrough = new Promise<void>((resolve) => (deliver = resolve))
    planLeaving({ deliverAfter: () => isThrough })
    const done = append(catalog, table, 7)
    await metByProxy()
    await whileAway(() => foreign(3))
    const result = await done
    deliver?.()
    expect(result).toMatchObject({ kind: 'committed', attempts: 2 })
    await proxy.delivered()
    expect(await rowsOf()).toBe(before + 10)
    expect(await orphans()).toEqual([])
  })

  it('never delivered: sent again', async () => {
    const { before, catalog, table } = await kinds[kind]()
    proxy.plan(isPointer, ['cut before', 'cut before', 'cut before'])
    expect((await append(catalog, table, 7)).kind).toBe('committed')
    expect(proxy.met()).toBe(4)
    expect(await rowsOf()).toBe(before + 7)
  })

  it('without an answer for good: unknown, nothing is deleted, both locations are named; it may still arrive', async () => {
    const { before, catalog, table } = await kinds[kind]({ ...quick, 'commit.status-check.num-retries': '2' })
    proxy.plan(isPointer, [{ deliverAfterMs: 2500 }, 'cut before'], true)
    const error: unknown = await append(catalog, table, 7).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'unknownCommit',
      message: expect.stringContaining(table.metadataLocation ?? 'nothing'),
      fix: expect.stringContaining('run the job again'),
    })
    const own = /to (memory:\S+\.json); no file/.exec((error as Error).message)?.[1] ?? ''
    expect(await io.stat(own)).toBeDefined()
    expect(log.at(-1)).toMatchObject({
      level: 'warn',
      message: expect.stringMatching(/stay behind.*unknown/),
    })
    if (before > 0) expect(await rowsOf()).toBe(before)
    await proxy.delivered()
    expect((await catalogOn(direct).load(webLogs)).metadataLocation).toBe(own)
    expect(await rowsOf()).toBe(before + 7)
    expect(await orphans()).toEqual([])
  })
})

describe.each(Object.keys(kinds) as (keyof typeof kinds)[])(
  'no answer to %s, and no broken connection',
  (kind) => {
    const timeoutMs = 1000
    beforeEach(() => impatient(timeoutMs))
    /** Of the statements that change the pointer, in order. */
    let sessions: number[]
    const watchPointer = (): void => {
      sessions = []
      proxy.watch((statement) => {
        if (isPointer(statement)) sessions.push(statement.session)
        return true
      })
    }

    it.each([
      ['never reaches the server', 'stall'],
      ['is applied, its answer does not come', { holdAtBytes: 1, until: () => new Promise(() => undefined) }],
    ] as const)('it %s: given up, repeated over another connection, applied once', async (_what, fault) => {
      const { before, catalog, table } = await kinds[kind]()
      watchPointer()
      proxy.plan(isPointer, [fault])
      const started = Date.now()
      expect((await append(catalog, table, 7)).kind).toBe('committed')
      expect(Date.now() - started).toBeGreaterThanOrEqual(timeoutMs)
      expect(log).toContainEqual(
        expect.objectContaining({ message: expect.stringMatching(/no answer to the commit.*timeout/) }),
      )
      expect(sessions.length).toBeGreaterThanOrEqual(2)
      expect(sessions.slice(1)).not.toContain(sessions[0])
      expect(await rowsOf()).toBe(before + 7)
      expect(await orphans()).toEqual([])
      await expectNoOtherSessions()
    })

    it('it waits for a row that another transaction holds: each repetition too; applied once', async () => {
      const { before, catalog, table } = await kinds[kind]()
      watchPointer()
      const other = await direct.connect()
      await other.query('BEGIN')
      await other.query(
        before > 0
          ? 'UPDATE iceberg_tables SET previous_metadata_location = NULL'
          : `INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name)
           VALUES ('local', 'default', 'web_logs')`,
      )
      const done = append(catalog, table, 7)
      while (sessions.length < 3) await sleep(50)
      await other.query('ROLLBACK')
      other.release()
      expect((await done).kind).toBe('committed')
      expect(new Set(sessions).size).toBe(sessions.length)
      expect(await rowsOf()).toBe(before + 7)
      expect(await orphans()).toEqual([])
      await expectNoOtherSessions()
    })
  },
)

describe('a change without a snapshot', () => {
  it('is not taken for applied because its base’s snapshot is there', async () => {
    const { catalog } = await kinds['the UPDATE of a commit']()
    planLeaving('cut before')
    const done = catalog.commit(webLogs, [], [{ action: 'set-properties', updates: { mine: 'yes' } }])
    await metByProxy()
    await whileAway(() => foreign(1))
    await expect(done).rejects.toMatchObject({ code: 'conflict' })
    expect(await orphans()).toEqual([])
  })

  it('is found behind a metadata log that keeps one entry', async () => {
    const short = { ...quick, 'write.metadata.previous-versions-max': '1' }
    const { catalog } = await kinds['the UPDATE of a commit'](short)
    planLeaving('lose answer')
    const done = catalog.commit(webLogs, [], [{ action: 'set-properties', updates: { mine: 'yes' } }])
    await metByProxy()
    await whileAway(async () => {
      for (let count = 0; count < 2; count++) await foreign(1)
    })
    await done
    expect((await catalogOn(direct).load(webLogs)).metadata.properties['mine']).toBe('yes')
  })
})

describe('the advisory lock’s connection', () => {
  it.each([
    ['cut before', /pg_advisory/],
    ['cut during', /pg_advisory/],
    ['lose answer', /pg_advisory/],
    ['cut after answer', /pg_advisory/],
    ['cut before', /^BEGIN/],
    ['cut before', /^COMMIT/],
    ['lose answer', /^COMMIT/],
  ] as const)('%s %s: the commit goes on without it', async (fault, sql) => {
    const { catalog, table } = await kinds['the UPDATE of a commit']()
    proxy.plan((statement) => sql.test(statement.sql), [fault])
    expect((await append(catalog, table, 7)).kind).toBe('committed')
    expect(proxy.met()).toBe(1)
    expect(await rowsOf()).toBe(12)
    // Nobody holds it any more.
    await foreign(1)
    expect((await direct.query(`SELECT 1 FROM pg_locks WHERE locktype = 'advisory'`)).rows).toEqual([])
  })
})

describe('no answer to the advisory lock’s connection, which is not broken', () => {
  it.each([/^BEGIN/, /pg_advisory/, /^COMMIT/])('%s: the commit goes on without it', async (sql) => {
    await impatient(1000)
    const { catalog, table } = await kinds['the UPDATE of a commit']()
    proxy.plan((statement) => sql.test(statement.sql), ['stall'])
    expect((await append(catalog, table, 7)).kind).toBe('committed')
    expect(proxy.met()).toBe(1)
    expect(await rowsOf()).toBe(12)
    await expectNoOtherSessions()
  })
})

it('a catalog that is restarted in the middle of a commit', async () => {
  const { catalog, table } = await kinds['the UPDATE of a commit']()
  proxy.watch(({ sql }) => {
    if (!sql.includes('UPDATE iceberg_tables')) return true
    proxy.watch(() => true)
    proxy.away(true)
    // The statement waits for this, so its session ends under it whatever is quicker.
    return server
      .query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1', [
        'lakejobs',
      ])
      .then(() => {
        setTimeout(() => {
          proxy.away(false)
        }, 500)
        return true
      })
  })
  expect((await append(catalog, table, 7)).kind).toBe('committed')
  expect(await rowsOf()).toBe(12)
  expect(log).toContainEqual(
    expect.objectContaining({ message: expect.stringContaining('no answer to the commit') }),
  )
})
