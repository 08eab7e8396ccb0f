import { PutBucketVersioningCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import type { IncomingMessage } from 'node:http'
import type { FileIO } from '../../../jobs/storage/file-io.ts'
import { s3Client, type S3Settings } from '../../../jobs/storage/s3/client.ts'
import { ensureBucket, s3FileIO } from '../../../jobs/storage/s3/s3.ts'
import { startFaultyProxy, type FaultyProxy } from '../../support/faulty-proxy.ts'
import { startMinio, type Minio } from '../../support/minio.ts'
import { listed } from '../listed.ts'

const isBulk = ({ method, url = '' }: IncomingMessage): boolean => method === 'POST' && /[?&]delete/.test(url)
const isSingle = ({ method }: IncomingMessage): boolean => method === 'DELETE'

describe('the removal of many objects', () => {
  let minio: Minio
  let proxy: FaultyProxy
  let settings: S3Settings
  let direct: FileIO
  let io: FileIO
  let names: string[]
  let round = 0

  beforeAll(async () => {
    minio = await startMinio()
    proxy = await startFaultyProxy(minio.endpoint)
    settings = { ...minio, region: 'us-east-1' }
    for (const bucket of ['s3://lake', 's3://versions'])
      await ensureBucket(bucket, { ...settings, createBucket: true })
    direct = s3FileIO(settings)
    io = s3FileIO({ ...settings, endpoint: proxy.endpoint, attempts: 2 })
  })
  afterAll(async () => {
    await proxy.stop()
    await minio.stop()
  })
  beforeEach(async () => {
    proxy.plan(() => false, [])
    const folder = `s3://lake/${++round}`
    names = Array.from({ length: 5 }, (_, n) => `${folder}/${n}`)
    await Promise.all(names.map((name) => direct.write(name, Buffer.from('x'))))
  })
  const left = async (): Promise<readonly string[]> =>
    (await listed(direct, `s3://lake/${round}`)).map(({ location }) => location)

  it('is one request, and goes one by one in a store that has no such request', async () => {
    proxy.plan((request) => isBulk(request) || isSingle(request), ['none'])
    expect(await io.deleteAll(names.slice(0, 3))).toEqual({ failures: [], hidden: 0 })
    expect(proxy.met()).toBe(1)
    proxy.plan(isBulk, [{ status: 501, code: 'NotImplemented' }], true)
    expect(await io.deleteAll(names.slice(3))).toEqual({ failures: [], hidden: 0 })
    expect(await left()).toEqual([])
  })

  it('tells each object that stays, with the statement that a policy lacks', async () => {
    const denied = { status: 403, code: 'AccessDenied' }
    proxy.plan(
      (request) => isBulk(request) || (isSingle(request) && request.url!.includes('/3')),
      [denied],
      true,
    )
    const { failures } = await io.deleteAll(names)
    expect(failures).toMatchObject([
      {
        location: names[3],
        error: {
          code: 'failed',
          message: `s3:DeleteObject is denied for ${names[3]}`,
          fix: expect.stringContaining(
            '{"Effect":"Allow","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::lake/*"}',
          ) as unknown,
        },
      },
    ])
    expect(await left()).toEqual([names[3]])
  })

  it('tries again what a request of many names as failed, and asks no store for each that does not answer', async () => {
    proxy.plan(isBulk, ['lose answer'])
    expect(await io.deleteAll(names)).toEqual({ failures: [], hidden: 0 })
    expect(await left()).toEqual([])
    proxy.plan((request) => isBulk(request) || isSingle(request), ['reset'], true)
    const { failures } = await io.deleteAll(names)
    expect(failures.map(({ location }) => location)).toEqual(names)
    expect(proxy.met()).toBe(2)
  })

  it('in a bucket with versions is said to hide them', async () => {
    const client = s3Client(settings)
    const VersioningConfiguration = { Status: 'Enabled' } as const
    await client.send(new PutBucketVersioningCommand({ Bucket: 'versions', VersioningConfiguration }))
    await direct.write('s3://versions/a', Buffer.from('x'))
    await direct.write('s3://versions/b', Buffer.from('x'))
    expect(await direct.deleteAll(['s3://versions/a', 's3://versions/b'])).toEqual({
      failures: [],
      hidden: 2,
    })
    expect(await listed(direct, 's3://versions')).toEqual([])
  })
})
