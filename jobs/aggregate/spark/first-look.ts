import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { FileIO } from '../../storage/file-io.ts'

/** What one pass over a log's bytes tells without looking at its records. */
export interface FirstLook {
  /** SHA-256 of the file as stored: the day's key. */
  readonly key: string
  /** Bytes. */
  readonly size: number
  readonly startsWithHeader: boolean
  /** The sum of the CRC-32 of each line without its line feed, modulo 2^32: Spark must have read the same bytes, not as many. */
  readonly checksum: number
}

/** Why a log is not for Spark. */
export type Suspicion =
  'it holds a quote' | 'it holds a CR' | 'it holds a NUL' | 'it begins with a BOM' | 'it has a very long line'

const marks: readonly (readonly [number, Suspicion])[] = [
  [0x22, 'it holds a quote'],
  [0x0d, 'it holds a CR'],
  [0x00, 'it holds a NUL'],
]
const bom = Buffer.from([0xef, 0xbb, 0xbf])
const header = Buffer.from('email,action,timestamp\n')
/** Above, no executor is asked to hold it (log/scanner.ts, `maxRecordBytes`). */
const longestLine = 1_048_576
/** Shorter than a line may be, so that a longer one reaches over two of them at least. */
const sliceBytes = longestLine / 2

export const checksumRange = 2 ** 32

/**
 * Reads a log once, as it is stored: hashes it, and stops at the first sign that it is the scanner's (aggregate-spec §1.2). What
 * it does not see Spark does: it is a shortcut, and guards executors from a line without an end.
 */
export async function firstLook(
  io: FileIO,
  location: string,
  signal: AbortSignal,
): Promise<FirstLook | Suspicion> {
  const hash = createHash('sha256')
  let size = 0
  let unended = 0
  let checksum = 0
  /** Of the line that is not at its end yet. */
  let unfinished = 0
  let start = Buffer.alloc(0)
  for await (const chunk of (await io.stream(location)) as AsyncIterable<Buffer>) {
    signal.throwIfAborted()
    if (start.length < header.length) start = Buffer.concat([start, chunk.subarray(0, header.length)])
    const found = marks.find(([byte]) => chunk.includes(byte))
    if (found !== undefined) return found[1]
    if (start.subarray(0, bom.length).equals(bom)) return 'it begins with a BOM'
    for (let from = 0; from < chunk.length; from += sliceBytes) {
      const slice = chunk.subarray(from, from + sliceBytes)
      const last = slice.lastIndexOf(0x0a)
      if (unended + (last < 0 ? slice.length : slice.indexOf(0x0a)) > longestLine)
        return 'it has a very long line'
      unended = last < 0 ? unended + slice.length : slice.length - last - 1
    }
    hash.update(chunk)
    size += chunk.length
    let from = 0
    for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, from)) {
      checksum = (checksum + crc32(chunk.subarray(from, end), unfinished)) % checksumRange
      unfinished = 0
      from = end + 1
    }
    unfinished = crc32(chunk.subarray(from), unfinished)
  }
  checksum = (checksum + unfinished) % checksumRange
  return {
    key: hash.digest('hex'),
    size,
    startsWithHeader: start.subarray(0, header.length).equals(header),
    checksum,
  }
}
