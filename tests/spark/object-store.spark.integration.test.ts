import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { s3Client } from '../../jobs/storage/s3/client.ts'
import { build, run, summaryOf } from '../support/cli.ts'
import { startMinio, storeEnvironment, type Minio } from '../support/minio.ts'
import { startOwnSpark, type OwnSpark } from './own-spark.ts'

const day = '2024-09-16'
let minio: Minio
let spark: OwnSpark
let cwd: string
beforeAll(async () => {
  build()
  cwd = await mkdtemp(join(tmpdir(), 'lakejobs-spark-s3a-'))
  minio = await startMinio()
  spark = await startOwnSpark(undefined, storeEnvironment(minio))
}, 600_000)
afterAll(async () => {
  await spark.stop()
  await minio.stop()
  await rm(cwd, { recursive: true })
})

it('logs, cache and results in an object store: the same bytes, and what one engine has counted is warm for the other', async () => {
  const client = s3Client({ ...minio, region: 'us-east-1' })
  await client.send(new CreateBucketCommand({ Bucket: 'crud' }))
  const env = { ...storeEnvironment(minio), SPARK_REMOTE: spark.address }
  const ok = async (...words: string[]): Promise<ReturnType<typeof summaryOf>> => {
    const ran = await run(words, { cwd, env })
    if (ran.exit !== 0) throw new Error(ran.stderr)
    return summaryOf(ran)
  }
  const aggregate = (output: string, cache: string, ...words: string[]) =>
    ok('aggregate', 's3://crud/logs', `s3://crud/${output}`, day, '--cache', `s3://crud/${cache}`, ...words)
  await ok('generate', 's3://crud/logs', '2024-09-10', '7', '500', '5000')

  expect(await aggregate('spark', 'by-spark', '--engine', 'spark')).toMatchObject({
    scannedDays: 7,
    rows: 35_000,
  })
  expect(await aggregate('embedded', 'embedded')).toMatchObject({ scannedDays: 7 })
  expect(await aggregate('warm', 'by-spark')).toMatchObject({ cachedDays: 7, scannedDays: 0 })
  const [bySpark, ...others] = await Promise.all(
    ['spark', 'embedded', 'warm'].map(async (name) => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: 'crud', Key: `${name}/${day}.csv` }))
      return Body!.transformToString('latin1')
    }),
  )
  expect(others.map((text) => text === bySpark)).toEqual([true, true])
  const { Contents = [] } = await client.send(
    new ListObjectsV2Command({ Bucket: 'crud', Prefix: 'by-spark/' }),
  )
  const keys = Contents.map(({ Key }) => Key!)
  expect(keys.filter((key) => key.startsWith('by-spark/spark/'))).toEqual([])
  // Spark's writer is named in what it wrote.
  const counts = await Promise.all(
    keys
      .filter((key) => key.endsWith('.parquet'))
      .map(async (Key) => {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: 'crud', Key }))
        return (await Body!.transformToString('latin1')).includes('parquet-mr')
      }),
  )
  expect(counts).toEqual(Array(7).fill(true))
}, 300_000)
