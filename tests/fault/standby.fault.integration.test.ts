import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { startPostgresProxy, type PostgresProxy } from '../support/postgres-proxy.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { startStandby, type Standby } from '../support/standby.ts'
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
  // VACUUM removes rows that the standby's query still sees: replaying that cancels it (SQLSTATE 40001).
  const vacuum = async (): Promise<void> => {
    await primary.query('DELETE FROM t WHERE id % 2 = 0')
    await primary.query('VACUUM t')
    await standby.received()
    await sleep(500)
  }
  proxy.plan(({ sql }) => sql.startsWith('COPY'), [{ holdAtBytes: 100_000, until: vacuum }])
  const lines: string[] = []
  const { tables } = await runExport({ ...primary, host: proxy.host, port: proxy.port }, lake, {
    onLog: (line) => {
      if (line.includes('starting again')) lines.push(line)
    },
  })
  expect(lines).toHaveLength(1)
  expect(tables).toMatchObject([{ status: 'ok', rows: 20_000 }])
  expect(await queryTable(await load(lake), 'SELECT count(*), sum(id) FROM FILES')).toEqual([
    ['20000', '400000000'],
  ])
})
