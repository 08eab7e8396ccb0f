import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Day } from '../../calendar.ts'
import type { FileIO } from '../../storage/file-io.ts'
import { writeCountsFile } from '../counts-file.ts'
import type { EmailCounts } from '../counts.ts'
import { createEmailCounter } from '../log/counter.ts'
import { createLogScanner, type LogTotals } from '../log/scanner.ts'
import { readLog } from '../log/source.ts'
import { isPlain } from './plain.ts'
import { createRejectsFile } from './rejects-file.ts'

export interface DayRequest {
  readonly day: Day
  readonly location: string
  /** Bytes as stored. */
  readonly size: number
  /** A local folder of this run alone, for what outgrows memory. */
  readonly scratch: string
  /** Whether an engine may take over when the day has many emails: only it can read a plain local file. */
  readonly engineMayCount: boolean
}

/** What one pass over a day's log found. */
export interface DayRead {
  /** SHA-256 of the file as stored. */
  readonly key: string
  /** Bytes of the file as stored. */
  readonly size: number
  readonly totals: Readonly<LogTotals>
  /** Sorted counts files below scratch that together make the day; empty when `counts` has all of it. */
  readonly parts: readonly string[]
  readonly counts: EmailCounts | undefined
  /** The rejects file below scratch, when there are rejects. */
  readonly rejects: string | undefined
  /** `engine`: proven here, left to the engine to count. `scanner`: counted here. `again`: left to it in vain. */
  readonly countedBy: 'engine' | 'scanner' | 'again'
}

export interface DayEvents {
  /** The engine may start: the day has outgrown the scanner and is clean so far. */
  readonly onOutgrown: () => void
  /** Stored bytes read since the last call. */
  readonly onBytes: (count: number) => void
}

/**
 * Emails up to which the scanner's table stays in the CPU's cache and is faster than an engine with its start
 * (docs/benchmarks.md).
 */
const scannerEmails = 16_384
/** Above, a part is sorted and written: what keeps memory constant where no engine may help. */
const partBytes = 64 * 2 ** 20

/**
 * Reads a day's log once: hashes it, proves or rejects every record, and counts. Large clean days are left to the
 * engine, large unclean ones become several counts files.
 */
export async function readDay(
  request: DayRequest,
  io: FileIO,
  { onOutgrown, onBytes }: DayEvents,
  signal: AbortSignal,
): Promise<DayRead> {
  const { day, location, scratch } = request
  const hash = createHash('sha256')
  const counter = createEmailCounter()
  const rejects = createRejectsFile(join(scratch, `${day}.rejects`), location, signal)
  const scanner = createLogScanner(day, counter, rejects.add)
  const parts: string[] = []
  let size = 0
  let plain = request.engineMayCount
  let leftToEngine = false

  const writePart = async (): Promise<void> => {
    const path = join(scratch, `${day}.part-${parts.length}.parquet`)
    await writeCountsFile(path, counter.take())
    parts.push(path)
  }
  const stored = (chunk: Uint8Array): void => {
    hash.update(chunk)
    size += chunk.length
    onBytes(chunk.length)
  }
  for await (const chunk of readLog(io, location, stored)) {
    signal.throwIfAborted()
    plain &&= isPlain(chunk, size === chunk.length)
    scanner.push(chunk)
    await rejects.flush()
    if (leftToEngine) {
      if (!plain || !isSpotless(scanner.totals)) break
    } else if (plain && counter.emails() > scannerEmails && isSpotless(scanner.totals)) {
      leftToEngine = true
      scanner.stopCounting()
      onOutgrown()
    } else if (counter.heldBytes() > partBytes) await writePart()
  }
  const totals = scanner.end()
  const rejectsFile = await rejects.close()
  if (leftToEngine) {
    const countedBy = plain && isSpotless(totals) ? 'engine' : 'again'
    return { ...base(), countedBy, parts: [], counts: undefined, rejects: undefined }
  }
  if (parts.length > 0) await writePart()
  const counts = parts.length > 0 ? undefined : counter.take()
  return { ...base(), parts, counts, rejects: rejectsFile, countedBy: 'scanner' }

  function base(): Pick<DayRead, 'key' | 'size' | 'totals'> {
    return { key: hash.digest('hex'), size, totals: scanner.totals }
  }
}

const isSpotless = ({ rejects, blankLines, headerLines }: Readonly<LogTotals>): boolean =>
  rejects + blankLines + headerLines === 0
