import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { ensureBucket, s3FileIO } from '../../../jobs/storage/s3/s3.ts'
import { startFaultyProxy, type FaultyProxy } from '../../support/faulty-proxy.ts'
import { startMinio, type Minio } from '../../support/minio.ts'
import { listed } from '../listed.ts'

let minio: Minio
let proxy: FaultyProxy

beforeAll(async () => {
  minio = await startMinio()
  proxy = await startFaultyProxy(minio.endpoint)
  await ensureBucket('s3://lake', { ...minio, region: 'us-east-1', createBucket: true })
})
afterAll(async () => {
  await proxy.stop()
  await minio.stop()
})

it('a listing that a policy does not allow is told with the statement that it lacks', async () => {
  const io = s3FileIO({ ...minio, region: 'us-east-1', endpoint: proxy.endpoint, attempts: 2 })
  await io.write('s3://lake/logs/a', Buffer.from('x'))
  expect(await listed(io, 's3://lake/logs')).toHaveLength(1)
  proxy.plan(({ url = '' }) => url.includes('list-type=2'), [{ status: 403, code: 'AccessDenied' }], true)
  await expect(listed(io, 's3://lake/logs')).rejects.toMatchObject({
    code: 'failed',
    message: expect.stringContaining('s3:ListBucket'),
    fix: expect.stringMatching(/"Action": ?\[?"s3:ListBucket".*arn:aws:s3:::lake/),
  })
})
