import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseRemote } from '../../jobs/spark/remote.ts'
import { openSession, type SparkSession } from '../../jobs/spark/session.ts'
import { observed, readFiles, type Plan, type Relation } from '../../jobs/spark/plan.ts'
import { startProxy } from './proxy.ts'
import { testRemote } from './server.ts'

const query = (sql: string): Plan => ({ root: { sql: { query: sql } } })
/** Takes a minute, unless somebody ends it. */
const long = 'SELECT count(*) FROM range(100000000000) WHERE id % 7 = hash(id)'
/** One row that takes so many milliseconds. */
const sleeping = (milliseconds: number): Relation => ({
  sql: {
    query: `SELECT id, reflect('java.lang.Thread', 'sleep', CAST(${milliseconds} AS BIGINT)) FROM range(0, 1, 1, 1)`,
  },
})
const never = new AbortController().signal

describe('a session with Spark Connect', () => {
  let session: SparkSession
  beforeAll(async () => {
    session = await openSession({ remote: testRemote(), signal: never, patienceMs: 60_000 })
  })
  afterAll(async () => {
    await session.close()
  })

  it('executes plans and tells what was observed', async () => {
    const numbers: Relation = { sql: { query: 'SELECT id FROM range(1000)' } }
    const plan = { root: observed(numbers, 'numbers', { rows: 'count(1)', sum: 'sum(id)' }) }
    expect(await session.run(plan)).toEqual(new Map([['numbers', { rows: 1000, sum: 499_500 }]]))
  })

  it("tells Spark's failures in one line, with their class", async () => {
    await expect(session.run(query('SELECT nothing'))).rejects.toMatchObject({
      code: 'failed',
      message: expect.stringMatching(
        /^Spark: \[UNRESOLVED_COLUMN\.\w+\] A column[^\n]*`nothing`[^\n]*$/,
      ) as unknown,
    })
    await expect(
      session.run({ root: readFiles('text', 'value STRING', ['file:///nowhere/x']) }),
    ).rejects.toMatchObject({
      message: expect.stringMatching(/^Spark: \[PATH_NOT_FOUND\] [^\n]*$/) as unknown,
      field: 'SPARK_PATH_MAP',
    })
    // Within a task of an executor.
    await expect(session.run(query("SELECT raise_error('a\nb') FROM range(3)"))).rejects.toMatchObject({
      message: expect.stringMatching(/^Spark: [^\n]*$/) as unknown,
    })
  })

  it('ends the operation on the server when it is told to stop', async () => {
    const stop = new AbortController()
    const running = session.run(query(long), stop.signal)
    await sleep(1500)
    const stoppedAt = Date.now()
    stop.abort(new Error('stopped'))
    await expect(running).rejects.toThrow('stopped')
    // Both cores are free again: what still ran would take a minute.
    await session.run(query('SELECT count(*) FROM range(0, 1000, 1, 2)'))
    expect(Date.now() - stoppedAt).toBeLessThan(30_000)
  }, 90_000)

  it('goes on behind a connection that was cut, and gives up one that stays away', async () => {
    const proxy = await startProxy()
    const remote = { ...testRemote(), host: '127.0.0.1', port: proxy.port }
    const cut = await openSession({ remote, signal: never, patienceMs: 20_000 })
    try {
      const slow = observed(sleeping(4000), 'slow', { rows: 'count(1)' })
      const running = cut.run({ root: slow })
      await sleep(1000)
      proxy.cut()
      await sleep(500)
      proxy.cut()
      expect(await running).toEqual(new Map([['slow', { rows: 1 }]]))
    } finally {
      await cut.close()
    }
    const lost = await openSession({ remote, signal: never, patienceMs: 1000 })
    try {
      // What nobody can reach goes on: not for long.
      const running = lost.run({ root: sleeping(5000) })
      running.catch(() => undefined)
      await sleep(500)
      proxy.refuse()
      proxy.cut()
      await expect(running).rejects.toMatchObject({
        code: 'failed',
        field: 'SPARK_REMOTE',
        message: expect.stringMatching(
          /^Spark: nothing answers at sc:\/\/127\.0\.0\.1:\d+: [^\n]*$/,
        ) as unknown,
      })
    } finally {
      proxy.accept()
      await lost.close()
      proxy.stop()
    }
  }, 120_000)

  it('says where nothing answers', async () => {
    const remote = parseRemote('sc://127.0.0.1:9')
    await expect(openSession({ remote, signal: never, patienceMs: 1000 })).rejects.toMatchObject({
      code: 'failed',
      field: 'SPARK_REMOTE',
      message: expect.stringMatching(/^Spark: nothing answers at sc:\/\/127\.0\.0\.1:9: /) as unknown,
    })
  })

  it('is told apart from one that has ended', async () => {
    const ended = await openSession({ remote: testRemote(), signal: never, patienceMs: 1000 })
    await ended.run(query('SELECT 1'))
    // As a server does with a session that was idle for an hour.
    await ended.release()
    await expect(ended.run(query('SELECT 1'))).rejects.toMatchObject({
      message: expect.stringMatching(/^Spark: \[INVALID_HANDLE\.SESSION_\w+\] /) as unknown,
      fix: expect.stringContaining('run again') as unknown,
    })
    await ended.close()
  })
})
