import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import * as v from 'valibot'
import { reportSchema, type Report } from '../../jobs/report/schema.ts'
import { s3Client } from '../../jobs/storage/s3/client.ts'
import { eachWithDatabase } from '../commands/each-with-database.ts'
import { run, summaryOf, type Ran } from '../support/cli.ts'
import { startMinio, storeEnvironment, type Minio } from '../support/minio.ts'

const { place } = eachWithDatabase()
let minio: Minio
beforeAll(async () => {
  minio = await startMinio()
}, 300_000)
afterAll(() => minio.stop())

const date = '2024-09-16'
const ok = async (...words: string[]): Promise<Ran> => {
  const ran = await run(words, {
    cwd: place.cwd,
    env: {
      ...place.env,
      ...storeEnvironment(minio),
      WAREHOUSE: 's3://lake/iceberg',
      LAKEJOBS_FORMAT: 'iceberg',
      CRUD_OUTPUT: 's3://lake/crud/output',
      CRUD_CACHE: 's3://lake/crud/cache',
    },
  })
  expect(ran).toMatchObject({ exit: 0 })
  return ran
}

it('reads a lake, counts, runs and rejects of an object store, and writes its page there', async () => {
  const client = s3Client({ ...minio, region: 'us-east-1' })
  await client.send(new CreateBucketCommand({ Bucket: 'lake' }))
  const object = async (Key: string): Promise<{ text: string; type: string | undefined }> => {
    const { Body, ContentType } = await client.send(new GetObjectCommand({ Bucket: 'lake', Key }))
    return { text: await Body!.transformToString(), type: ContentType }
  }
  await place.query('CREATE TABLE t AS SELECT i AS id FROM generate_series(1, 500) i')
  await ok('export', '--table', 'public.t')
  await ok('generate', 'data/crud/input', '2024-09-10', '7', '5', '100')
  await ok('aggregate', date)

  const { outputs } = summaryOf(await ok('report', date, '--output', 's3://lake/reports/'))
  expect(outputs).toEqual([`s3://lake/reports/${date}.html`, `s3://lake/reports/${date}.json`])
  const page = await object(`reports/${date}.html`)
  expect(page).toMatchObject({
    type: 'text/html; charset=utf-8',
    text: expect.stringMatching(/^<!doctype/i) as unknown,
  })
  const stored = await object(`reports/${date}.json`)
  expect(stored.type).toBe('application/json')
  const report: Report = v.parse(v.strictObject(reportSchema.entries), JSON.parse(stored.text))
  expect(report).toMatchObject({
    tables: expect.arrayContaining([
      expect.objectContaining({ name: 'default.t', rows: 500, lastRows: 500 }),
      expect.objectContaining({ name: 'weekly CRUD counts', state: 'fresh', lastRows: 5 }),
    ]) as unknown,
    crud: { users: 5 },
  })
  const { create, read, update, delete: removed } = report.crud!.total
  expect(create + read + update + removed).toBe(700)
  const { Contents = [] } = await client.send(
    new ListObjectsV2Command({ Bucket: 'lake', Prefix: 'iceberg/default/t/' }),
  )
  const bytes = Contents.reduce((sum, { Size = 0 }) => sum + Size, 0)
  expect(report.lake).toMatchObject({ tables: 1, rows: 500, files: Contents.length, bytes })
})
