import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { asError, dataError, systemCode } from '../../errors.ts'
import type { FileIO } from '../../storage/file-io.ts'

const chunkSize = 65_536

/**
 * The bytes of a day's log, decompressed when its name ends in `.gz` (RFC 1952: any number of members, whose CRC
 * and length are checked). Throws a `dataError` naming the file when it is not gzip, cut short, damaged or
 * followed by other bytes, zeros included: nothing is left unread silently. Chunks before the fault have then been
 * delivered, so a caller publishes nothing before the end. Other errors are the store's own. `onStored` sees the
 * bytes as they are stored, compressed or not.
 */
export async function* readLog(
  io: FileIO,
  location: string,
  onStored: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const stored = await io.stream(location)
  if (!location.endsWith('.gz')) {
    for await (const chunk of stored as AsyncIterable<Buffer>) {
      onStored(chunk)
      yield chunk
    }
    return
  }
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

function damaged(location: string, cause: unknown): Error {
  return dataError(`${location} is not a sound gzip file: ${asError(cause).message}`, {
    field: location,
    fix: 'Copy or compress the file again (`gzip -t` must pass), then run the job again.',
    cause,
  })
}
