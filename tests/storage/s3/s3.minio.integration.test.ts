import {
  CreateBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { mapConcurrently } from '../../../jobs/concurrency.ts'
import { FileExists } from '../../../jobs/storage/errors.ts'
import type { FileIO } from '../../../jobs/storage/file-io.ts'
import { s3Client, type S3Settings } from '../../../jobs/storage/s3/client.ts'
import { s3Error } from '../../../jobs/storage/s3/errors.ts'
import { ensureBucket, s3FileIO } from '../../../jobs/storage/s3/s3.ts'
import { uploadSink } from '../../../jobs/storage/s3/upload.ts'
import { startFaultyProxy, type FaultyProxy } from '../../support/faulty-proxy.ts'
import { freePort } from '../../support/free-port.ts'
import { startMinio, type Minio } from '../../support/minio.ts'
import { fileIOConformance } from '../conformance.ts'
import { listed } from '../listed.ts'

async function uploads(client: S3Client): Promise<readonly string[]> {
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: 'lake' }))
  return Uploads.map(({ Key = '' }) => Key)
}

fileIOConformance('s3', async () => {
  const minio = await startMinio()
  const settings = { ...minio, region: 'us-east-1' }
  const client = s3Client(settings)
  await client.send(new CreateBucketCommand({ Bucket: 'lake' }))
  return {
    io: s3FileIO(settings),
    root: 's3://lake',
    leftovers: () => uploads(client),
    stop: () => minio.stop(),
  }
})

const body = Buffer.alloc(2_000_000, 'lake')
const large = Buffer.alloc(20 << 20, 'lake')

describe('s3FileIO against a store that fails', () => {
  let minio: Minio
  let proxy: FaultyProxy
  let settings: S3Settings
  let direct: FileIO
  let io: FileIO

  beforeAll(async () => {
    minio = await startMinio()
    proxy = await startFaultyProxy(minio.endpoint)
    settings = { ...minio, region: 'us-east-1' }
    await ensureBucket('s3://lake', { ...settings, createBucket: true })
    direct = s3FileIO(settings)
    io = s3FileIO({ ...settings, endpoint: proxy.endpoint })
  })
  afterEach(async () => {
    proxy.plan(() => false, [])
    expect(await uploads(s3Client(settings))).toEqual([])
  })
  afterAll(async () => {
    await proxy.stop()
    await minio.stop()
  })

  it('lists what takes more than one page, each object once', async () => {
    const names = Array.from({ length: 2005 }, (_, n) => `s3://lake/pages/${String(n).padStart(4, '0')}`)
    await mapConcurrently(names, 32, (name) => direct.write(name, Buffer.from('x')))
    expect((await listed(direct, 's3://lake/pages')).map(({ location }) => location)).toEqual(names)
    await direct.deleteAll(names)
  })

  it('errors when a body is cut in the middle, and reads whole objects again', async () => {
    await direct.write('s3://lake/cut', body)
    proxy.plan(({ method }) => method === 'GET', [{ bytes: 1000 }, { bytes: 1000 }])
    await expect(io.stream('s3://lake/cut').then(buffer)).rejects.toMatchObject({
      code: 'failed',
      message: expect.stringContaining('reading s3://lake/cut broke off'),
    })
    expect((await io.read('s3://lake/cut')).equals(body)).toBe(true)
    expect(proxy.met()).toBe(3)
  })

  it('repeats a request that the store could not serve or whose connection was reset', async () => {
    const unavailable = { status: 503, code: 'SlowDown' }
    proxy.plan(({ method }) => method === 'PUT', [unavailable, 'reset'])
    await io.write('s3://lake/again', body)
    expect(proxy.met()).toBe(3)
    expect((await direct.read('s3://lake/again')).equals(body)).toBe(true)
  })

  it.each([
    ['PutObject', body, ({ method }: IncomingMessage) => method === 'PUT'],
    ['CompleteMultipartUpload', large, ({ url = '' }: IncomingMessage) => url.includes('?uploadId=')],
  ])('recognises its own object when the answer to %s is lost', async (name, content, matches) => {
    const at = `s3://lake/own-${name}`
    proxy.plan(matches, ['lose answer'])
    const written = await io.write(at, content, { ifAbsent: true })
    expect(proxy.met()).toBe(2)
    expect((await direct.stat(at))?.identity).toBe(written.identity)
    await expect(io.write(at, content, { ifAbsent: true })).rejects.toBeInstanceOf(FileExists)
  })

  it("does not take another writer's object with the same content for its own", async () => {
    await direct.write('s3://lake/foreign', body)
    proxy.plan(({ method }) => method === 'PUT', [{ status: 503, code: 'SlowDown' }])
    await expect(io.write('s3://lake/foreign', body, { ifAbsent: true })).rejects.toBeInstanceOf(FileExists)
    expect(proxy.met()).toBe(2)
  })

  it.each([
    ['PutObject', body, ({ method }: IncomingMessage) => method === 'PUT'],
    ['CompleteMultipartUpload', large, ({ url = '' }: IncomingMessage) => url.includes('?uploadId=')],
  ])('takes its own object for no other when the answer to %s is lost', async (name, content, matches) => {
    const at = `s3://lake/over-${name}`
    await direct.write(at, body.subarray(1))
    proxy.plan(matches, ['lose answer'])
    const file = await io.create(at)
    await file.write(content)
    let looks = 0
    const written = await file.close(async () => {
      looks++
      return (await direct.stat(at))?.identity
    })
    expect([looks, proxy.met()]).toEqual([1, 2])
    expect((await direct.stat(at))?.identity).toBe(written.identity)
  })

  it('writes without conditions to a store that has none', async () => {
    const at = 's3://lake/unconditional'
    await direct.write(at, body.subarray(1))
    proxy.plan(({ method }) => method === 'PUT', [{ status: 501, code: 'NotImplemented' }])
    const file = await io.create(at)
    await file.write(body)
    await file.close(async () => (await direct.stat(at))?.identity)
    expect(proxy.met()).toBe(2)
    expect((await direct.read(at)).equals(body)).toBe(true)
  })

  it('repeats a create-only write that met another one', async () => {
    proxy.plan(({ method }) => method === 'PUT', [{ status: 409, code: 'ConditionalRequestConflict' }])
    await io.write('s3://lake/conflict', body, { ifAbsent: true })
    expect((await direct.read('s3://lake/conflict')).equals(body)).toBe(true)
  })

  it('aborts a multipart upload of which one part fails', async () => {
    const failing = { status: 500, code: 'InternalError' }
    proxy.plan(({ url = '' }) => url.includes('partNumber=2'), [failing], true)
    const file = await io.create('s3://lake/parts')
    const writing = async (): Promise<void> => {
      for (let i = 0; i < 1000; i++) await file.write(large)
    }
    await expect(writing()).rejects.toMatchObject({ code: 'failed', field: 's3://lake/parts' })
    await expect(file.close()).rejects.toMatchObject({ code: 'failed' })
    expect(await direct.stat('s3://lake/parts')).toBeUndefined()
  })

  it.each(['WHEN_REQUIRED', 'WHEN_SUPPORTED'] as const)(
    'sends parts that grow, in order, with checksums %s',
    async (checksums) => {
      const key = `growing-${checksums}`
      const client = s3Client({ ...settings, checksums })
      const MiB = 1 << 20
      const sink = uploadSink({
        client,
        bucket: 'lake',
        key,
        ifAbsent: true,
        etagIn: (identity) => identity,
        changed: () => new Error('changed'),
        toError: (thrown) => thrown as Error,
        written: (size, etag = '') => ({ location: key, size, identity: etag }),
        // S3 takes no part but the last below 5 MiB.
        partSize: (written) => Math.max(5 * MiB, written / 2),
      })
      // No two blocks are the same.
      const content = Buffer.alloc(40 * MiB)
      for (let at = 0; at < content.length; at += 4096) content.writeUInt32LE(at, at)
      for (let at = 0; at < content.length; at += 1_000_003) {
        await sink.write(content.subarray(at, at + 1_000_003))
      }
      expect(await sink.publish()).toMatchObject({ size: content.length })

      const part = async (PartNumber: number): Promise<number> =>
        (await client.send(new HeadObjectCommand({ Bucket: 'lake', Key: key, PartNumber }))).ContentLength ??
        0
      const sizes = await Promise.all([1, 2, 3, 4, 5, 6].map(part))
      expect(sizes.map((size) => size / MiB)).toEqual([5, 5, 5, 7.5, 11.25, 6.25])
      expect((await direct.read(`s3://lake/${key}`)).equals(content)).toBe(true)
    },
  )

  it('drops parts that the store does not answer', async () => {
    proxy.plan(({ url = '' }) => url.includes('partNumber='), ['stall'], true)
    const file = await io.create('s3://lake/stalled')
    await file.write(large)
    while (proxy.met() < 2) await sleep(10)
    // The store never answers, so this ends only if it does not wait for that.
    await file.abort()
  })

  it('interrupts the sending of the last parts', async () => {
    const reason = new Error('stopped')
    const controller = new AbortController()
    const file = await io.create('s3://lake/interrupted', { signal: controller.signal })
    await file.write(large)
    proxy.plan(({ url = '' }) => url.includes('partNumber='), [{ status: 500, code: 'InternalError' }], true)
    const closing = file.close()
    controller.abort(reason)
    await expect(closing).rejects.toBe(reason)
    expect(await direct.stat('s3://lake/interrupted')).toBeUndefined()
  })

  it('names a missing bucket and the fix', async () => {
    const missing = {
      code: 'usage',
      message: 'no such bucket: nowhere',
      fix: expect.stringContaining('S3_CREATE_BUCKET=true'),
    }
    await expect(io.write('s3://nowhere/x', body)).rejects.toMatchObject(missing)
    await expect(io.write('s3://nowhere/x', large)).rejects.toMatchObject(missing)
    await expect(io.stat('s3://nowhere/x')).rejects.toMatchObject(missing)
    await expect(io.read('s3://nowhere/x')).rejects.toMatchObject(missing)
    await expect(listed(io, 's3://nowhere')).rejects.toMatchObject(missing)
    await expect(ensureBucket('s3://nowhere/prefix', settings)).rejects.toMatchObject(missing)
  })

  it('makes a bucket once', async () => {
    const creating = { ...settings, createBucket: true }
    expect(await ensureBucket('s3://new-bucket/prefix', creating)).toBe(true)
    expect(await ensureBucket('s3://new-bucket/prefix', creating)).toBe(false)
    expect(await ensureBucket('s3://new-bucket', settings)).toBe(false)
  })

  it.each([
    ['accessKeyId', /refuses the access key \(InvalidAccessKeyId\)/],
    ['secretAccessKey', /refuses the access key \(SignatureDoesNotMatch\)/],
  ])('says that the %s is wrong', async (half, message) => {
    const other = s3FileIO({ ...settings, [half]: 'wrong-canary' })
    const wrong = { code: 'usage', message: expect.stringMatching(message) }
    await expect(other.read('s3://lake/x')).rejects.toMatchObject(wrong)
    await expect(other.write('s3://lake/x', body)).rejects.toMatchObject(wrong)
    // HEAD has no body to say why.
    await expect(other.stat('s3://lake/x')).rejects.toMatchObject({
      message: expect.stringMatching(/^access denied to s3:\/\/lake\/x/),
      fix: expect.stringContaining('access key'),
    })
  })

  it('names an endpoint that nothing listens on', async () => {
    const port = await freePort()
    const endpoint = `http://127.0.0.1:${port}`
    const away = s3FileIO({ ...settings, endpoint })
    await expect(away.stat('s3://lake/x')).rejects.toMatchObject({
      code: 'failed',
      message: expect.stringContaining(endpoint),
    })
    // Under Jest the SDK takes Node's errors for foreign values and wraps them without their code.
    const [refused] = (await once(connect(port, '127.0.0.1'), 'connect').catch((error: unknown) => [
      error,
    ])) as [unknown]
    expect(s3Error(refused, { endpoint, bucket: 'lake' })).toMatchObject({
      code: 'failed',
      message: expect.stringContaining(`cannot reach the object store at ${endpoint}`),
      fix: expect.stringContaining('S3_ENDPOINT'),
    })
  })

  it('refuses half a key', () => {
    expect(() => s3FileIO({ region: 'us-east-1', accessKeyId: 'x' })).toThrow('is set without')
  })
})

it('buffers a bounded amount when the store takes nothing', async () => {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => sockets.add(socket.pause().on('error', () => undefined)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const io = s3FileIO({ endpoint, region: 'us-east-1', accessKeyId: 'x', secretAccessKey: 'y' })
  const file = await io.create('s3://lake/x')
  let taken = 0
  const writing = (async () => {
    for (;;) {
      await file.write(body)
      taken += body.length
    }
  })().catch(() => undefined)
  // Without a bound each turn of the event loop takes more. It is over when a thousand turns took nothing.
  const bound = 64 << 20
  for (let turns = 0, before = 0; turns < 1000 && taken < bound; turns++) {
    if (sockets.size === 0 || taken !== before) turns = 0
    before = taken
    await nextTurn()
  }
  expect(taken).toBeGreaterThan(0)
  expect(taken).toBeLessThan(bound)
  for (const socket of sockets) socket.destroy()
  server.close()
  await file.abort()
  await writing
})
