import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { s3FileIO } from '../../../jobs/storage/s3/s3.ts'

/** Takes every request and says nothing, or no more than that there is an answer. */
let server: Server
let requests: string[]
let endpoint: string
let begins = false
beforeEach(async () => {
  requests = []
  server = createServer((incoming, outgoing) => {
    requests.push(incoming.method ?? '')
    incoming.resume()
    if (begins) outgoing.writeHead(200, { 'content-length': 10, etag: '"e"' }).write('begun')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(() => {
  begins = false
  server.closeAllConnections()
  server.close()
})

const store = () =>
  s3FileIO({ endpoint, region: 'us-east-1', accessKeyId: 'a', secretAccessKey: 'b', stallTimeoutMs: 400 })

it.each(['read', 'write', 'stat'] as const)(
  '%s: a store that accepts and hangs is left after the second try',
  async (what) => {
    const io = store()
    const place = 's3://lake/file'
    const result =
      what === 'read' ? io.read(place) : what === 'stat' ? io.stat(place) : io.write(place, Buffer.from('x'))
    await expect(result).rejects.toMatchObject({
      code: 'failed',
      fix: expect.stringContaining('--stall-timeout') as unknown,
    })
    expect(requests).toHaveLength(2)
  },
)

it('an answer that begins and does not go on is left, too', async () => {
  begins = true
  await expect(store().read('s3://lake/file')).rejects.toMatchObject({ code: 'failed' })
})
