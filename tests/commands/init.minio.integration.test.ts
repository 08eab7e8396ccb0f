import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, run, summaryOf, type Ran } from '../support/cli.ts'
import { startMinio, storeEnvironment, type Minio } from '../support/minio.ts'
import { freePort } from '../support/free-port.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'

let minio: Minio
let server: TestPostgres
let cwd: string
beforeAll(async () => {
  build()
  minio = await startMinio()
  server = await startPostgres()
  cwd = await mkdtemp(join(tmpdir(), 'lakejobs-init-'))
}, 300_000)
afterAll(async () => {
  await server.stop()
  await minio.stop()
  await rm(cwd, { recursive: true, force: true })
})

const init = (more: Readonly<Record<string, string>>, command = 'init'): Promise<Ran> =>
  run([command], {
    cwd,
    env: {
      ICEBERG_POSTGRES_HOST: server.host,
      ICEBERG_POSTGRES_PORT: String(server.port),
      ICEBERG_POSTGRES_DB: server.database,
      ICEBERG_POSTGRES_USER: server.user,
      ICEBERG_POSTGRES_PASSWORD: server.password,
      ...storeEnvironment(minio),
      ...more,
    },
  })
const lake = {
  WAREHOUSE: 's3://lake/iceberg',
  PARQUET_LOCATION: 's3://lake/parquet',
  CRUD_INPUT: 's3://logs',
}
const buckets = (ran: Ran): unknown =>
  (summaryOf(ran).items ?? []).filter(({ item }) => item.startsWith('bucket'))

describe('lakejobs init with an object store', () => {
  it('says which bucket is missing, and what to do, where it may not make one', async () => {
    const ran = await init(lake)
    expect(summaryOf(ran)).toMatchObject({
      exit: 2,
      error: { field: 'WAREHOUSE', fix: expect.stringContaining('S3_CREATE_BUCKET=true') as unknown },
    })
    expect(buckets(ran)).toMatchObject([
      { item: 'bucket lake', state: 'failed', note: expect.stringContaining('no such bucket') as unknown },
      { item: 'bucket logs', state: 'failed' },
    ])
  })

  it('makes each bucket once, also when it runs twice at once', async () => {
    const runs = await Promise.all([1, 2, 3].map(() => init({ ...lake, S3_CREATE_BUCKET: 'true' })))
    expect(runs.map(({ exit }) => exit)).toEqual([0, 0, 0])
    expect(buckets(await init(lake))).toEqual([
      { item: 'bucket lake', state: 'was there' },
      { item: 'bucket logs', state: 'was there' },
    ])
  })

  it('a store that is away is exit 1 with its address', async () => {
    const endpoint = `http://127.0.0.1:${await freePort()}`
    expect(summaryOf(await init({ ...lake, S3_ENDPOINT: endpoint }))).toMatchObject({
      exit: 1,
      error: {
        field: 'S3_ENDPOINT',
        message: expect.stringContaining(endpoint) as unknown,
        fix: expect.stringContaining('S3_ENDPOINT') as unknown,
      },
    })
  })

  it('check writes, reads and removes a hidden object, and names a bucket that is missing', async () => {
    const made = { ...lake, POSTGRES_USER: server.user, S3_CREATE_BUCKET: 'true' }
    await init(made)
    const places = (ran: Ran): unknown =>
      (summaryOf(ran).checks ?? []).filter(({ detail }) => /s3:|bucket/.test(detail))
    expect(places(await init(made, 'check'))).toMatchObject([
      { check: 'WAREHOUSE', status: 'ok', detail: 's3://lake/iceberg: writable, empty' },
      { check: 'PARQUET_LOCATION', status: 'ok', detail: 's3://lake/parquet: writable, empty' },
      { check: 'CRUD_INPUT', status: 'ok', detail: 's3://logs: readable, empty' },
    ])
    expect(places(await init({ ...made, WAREHOUSE: 's3://nowhere/x' }, 'check'))).toMatchObject([
      {
        check: 'WAREHOUSE',
        status: 'failed',
        detail: 'no such bucket: nowhere',
        field: 'WAREHOUSE',
        fix: expect.stringContaining('or correct WAREHOUSE.') as unknown,
      },
      { check: 'PARQUET_LOCATION', status: 'ok' },
      { check: 'CRUD_INPUT', status: 'ok' },
    ])
    const refused = await init({ ...made, MINIO_ROOT_PASSWORD: 'canary-not-the-key' }, 'check')
    expect(places(refused)).toMatchObject([])
    expect(summaryOf(refused).checks?.slice(0, 4)).toMatchObject([
      { check: 'source', status: 'failed', field: 'POSTGRES_HOST' },
      {
        check: 'WAREHOUSE',
        status: 'failed',
        fix: expect.stringContaining('MINIO_ROOT_PASSWORD') as unknown,
      },
      { check: 'PARQUET_LOCATION', status: 'failed' },
      { check: 'CRUD_INPUT', status: 'failed' },
    ])
    expect(refused.stdout + refused.stderr).not.toContain('canary')
  })
})
