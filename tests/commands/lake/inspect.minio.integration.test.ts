import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  ListObjectsV2Command,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import * as v from 'valibot'
import { inspectSchema, type TableReport } from '../../../jobs/inspect/report-schema.ts'
import { s3Client } from '../../../jobs/storage/s3/client.ts'
import { run, type Ran } from '../../support/cli.ts'
import { startMinio, storeEnvironment, type Minio } from '../../support/minio.ts'
import { eachWithDatabase } from '../each-with-database.ts'

const { place } = eachWithDatabase()
let minio: Minio
beforeAll(async () => {
  minio = await startMinio()
}, 300_000)
afterAll(() => minio.stop())

const lakejobs = (...words: string[]): Promise<Ran> =>
  run(words, {
    cwd: place.cwd,
    env: {
      ...place.env,
      ...storeEnvironment(minio),
      WAREHOUSE: 's3://lake/iceberg',
      PARQUET_LOCATION: 's3://lake/parquet',
    },
  })

describe('lakejobs inspect of a lake in an object store', () => {
  it('adds up to what the store lists, unfinished uploads beside it', async () => {
    const client = s3Client({ ...minio, region: 'us-east-1' })
    await client.send(new CreateBucketCommand({ Bucket: 'lake' }))
    await place.query(
      'CREATE TABLE web_logs AS SELECT i AS id FROM generate_series(1, 500) i; ANALYZE web_logs',
    )
    for (let round = 0; round < 2; round++) expect(await lakejobs('export')).toMatchObject({ exit: 0 })
    const object = { Bucket: 'lake', Key: 'iceberg/default/web_logs/data/half.parquet' }
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(object))
    await client.send(new UploadPartCommand({ ...object, UploadId, PartNumber: 1, Body: Buffer.alloc(1234) }))
    const { Contents = [] } = await client.send(
      new ListObjectsV2Command({ Bucket: 'lake', Prefix: 'iceberg/default/web_logs/' }),
    )
    const bytes = Contents.reduce((total, { Size = 0 }) => total + Size, 0)
    const ran = await lakejobs('inspect', '--table', 'web_logs', '--tree', '--storage', '--json')
    expect(ran).toMatchObject({ exit: 0, stderr: '' })
    const [report] = v.parse(inspectSchema, JSON.parse(ran.stdout)).tables as TableReport[]
    const { storage, tree, rows } = report!
    expect(rows).toBe(500)
    expect(storage).toMatchObject({
      files: Contents.length,
      bytes,
      unreferenced: { files: 0 },
      unfinished: { files: 1, bytes: 1234 },
    })
    expect(storage!.live.bytes + storage!.kept.bytes).toBe(bytes)
    expect(storage!.kept.bytes).toBeGreaterThan(0)
    expect(tree!.objects).toContainEqual(
      expect.objectContaining({
        part: 'parquet',
        location: 's3://lake/parquet/web_logs/web_logs.parquet',
        purpose: '500 rows of public.web_logs',
        snapshot: report!.snapshot!.id,
      }),
    )
    const shown = await lakejobs('inspect', '--table', 'web_logs', '--tree')
    expect(shown.stdout).toMatch(
      /^s3:\/\/lake\/\n├── iceberg\/default\/web_logs\/ {2}the Iceberg table default\.web_logs$/m,
    )
    expect(shown.stdout).toMatch(/half\.parquet +1,234 {2}- +a write that is under way, or was left$/m)
  })
})
