import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { availableParallelism } from 'node:os'
import { s3FileIO } from '../../jobs/storage/s3/s3.ts'
import { eachWithDatabase } from '../commands/each-with-database.ts'
import { run, summaryOf, type Ran } from '../support/cli.ts'
import { startMinio, storeEnvironment, type Minio } from '../support/minio.ts'

const { place } = eachWithDatabase()
let minio: Minio
beforeAll(async () => {
  minio = await startMinio()
}, 120_000)
afterAll(() => minio.stop())

const lakejobs = (...words: readonly string[]): Promise<Ran> =>
  run([...words, '--log-level', 'warn'], {
    cwd: place.cwd,
    env: {
      ...place.env,
      ...storeEnvironment(minio),
      S3_CREATE_BUCKET: 'true',
      WAREHOUSE: 's3://verified/lake',
      LAKEJOBS_FORMAT: 'iceberg',
      NODE_DEBUG: 'worker',
    },
  })

it('row groups of an object store are hashed by threads; a file that is gone is told', async () => {
  await place.query(`
    CREATE TABLE t AS SELECT i AS id, timestamptz '2024-09-01 00:00Z' + i % 3 * interval '1 day' AS at, md5(i::text) || md5((-i)::text) AS text
                      FROM generate_series(1, 360000) i;
    ANALYZE t`)
  const flags = ['--table', 'public.t', '--mode', 'full', '--partition-by', 'day(at)']
  expect(await lakejobs('export', ...flags)).toMatchObject({ exit: 0 })
  // DuckDB would say that it has too little.
  const ran = await lakejobs('verify', '--against', 'written', '--memory-limit', '1MB')
  expect(summaryOf(ran)).toMatchObject({ exit: 0, rows: 360_000, tables: [{ verified: { match: 3 } }] })
  expect(ran.stderr.match(/created Worker with ID/g) ?? []).toHaveLength(
    Math.min(availableParallelism(), 4) - 1,
  )
  const io = s3FileIO({ ...minio, region: 'us-east-1' })
  for await (const { location } of io.list('s3://verified/lake/default/t/data'))
    if (location.includes('2024-09-02')) await io.delete(location)
  const without = summaryOf(await lakejobs('verify', '--against', 'written'))
  const found = without.tables?.[0]?.verified?.intervals.map(
    ({ interval, result }) => `${interval} ${result}`,
  )
  expect(found).toEqual(['2024-09-02 incomplete', '2024-09-01 match', '2024-09-03 match'])
  expect(without.exit).toBe(3)
}, 120_000)
