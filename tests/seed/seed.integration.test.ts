import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import pino from 'pino'
import { seed, type SeedOptions } from '../../jobs/seed/seed.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'

let server: TestPostgres
beforeAll(async () => {
  server = await startPostgres()
}, 30_000)
afterAll(() => server.stop())
beforeEach(() => server.query('DROP TABLE IF EXISTS web_logs'))

const defaults: SeedOptions = {
  rows: 10_000,
  days: 7,
  date: '2024-09-24',
  seed: 1,
  mode: 'refuse',
  demo: false,
}

async function run(
  options: Partial<SeedOptions> = {},
  { signal = new AbortController().signal, onRows = (): void => undefined } = {},
): Promise<{ outcome: Awaited<ReturnType<typeof seed>>; progressed: number }> {
  let progressed = 0
  const progress = {
    start: () => ({
      add: (count: number) => {
        progressed += count
        onRows()
      },
      done: () => undefined,
    }),
  }
  const outcome = await seed(
    server,
    { ...defaults, ...options },
    { progress, signal, logger: pino({ level: 'silent' }) },
  )
  return { outcome, progressed }
}

const perDay = async (): Promise<Record<string, number>> => {
  const rows = await server.query(
    `SELECT (timestamp AT TIME ZONE 'UTC')::date::text AS day, count(*)::int AS n FROM web_logs GROUP BY 1 ORDER BY 1`,
  )
  return Object.fromEntries(rows.map(({ day, n }) => [String(day), Number(n)]))
}

describe('seed', () => {
  it('creates the table of the contract, with lakejobs’ mark and an index', async () => {
    const { outcome, progressed } = await run()
    expect(outcome).toEqual({ rows: 10_000, from: '2024-09-18', to: '2024-09-24' })
    expect(progressed).toBe(10_000)
    const columns = await server.query(
      `SELECT attname || ' ' || format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' NOT NULL' END AS c
       FROM pg_attribute WHERE attrelid = 'web_logs'::regclass AND attnum > 0 ORDER BY attnum`,
    )
    expect(columns.map(({ c }) => c)).toEqual([
      'user_id integer NOT NULL',
      'url text NOT NULL',
      'response_time integer NOT NULL',
      'status_code integer NOT NULL',
      'timestamp timestamp with time zone NOT NULL',
    ])
    expect(await server.query(`SELECT obj_description('web_logs'::regclass, 'pg_class') AS mark`)).toEqual([
      { mark: 'lakejobs demo data' },
    ])
    expect(await server.query(`SELECT FROM pg_indexes WHERE tablename = 'web_logs'`)).toHaveLength(1)
    expect(Object.keys(await perDay())).toEqual([18, 19, 20, 21, 22, 23, 24].map((day) => `2024-09-${day}`))
  })

  it('gives the same rows for the same seed', async () => {
    const digest = async (): Promise<unknown> =>
      (
        await server.query(
          `SELECT md5(string_agg(t::text, '|' ORDER BY timestamp, t::text)) AS d FROM web_logs t`,
        )
      )[0]
    await run()
    const before = await digest()
    await run({ mode: 'replace' })
    expect(await digest()).toEqual(before)
    await run({ mode: 'replace', seed: 2 })
    expect(await digest()).not.toEqual(before)
  })

  it('refuses a table that has rows and names the three flags', async () => {
    await run()
    await expect(run()).rejects.toMatchObject({
      code: 'usage',
      fix: expect.stringMatching(/--append.*--replace.*--if-empty/) as unknown,
    })
    await run({ mode: 'append' })
    expect(await server.query('SELECT count(*)::int AS n FROM web_logs')).toEqual([{ n: 20_000 }])
  })

  it('replaces only the days it fills', async () => {
    await run()
    const before = await perDay()
    await run({ mode: 'replace', days: 2, rows: 500, date: '2024-09-22' })
    const after = await perDay()
    expect(after['2024-09-21']! + after['2024-09-22']!).toBe(500)
    for (const day of [18, 19, 20, 23, 24]) expect(after[`2024-09-${day}`]).toBe(before[`2024-09-${day}`])
  })

  it('does nothing if a day it would fill has rows, and fills others', async () => {
    await run({ mode: 'if-empty' })
    await expect(run({ mode: 'if-empty', date: '2024-09-30', days: 7 })).rejects.toMatchObject({
      code: 'nothingToDo',
    })
    await run({ mode: 'if-empty', date: '2024-10-01', days: 7 })
    expect(await server.query('SELECT count(*)::int AS n FROM web_logs')).toEqual([{ n: 20_000 }])
  })

  it('runs one after the other: of two that fill only if empty, one does', async () => {
    const results = await Promise.allSettled([run({ mode: 'if-empty' }), run({ mode: 'if-empty' })])
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await server.query('SELECT count(*)::int AS n FROM web_logs')).toEqual([{ n: 10_000 }])
  })

  it('leaves nothing behind when it is stopped', async () => {
    await run()
    const controller = new AbortController()
    const { signal } = controller
    const onRows = (): void => {
      controller.abort(new Error('stopped'))
    }
    await expect(run({ mode: 'replace', rows: 3_000_000 }, { signal, onRows })).rejects.toThrow('stopped')
    expect(await server.query('SELECT count(*)::int AS n FROM web_logs')).toEqual([{ n: 10_000 }])
  })

  it('as a demo touches only its own or an empty table', async () => {
    const foreign = `CREATE TABLE web_logs (user_id int, url text, response_time int, status_code int, timestamp timestamptz);
      COMMENT ON TABLE web_logs IS 'ours'`
    await server.query(`${foreign}; INSERT INTO web_logs (user_id) VALUES (1)`)
    for (const mode of ['append', 'replace', 'if-empty'] as const) {
      await expect(run({ mode, demo: true })).rejects.toMatchObject({ code: 'usage', field: 'DEMO_DATA' })
    }
    await server.query('TRUNCATE web_logs')
    await run({ demo: true })
    await run({ demo: true, mode: 'replace' })
    expect(await server.query(`SELECT obj_description('web_logs'::regclass, 'pg_class') AS mark`)).toEqual([
      { mark: 'ours (lakejobs demo data)' },
    ])
  })
})
