import { HeadBucketCommand, ListBucketsCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { s3Client } from '../../jobs/storage/s3/client.ts'
import { s3FileIO } from '../../jobs/storage/s3/s3.ts'
import { build, run, summaryOf, type Ran } from '../support/cli.ts'
import { freePort } from '../support/free-port.ts'
import { startMinio, storeEnvironment, type Minio } from '../support/minio.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'

let server: TestPostgres
let minio: Minio
/** Answers as a web server that is no object store. */
let other: Server
let cwd: string
let catalog: string
let catalogs = 0
beforeAll(async () => {
  build()
  ;[server, minio] = [await startPostgres(), await startMinio()]
  cwd = await mkdtemp(join(tmpdir(), 'lakejobs-cwd-'))
  other = createServer((_, answer) => answer.end('<html>hello</html>'))
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  await server.query(`
    CREATE TABLE t AS SELECT i AS id, timestamptz '2024-09-01 00:00+00' + i % 12 * interval '1 day' AS at
      FROM generate_series(1, 1200) i;
    ANALYZE t`)
}, 300_000)
afterAll(async () => {
  other.close()
  await minio.stop()
  await server.stop()
  await rm(cwd, { recursive: true })
})
beforeEach(async () => {
  catalog = `catalog_${++catalogs}`
  await server.createDatabase(catalog)
})

/** Found in no output: never the password of anything else. */
const canary = 'canary-88d2a0'
const bucket = (): string => `s3://lake-${catalogs}`

const lakejobs = (words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> => {
  const { host, port, user, password, database } = server
  const postgres = { HOST: host, PORT: String(port), USER: user, PASSWORD: password }
  const named = (prefix: string): Record<string, string> =>
    Object.fromEntries(Object.entries(postgres).map(([name, value]) => [`${prefix}_${name}`, value]))
  return run(['export', '--table', 't', ...words], {
    cwd,
    env: {
      ...named('POSTGRES'),
      ...named('ICEBERG_POSTGRES'),
      POSTGRES_DB: database,
      ICEBERG_POSTGRES_DB: catalog,
      ...storeEnvironment(minio),
      WAREHOUSE: `${bucket()}/iceberg`,
      PARQUET_LOCATION: `${bucket()}/parquet`,
      ...env,
    },
  })
}
const create = { S3_CREATE_BUCKET: 'true' }
const client = () => s3Client({ ...minio, region: 'us-east-1' })
const buckets = async (): Promise<number> =>
  (await client().send(new ListBucketsCommand({}))).Buckets?.length ?? 0

it('a backfill of more days than files are open at once, then a lookback that finds one day changed', async () => {
  const words = ['--from', '2024-09-01', '--to', '2024-09-12']
  expect(summaryOf(await lakejobs(words, create))).toMatchObject({ exit: 0, rows: 1200, files: 24 })
  await client().send(new HeadBucketCommand({ Bucket: bucket().slice(5) }))
  await server.query('UPDATE t SET id = -id WHERE id = 9')
  const again = await lakejobs(['--date', '2024-09-12', '--lookback', '11'])
  expect(summaryOf(again)).toMatchObject({
    exit: 0,
    rows: 100,
    files: 2,
    tables: [{ unchangedDays: 11, snapshotId: expect.stringMatching(/^\d+$/) as unknown }],
  })
  const locations: string[] = []
  const io = s3FileIO({ ...minio, region: 'us-east-1' })
  for await (const { location } of io.list(`${bucket()}/parquet`)) locations.push(location)
  expect(locations).toHaveLength(12)
})

describe('a dry run', () => {
  it('makes no bucket, no catalog table and no folder', async () => {
    const before = await buckets()
    expect(summaryOf(await lakejobs(['--dry-run'], create))).toMatchObject({
      exit: 0,
      tables: [{ plan: { changes: ['create table default.t'] } }],
    })
    expect(await buckets()).toBe(before)
    expect(await server.query(`SELECT FROM pg_class WHERE relname LIKE 'iceberg%'`, [], catalog)).toEqual([])
    expect(await readdir(cwd)).toEqual([])
  })
})

interface BadInput {
  readonly what: string
  readonly env: () => Promise<Readonly<Record<string, string>>>
  readonly exit: number
  readonly field: () => string
  readonly message: RegExp
}

const given = (env: Readonly<Record<string, string>>) => () => Promise.resolve(env)
const bad: readonly BadInput[] = [
  {
    what: 'an endpoint where nothing listens',
    env: async () => ({ S3_ENDPOINT: `http://127.0.0.1:${await freePort()}` }),
    exit: 1,
    field: () => 'S3_ENDPOINT',
    message: /cannot reach the object store at http:/,
  },
  {
    what: 'an endpoint that is no URL',
    env: given({ S3_ENDPOINT: 'localhost:9000' }),
    exit: 2,
    field: () => 'S3_ENDPOINT',
    message: /"localhost:9000" is not valid/,
  },
  {
    what: 'a wrong key id',
    env: given({ MINIO_ROOT_USER: 'nobody' }),
    exit: 2,
    field: () => 'MINIO_ROOT_USER',
    message: /refuses the access key/,
  },
  {
    what: 'a wrong secret',
    env: given({ MINIO_ROOT_PASSWORD: canary }),
    exit: 2,
    field: () => 'MINIO_ROOT_PASSWORD',
    message: /refuses the access key/,
  },
  {
    what: 'a wrong secret of AWS names',
    env: () =>
      Promise.resolve({
        MINIO_ROOT_USER: '',
        MINIO_ROOT_PASSWORD: '',
        AWS_ACCESS_KEY_ID: minio.accessKeyId,
        AWS_SECRET_ACCESS_KEY: canary,
      }),
    exit: 2,
    field: () => 'AWS_SECRET_ACCESS_KEY',
    message: /refuses the access key/,
  },
  {
    what: 'half a key',
    env: given({ MINIO_ROOT_PASSWORD: '' }),
    exit: 2,
    field: () => 'MINIO_ROOT_PASSWORD',
    message: /is set without MINIO_ROOT_PASSWORD/,
  },
  {
    what: 'a missing bucket that may not be made',
    env: given({}),
    exit: 2,
    field: () => 'WAREHOUSE',
    message: /no such bucket: lake-/,
  },
]

describe('bad input', () => {
  it.each(bad)('$what: exit $exit, one line that names the setting', async (one) => {
    const before = await buckets()
    for (const words of [
      ['--format', 'parquet'],
      ['--dry-run', '--format', 'iceberg'],
    ]) {
      const ran = await lakejobs(words, await one.env())
      const { error } = summaryOf(ran)
      expect({ exit: ran.exit, field: error?.field }).toEqual({ exit: one.exit, field: one.field() })
      expect(error?.message).toMatch(one.message)
      expect(error?.fix).toMatch(/\w+/)
      expect(ran.stderr.trimEnd().split('\n')).toHaveLength(1)
      expect(ran.stderr + ran.stdout).not.toMatch(/\n\s+at |\\n\s+at /)
      for (const secret of [canary, minio.secretAccessKey, server.password]) {
        expect(ran.stderr + ran.stdout).not.toContain(secret)
        expect(ran.stderr + ran.stdout).not.toContain(JSON.stringify(secret).slice(1, -1))
      }
    }
    expect(await buckets()).toBe(before)
  })

  it('a web server that is no object store: exit 1, no stack', async () => {
    const { port } = other.address() as AddressInfo
    const ran = await lakejobs(['--format', 'parquet'], { S3_ENDPOINT: `http://127.0.0.1:${port}` })
    expect(summaryOf(ran)).toMatchObject({ exit: 1, error: { field: 'S3_ENDPOINT' } })
    expect(ran.stderr + ran.stdout).not.toMatch(/\n\s+at |\\n\s+at /)
  })
})
