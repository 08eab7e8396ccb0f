import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { JobError } from '../../jobs/errors.ts'
import { startPostgresProxy, type PostgresProxy } from './postgres-proxy.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { startStandby, type Standby } from './standby.ts'
import { load, openLake, queryTable, runExport, type TestLake } from '../export/lake.ts'

let primary: TestPostgres
let standby: Standby
let proxy: PostgresProxy
let lake: TestLake
beforeAll(async () => {
  primary = await startPostgres({ autovacuum: 'off' })
  // Small enough to be read without threads, more than a connection's buffers hold.
  await primary.query(`CREATE TABLE t AS SELECT i AS id, repeat(md5(i::text), 30) AS text
                         FROM generate_series(1, 40000) i; ANALYZE t`)
  standby = await startStandby(primary)
  proxy = await startPostgresProxy(standby)
  lake = await openLake(primary)
}, 120_000)
afterAll(async () => {
  await lake.close()
  await proxy.stop()
  await standby.stop()
  await primary.stop()
})

it('a query that a standby cancels restarts the whole export under a new snapshot', async () => {
  // VACUUM removes rows that the standby's query still sees: replaying that cancels it (SQLSTATE 40001), or ends its session where
  // the query has sent all that it had. Then the export has failed for another reason, and what is meant here is tried again.
  const attempt = async (part: number): Promise<{ lines: string[]; tables: unknown } | undefined> => {
    const vacuum = async (): Promise<void> => {
      await primary.query(`DELETE FROM t WHERE id % 4 = ${part}`)
      await primary.query('VACUUM t')
      await standby.replayed()
    }
    proxy.plan(({ sql }) => sql.startsWith('COPY'), [{ holdAtBytes: 100_000, until: vacuum }])
    const lines: string[] = []
    try {
      const { tables } = await runExport({ ...primary, host: proxy.host, port: proxy.port }, lake, {
        onLog: (line) => {
          if (line.includes('starting again')) lines.push(line)
        },
      })
      return { lines, tables }
    } catch (error) {
      if (
        part < 2 &&
        error instanceof JobError &&
        error.message.includes('connection to PostgreSQL was lost')
      )
        return undefined
      throw error
    }
  }
  const ended = (await attempt(0)) ?? (await attempt(1)) ?? (await attempt(2))
  const rows = await primary.query('SELECT count(*)::int AS rows, sum(id)::text AS sum FROM t')
  const [left] = rows as unknown as [{ rows: number; sum: string }]
  expect(left.rows).toBeLessThan(40_000)
  expect(ended?.lines).toHaveLength(1)
  expect(ended?.tables).toMatchObject([{ status: 'ok', rows: left.rows }])
  expect(await queryTable(await load(lake), 'SELECT count(*), sum(id) FROM FILES')).toEqual([
    [String(left.rows), left.sum],
  ])
})
