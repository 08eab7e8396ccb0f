import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { build, run, start, summaryOf, type Ran, type RunOptions } from '../support/cli.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'

let server: TestPostgres
let cwd: string
beforeAll(async () => {
  build()
  server = await startPostgres()
  cwd = await mkdtemp(join(tmpdir(), 'lakejobs-seed-'))
}, 120_000)
afterAll(async () => {
  await server.stop()
  await rm(cwd, { recursive: true })
})
beforeEach(() => server.query('DROP TABLE IF EXISTS web_logs'))

const options = (): RunOptions => ({
  cwd,
  env: {
    POSTGRES_HOST: server.host,
    POSTGRES_PORT: String(server.port),
    POSTGRES_DB: server.database,
    POSTGRES_USER: server.user,
    POSTGRES_PASSWORD: server.password,
  },
})
const seed = (...words: string[]): Promise<Ran> =>
  run(['seed', '--date=2024-09-24', '--rows=1000', ...words], options())
const count = async (): Promise<unknown> =>
  (await server.query('SELECT count(*)::int AS n FROM web_logs'))[0]?.['n']
const digest = async (): Promise<unknown> =>
  (
    await server.query(
      `SELECT md5(string_agg(t::text, '|' ORDER BY timestamp, t::text)) AS d FROM web_logs t`,
    )
  )[0]

describe('lakejobs seed', () => {
  it('fills the days that it says, the same with the same number', async () => {
    expect(summaryOf(await seed())).toMatchObject({
      exit: 0,
      rows: 1000,
      from: '2024-09-18',
      to: '2024-09-24',
    })
    const first = await digest()
    expect((await seed('--replace')).exit).toBe(0)
    expect(await digest()).toEqual(first)
    expect((await seed('--replace', '--seed', '2')).exit).toBe(0)
    expect(await digest()).not.toEqual(first)
  })

  it('exit 2 for a table that has rows; 99 with --if-empty; --append and --replace go on', async () => {
    await seed()
    expect(summaryOf(await seed())).toMatchObject({
      exit: 2,
      status: 'failed',
      error: { fix: expect.stringMatching(/--append.*--replace.*--if-empty/) as unknown },
    })
    expect(summaryOf(await seed('--if-empty'))).toMatchObject({ exit: 99, status: 'skipped' })
    expect(await count()).toBe(1000)
    expect((await seed('--append')).exit).toBe(0)
    expect(await count()).toBe(2000)
    expect((await seed('--replace', '--days', '1')).exit).toBe(0)
    expect(await count()).toBeLessThan(3000)
  })

  it('--demo acts only with DEMO_DATA=true, and only on its own or an empty table', async () => {
    const demo = (value: string, ...words: string[]): Promise<Ran> => {
      const { cwd, env } = options()
      return run(['seed', '--demo', '--date=2024-09-24', '--rows=1000', ...words], {
        cwd,
        env: { ...env, DEMO_DATA: value },
      })
    }
    for (const value of ['', 'false', 'False']) {
      expect(summaryOf(await demo(value))).toMatchObject({
        exit: 99,
        status: 'skipped',
        error: { code: 'nothingToDo', field: 'DEMO_DATA' },
      })
    }
    expect(await server.query(`SELECT to_regclass('web_logs') AS found`)).toEqual([{ found: null }])
    expect(summaryOf(await demo('perhaps'))).toMatchObject({ exit: 2, error: { field: 'DEMO_DATA' } })

    await server.query('CREATE TABLE web_logs (n int); INSERT INTO web_logs VALUES (1)')
    for (const mode of ['--append', '--replace', '--if-empty']) {
      expect(summaryOf(await demo('true', mode))).toMatchObject({ exit: 2, error: { field: 'DEMO_DATA' } })
    }
    await server.query('DROP TABLE web_logs')
    const both = await Promise.all([demo('true', '--if-empty'), demo('true', '--if-empty')])
    expect(both.map(({ exit }) => exit).sort()).toEqual([0, 99])
    expect(await count()).toBe(1000)
    expect((await demo('True', '--replace')).exit).toBe(0)
    expect(await count()).toBe(1000)
  })

  it('leaves a table alone that has other columns than it fills', async () => {
    const columns = 'user_id int, url text, status_code int, "timestamp" timestamptz'
    // As the four bytes of a whole number a real is another number.
    for (const other of ['response_time real', 'duration int']) {
      await server.query(`DROP TABLE IF EXISTS web_logs; CREATE TABLE web_logs (${columns}, ${other})`)
      const refused = summaryOf(await seed())
      expect(refused).toMatchObject({ exit: 2, error: { field: 'public.web_logs' } })
      expect(refused.error?.message).toContain('response_time')
      expect(await count()).toBe(0)
    }
    await server.query(
      `DROP TABLE web_logs; CREATE TABLE web_logs (response_time int, ${columns}, more varchar(9))`,
    )
    expect(summaryOf(await seed())).toMatchObject({ exit: 0, rows: 1000 })
  })

  it.each([
    [['--append', '--replace'], '--append'],
    [['--rows', '0'], '--rows'],
    [['--rows', '1.5'], '--rows'],
    [['--days', '0'], '--days'],
    [['--days', '999999999999'], '--days'],
    [['--date', '0001-01-03', '--days', '4'], '--days'],
    [['--seed', '-1'], '--seed'],
    [['--date', '2024-02-30'], '--date'],
  ])('%j is exit 2', async (words, field) => {
    const ran = await run(['seed', ...words], options())
    expect(summaryOf(ran)).toMatchObject({ exit: 2, error: { field } })
  })

  it('stopped by SIGINT leaves the table as it was', async () => {
    await seed()
    const running = start(['seed', '--rows', '5000000', '--append'], options())
    const copying = 'SELECT FROM pg_stat_progress_copy WHERE tuples_processed > 0'
    while ((await server.query(copying)).length === 0) await sleep(20)
    running.child.kill('SIGINT')
    expect(summaryOf(await running.ended)).toMatchObject({ exit: 130 })
    expect(await count()).toBe(1000)
  })
})
