import { open, type FileHandle } from 'node:fs/promises'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { asError, dataError, systemCode } from '../../errors.ts'
import type { FileIO } from '../../storage/file-io.ts'

/** The ending of a log's name decides how its bytes are read. */
export const isGzip = (location: string): boolean => location.endsWith('.gz')

/** A day's key: the SHA-256 of its log's bytes as stored, and how they are read. */
export const logKey = (location: string, sha256: string): string =>
  isGzip(location) ? `${sha256}.gz` : sha256

const chunkSize = 65_536
const fileBufferBytes = 1 << 20

/**
 * The bytes of a day's log, decompressed when its name ends in `.gz` (RFC 1952: any number of members, whose CRC
 * and length are checked). Throws a `dataError` naming the file when it is not gzip, cut short, damaged or
 * followed by other bytes, zeros included: nothing is left unread silently. Chunks before the fault have then been
 * delivered, so a caller publishes nothing before the end. A chunk is the caller's until it asks for the next one.
 * Other errors are the store's own. `onStored` sees the bytes as they are stored, compressed or not.
 */
export async function* readLog(
  io: FileIO,
  location: string,
  onStored: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (!isGzip(location)) {
    for await (const chunk of await plainChunks(io, location)) {
      onStored(chunk)
      yield chunk
    }
    return
  }
  const stored = await io.stream(location)
  let fed = 0
  const gunzip = createGunzip({ chunkSize })
  const counted = async function* (source: Readable): AsyncGenerator<Buffer> {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      onStored(chunk)
      fed += chunk.length
      yield chunk
    }
  }
  // A failure of the store reaches the reader as the error that destroys `gunzip`.
  pipeline(stored, counted, gunzip, () => undefined)
  try {
    yield* gunzip as AsyncIterable<Buffer>
  } catch (thrown) {
    throw (systemCode(thrown) ?? '').startsWith('Z_') ? damaged(location, thrown) : thrown
  }
  // Node takes a zero byte after a member as padding and drops everything that follows it.
  if (fed > gunzip.bytesWritten) throw damaged(location, new Error('bytes after the last gzip member'))
}

/** A local file's bytes through two buffers: a stream's new buffer for each chunk costs more than reading it. */
async function plainChunks(io: FileIO, location: string): Promise<AsyncIterable<Uint8Array>> {
  const path = io.localPath(location)
  const file = path === undefined ? undefined : await open(path).catch(() => undefined)
  // What cannot be opened is the store's to explain.
  return file === undefined ? ((await io.stream(location)) as AsyncIterable<Buffer>) : fileChunks(file)
}

/** Reads ahead: while one buffer is the caller's, the other one is filled. */
async function* fileChunks(file: FileHandle): AsyncGenerator<Uint8Array, void, undefined> {
  const buffers = [Buffer.allocUnsafe(fileBufferBytes), Buffer.allocUnsafe(fileBufferBytes)] as const
  const fill = (buffer: Buffer): Promise<{ bytesRead: number }> => {
    const filling = file.read(buffer, 0, buffer.length)
    // Until somebody waits for it, its failure is not an unhandled one.
    filling.catch(() => undefined)
    return filling
  }
  let [now, next] = buffers
  let filling = fill(now)
  try {
    for (;;) {
      const { bytesRead } = await filling
      if (bytesRead === 0) return
      filling = fill(next)
      yield now.subarray(0, bytesRead)
      ;[now, next] = [next, now]
    }
  } finally {
    await filling.catch(() => undefined)
    await file.close()
  }
}

function damaged(location: string, cause: unknown): Error {
  return dataError(`${location} is not a sound gzip file: ${asError(cause).message}`, {
    field: location,
    fix: 'Copy or compress the file again (`gzip -t` must pass), then run the job again.',
    cause,
  })
}
