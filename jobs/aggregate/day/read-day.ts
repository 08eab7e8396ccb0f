import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Day } from '../../calendar.ts'
import type { FileIO } from '../../storage/file-io.ts'
import { JobError } from '../../errors.ts'
import { groupRows } from '../counts-file.ts'
import { totalsOf, type EmailCounts } from '../counts.ts'
import { copyOf, createEmailTable, type EmailTable } from '../log/email-table.ts'
import { likelyCause, type Cause } from '../log/likely-cause.ts'
import { createLogScanner } from '../log/scanner.ts'
import { readLog } from '../log/source.ts'
import { isMostlyRejected, rowTotalsOf, type LogTotals } from '../log/totals.ts'
import { mergeCounts } from '../merge-counts.ts'
import { createDayFiles, type DayFiles } from './day-files.ts'
import { createRejectsFile } from './rejects-file.ts'

export interface DayRequest {
  readonly day: Day
  readonly location: string
  /** Bytes as stored. */
  readonly size: number
  /** A local folder of this run alone, for what outgrows memory. */
  readonly scratch: string
  /** Bytes of counts above which they are written as a list: what keeps memory constant. */
  readonly partBytes: number
}

/** What one pass over a day's log found. */
export interface DayRead {
  /** SHA-256 of the file as stored. */
  readonly key: string
  /** Bytes of the file as stored. */
  readonly size: number
  readonly totals: Readonly<LogTotals>
  /** Local files below scratch with the day's counts; none when `counts` has all of them. */
  readonly files: DayFiles | undefined
  readonly counts: EmailCounts | undefined
  /** The rejects file below scratch, when there are rejects. */
  readonly rejects: string | undefined
  /** What the log seems to be instead, where most of it was rejected. */
  readonly likelyCause: Cause | undefined
}

/** Up to so many emails a day's counts are handed over in memory: a window of them is merged there, too. */
const emailsInMemory = 65_536
/** Of the log's start, to tell what it is when it is no log. */
const startBytes = 4096
/** Between two looks at what the table holds. */
const sliceBytes = 2 ** 20

/** Tables of this thread that are not in use. */
const idle: EmailTable[] = []

/**
 * Reads a day's log once: hashes it, proves or rejects every record, and counts. What becomes more than `partBytes` is
 * written as several lists, which are merged. `onBytes` gets the stored bytes that were read since its last call.
 */
export async function readDay(
  { day, location, scratch, partBytes: mostBytes }: DayRequest,
  io: FileIO,
  onBytes: (count: number) => void,
  signal: AbortSignal,
): Promise<DayRead> {
  const hash = createHash('sha256')
  // One that a failure leaves with counts in it is not used again.
  const table = idle.pop() ?? createEmailTable()
  const rejects = createRejectsFile(join(scratch, `${day}.rejects`), location, signal)
  const scanner = createLogScanner(day, table.taker(day), rejects.add)
  const files = createDayFiles(scratch, day)
  let size = 0
  let start = Buffer.alloc(0)

  const stored = (chunk: Uint8Array): void => {
    hash.update(chunk)
    size += chunk.length
    onBytes(chunk.length)
  }
  for await (const chunk of readLog(io, location, stored)) {
    signal.throwIfAborted()
    if (start.length < startBytes) start = Buffer.concat([start, chunk]).subarray(0, startBytes)
    for (let from = 0; from < chunk.length; from += sliceBytes) {
      scanner.push(chunk.subarray(from, from + sliceBytes))
      if (table.isFull() || table.heldBytes() > mostBytes) files.addPart(table.batches(groupRows))
    }
    await rejects.flush()
  }
  const totals = scanner.end()
  const rejectsFile = await rejects.close()
  const counts =
    files.hasParts() || table.emails() > emailsInMemory
      ? undefined
      : mergeCounts(Array.from(table.batches(emailsInMemory), copyOf))
  const written = counts === undefined ? await files.write(table.batches(groupRows)) : undefined
  if (!isDeepStrictEqual(written?.totals ?? (counts && totalsOf(counts)), rowTotalsOf(totals)))
    throw contradiction(location)
  idle.push(table)
  return {
    key: hash.digest('hex'),
    size,
    totals,
    files: written,
    counts,
    rejects: rejectsFile,
    likelyCause: isMostlyRejected(totals) ? likelyCause(start) : undefined,
  }
}

/** Exit 1: a fault of ours or of the machine's, which nothing that is published may carry. */
export const contradiction = (location: string): JobError =>
  new JobError('failed', `the merged counts of ${location} are not those that were counted`, {
    field: location,
    fix: 'run again; if that says the same, report it with the versions that --version prints',
  })
