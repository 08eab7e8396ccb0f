import { describe, expect, it } from '@jest/globals'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { readLog } from '../../../jobs/aggregate/log/source.ts'
import { FileNotFound } from '../../../jobs/storage/errors.ts'
import type { FileIO } from '../../../jobs/storage/file-io.ts'
import { localFileIO } from '../../../jobs/storage/local/local.ts'
import { memoryFileIO } from '../../../jobs/storage/memory.ts'
import { pieces } from './scan.ts'

const location = 'memory://logs/2024-09-10.csv.gz'
const log = Buffer.from('a@x,READ,2024-09-10 12:26:57\n'.repeat(10_000))
const gzip = gzipSync(log)

async function read(io: FileIO, from = location): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of readLog(io, from, () => undefined)) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}

/** A store that delivers `bytes` in pieces of `size`. */
const storeOf = (bytes: Buffer, size = bytes.length): FileIO => ({
  ...memoryFileIO(() => new Date(0)),
  stream: () => Promise.resolve(Readable.from(pieces(bytes, size))),
})

const changed = (at: number): Buffer => {
  const copy = Buffer.from(gzip)
  copy[copy.length + at]! ^= 1
  return copy
}

describe('readLog', () => {
  it('reads plain files as they are', async () => {
    const io = memoryFileIO(() => new Date(0))
    await io.write('memory://logs/2024-09-10.csv', log)
    expect(log.equals(await read(io, 'memory://logs/2024-09-10.csv'))).toBe(true)
  })

  it('reads ahead of a local file without touching what was handed over', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lakejobs-source-'))
    try {
      const bytes = Buffer.alloc(3.5 * 2 ** 20)
      for (let at = 0; at < bytes.length; at += 4) bytes.writeUInt32LE(at, at)
      const path = join(folder, 'log.csv')
      await writeFile(path, bytes)
      const chunks: Buffer[] = []
      for await (const chunk of readLog(localFileIO(), `file://${path}`, () => undefined)) {
        // What is read ahead meanwhile is read by then.
        await readFile(path)
        await setImmediate()
        chunks.push(Buffer.from(chunk))
      }
      expect(Buffer.concat(chunks).equals(bytes)).toBe(true)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it.each([1, 1000, gzip.length])('decompresses one member and several, in chunks of %i', async (size) => {
    expect(log.equals(await read(storeOf(gzip, size)))).toBe(true)
    const both = await read(storeOf(Buffer.concat([gzip, gzip]), size))
    expect(both.equals(Buffer.concat([log, log]))).toBe(true)
  })

  describe.each([
    ['cut short', gzip.subarray(0, -9)],
    ['cut within its trailer', gzip.subarray(0, -1)],
    ['empty', Buffer.alloc(0)],
    ['with a wrong CRC', changed(-8)],
    ['with a wrong length', changed(-1)],
    ['not gzip', log],
    ['followed by garbage', Buffer.concat([gzip, Buffer.from('garbage')])],
    ['followed by zeros', Buffer.concat([gzip, Buffer.alloc(3)])],
    ['followed by a zero and a member', Buffer.concat([gzip, Buffer.alloc(1), gzip])],
    ['followed by half a member', Buffer.concat([gzip, gzip.subarray(0, 20)])],
  ])('a file %s', (_, bytes) => {
    it.each([1, 1000, gzip.length, 1e9])('fails, in chunks of %i', async (size) => {
      await expect(read(storeOf(bytes, size))).rejects.toMatchObject({
        code: 'data',
        field: location,
        message: expect.stringContaining(location),
        fix: expect.stringContaining('gzip -t'),
      })
    })
  })

  it('passes on the failures of the store', async () => {
    await expect(read(memoryFileIO(() => new Date(0)))).rejects.toBeInstanceOf(FileNotFound)
    const failing = async function* () {
      yield gzip.subarray(0, 20)
      await Promise.reject(new Error('connection lost'))
    }
    const io = { ...storeOf(gzip), stream: () => Promise.resolve(Readable.from(failing())) }
    await expect(read(io)).rejects.toThrow('connection lost')
  })

  it('closes the file when the reader stops early', async () => {
    const stored = Readable.from(pieces(gzip, 10))
    const io = { ...storeOf(gzip), stream: () => Promise.resolve(stored) }
    for await (const chunk of readLog(io, location, () => undefined)) {
      expect(chunk.length).toBeGreaterThan(0)
      break
    }
    expect(stored.destroyed).toBe(true)
  })
})
