import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { headerLine } from '../log/fields.ts'
import { maxRecordBytes } from '../log/scanner.ts'
import { checksumRange, lineChecksums } from './line-checksums.ts'
import type { FileIO } from '../../storage/file-io.ts'

/** What one pass over a log's bytes tells without looking at its fields. */
export interface FirstLook {
  /** SHA-256 of the file as stored: the day's key, as the log is plain. */
  readonly key: string
  /** Bytes. */
  readonly size: number
  readonly startsWithHeader: boolean
  /** The sum of the CRC-32 of each line without its line feed, modulo 2^32: Spark must have read the same bytes, not as many. */
  readonly checksum: number
}

/** Why a log is not for Spark. */
export type Suspicion =
  | 'it holds a quote'
  | 'it holds a CR'
  | 'it holds a NUL'
  | 'it holds a BOM'
  | 'it holds a U+FFFD'
  | 'it is not UTF-8'
  | 'it has a very long line'

const marks: readonly (readonly [Buffer, Suspicion])[] = [
  [Buffer.from('"'), 'it holds a quote'],
  [Buffer.from('\r'), 'it holds a CR'],
  [Buffer.from('\0'), 'it holds a NUL'],
  [Buffer.from('\uFEFF'), 'it holds a BOM'],
  [Buffer.from('\uFFFD'), 'it holds a U+FFFD'],
]
const header = Buffer.from(`${headerLine}\n`)
const lineFeed = 0x0a
/** Without its line feed; above, it is no row, and no executor is asked to hold it. */
const longestLine = maxRecordBytes - 1

/**
 * Reads a log once, as it is stored: hashes it, and stops at the first sign that it is the scanner's (aggregate-spec §1.2). As the
 * checksum says that Spark read the same lines, Spark need not look for any of these signs.
 */
export async function firstLook(
  io: FileIO,
  location: string,
  signal: AbortSignal,
): Promise<FirstLook | Suspicion> {
  const hash = createHash('sha256')
  let size = 0
  let checksum = 0
  let startsWithHeader = false
  /** A line without its end. */
  let unended = Buffer.alloc(0)
  const take = (lines: Buffer): Suspicion | undefined => {
    if (size === 0) startsWithHeader = lines.subarray(0, header.length).equals(header)
    size += lines.length
    hash.update(lines)
    const found = marks.find(([mark]) => lines.includes(mark))
    if (found !== undefined) return found[1]
    if (!isUtf8(lines)) return 'it is not UTF-8'
    const sum = lineChecksums(lines, longestLine)
    if (sum === undefined) return 'it has a very long line'
    checksum = (checksum + sum) % checksumRange
    return undefined
  }
  for await (const chunk of (await io.stream(location)) as AsyncIterable<Buffer>) {
    signal.throwIfAborted()
    const ended = chunk.lastIndexOf(lineFeed) + 1
    const suspicion = ended === 0 ? undefined : take(Buffer.concat([unended, chunk.subarray(0, ended)]))
    if (suspicion !== undefined) return suspicion
    unended = Buffer.concat([ended === 0 ? unended : Buffer.alloc(0), chunk.subarray(ended)])
    if (unended.length > longestLine) return 'it has a very long line'
  }
  const suspicion = unended.length === 0 ? undefined : take(unended)
  return suspicion ?? { key: hash.digest('hex'), size, startsWithHeader, checksum }
}
