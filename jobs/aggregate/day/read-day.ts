import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Day } from '../../calendar.ts'
import type { FileIO } from '../../storage/file-io.ts'
import { JobError } from '../../errors.ts'
import { groupRows } from '../counts-file.ts'
import { totalsOf, type EmailCounts } from '../counts.ts'
import { bytesBetweenLooks } from '../log/email-table.ts'
import { likelyCause, type Cause } from '../log/likely-cause.ts'
import { createLogScanner } from '../log/scanner.ts'
import { logKey, readLog } from '../log/source.ts'
import { addLogTotals, isMostlyRejected, rowTotalsOf, type LogTotals } from '../log/totals.ts'
import { mergeCounts } from '../merge-counts.ts'
import { createDayFiles, type DayFiles } from './day-files.ts'
import { createRejectsFile } from './rejects-file.ts'
import { scanTogether, type Helper, type Together } from './scan-together.ts'
import { emailsInMemory, giveBack, isBeyond, takeFew, takeTable, type ShareRequest } from './share.ts'

export interface DayRequest {
  readonly day: Day
  readonly location: string
  /** Bytes as stored. */
  readonly size: number
  /** A local folder of this run alone, for what outgrows memory. */
  readonly scratch: string
  /** Bytes of counts above which they are written as a list: what keeps memory constant. */
  readonly partBytes: number
  /** The same where no other day is read. */
  readonly alonePartBytes: number
}

/** What one pass over a day's log found. */
export interface DayRead {
  /** Of the log (log/source.ts). */
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

/** Of the log's start, to tell what it is when it is no log. */
const startBytes = 4096
const lineFeed = 0x0a
/** Of a log, before it is told whether helpers pay. */
const lookBytes = 32 * 2 ** 20
/** Of the memory for a day: with more of it in use by then, each helper would gather most emails once more, to be merged. */
const fewShare = 1 / 16

/** Other threads, and what they do. */
export interface Helpers {
  /** Whether no other day was read, nor will be. */
  readonly isAlone: () => boolean
  /** For a day of which so many bytes are left, as stored. */
  readonly areFree: (bytesLeft: number) => boolean
  /** One more, for a share of that name. */
  readonly claim: (request: ShareRequest) => Helper | undefined
}

/**
 * Reads a day's log once: hashes it, proves or rejects every record, and counts. What becomes more than `partBytes` is
 * written as several lists, which are merged. `onBytes` gets the stored bytes that were read since its last call. Where the log has
 * few emails and there are `helpers`, they scan blocks of what is left.
 */
export async function readDay(
  request: DayRequest,
  io: FileIO,
  onBytes: (count: number) => void,
  signal: AbortSignal,
  helpers?: Helpers,
): Promise<DayRead> {
  const read = await readOnce(request, io, onBytes, signal, helpers)
  // Once more, and alone, where a quoted field lies across the end of a block: seldom.
  return read ?? (await readOnce(request, io, () => undefined, signal, undefined))!
}

/** Undefined where helpers cannot scan the log (scan-together.ts). */
async function readOnce(
  { day, location, scratch, size: storedSize, partBytes, alonePartBytes }: DayRequest,
  io: FileIO,
  onBytes: (count: number) => void,
  signal: AbortSignal,
  helpers: Helpers | undefined,
): Promise<DayRead | undefined> {
  const hash = createHash('sha256')
  const table = takeTable()
  const attempt = helpers === undefined ? day : `${day}.together`
  const rejects = createRejectsFile(join(scratch, `${attempt}.rejects`), location, signal)
  const scanner = createLogScanner(day, table.taker(day), rejects.add)
  const files = createDayFiles(scratch, day)
  /** Of the other threads. */
  const few: EmailCounts[] = []
  let together: Together | undefined
  let shares = 0
  let size = 0
  let start = Buffer.alloc(0)

  const stored = (chunk: Uint8Array): void => {
    hash.update(chunk)
    size += chunk.length
    onBytes(chunk.length)
  }
  const addPart = (): void => {
    files.addPart(table.batches(groupRows))
  }
  const mostBytes = (): number => (helpers?.isAlone() === true ? alonePartBytes : partBytes)
  const makeRoom = (): void => {
    if (isBeyond(table, mostBytes())) addPart()
  }
  const helpersPay = (): boolean =>
    size >= lookBytes &&
    table.heldBytes() <= fewShare * alonePartBytes &&
    helpers?.areFree(storedSize - size) === true
  const scan = (chunk: Uint8Array): void => {
    for (let from = 0; from < chunk.length; from += bytesBetweenLooks) {
      scanner.push(chunk.subarray(from, from + bytesBetweenLooks))
      makeRoom()
    }
  }
  /** From the chunk's last record on, if one begins there. */
  const startTogether = (chunk: Uint8Array, { claim }: Helpers): Together | undefined => {
    const rest = chunk.lastIndexOf(lineFeed) + 1
    scan(chunk.subarray(0, rest))
    if (!scanner.atRecord()) {
      scan(chunk.subarray(rest))
      return undefined
    }
    const begun = scanTogether({
      day,
      table,
      makeRoom,
      claim: () => claim({ day, scratch, name: `${day}.share-${shares++}`, partBytes }),
      onReject: rejects.add,
      linesBefore: scanner.lines(),
    })
    begun.push(chunk.subarray(rest))
    return begun
  }

  for await (const chunk of readLog(io, location, stored)) {
    signal.throwIfAborted()
    if (start.length < startBytes) start = Buffer.concat([start, chunk]).subarray(0, startBytes)
    if (together !== undefined) together.push(chunk)
    else if (helpersPay()) together = startTogether(chunk, helpers!)
    else scan(chunk)
    await rejects.flush()
  }
  const totals = scanner.end()
  if (together !== undefined) {
    const ended = await together.end(() => {
      if (table.emails() > emailsInMemory) addPart()
    })
    if (ended === undefined) return undefined
    addLogTotals(totals, ended.totals)
    for (const share of ended.shares) {
      files.takeParts(share.parts)
      if (share.counts !== undefined) few.push(share.counts)
    }
  }
  const rejectsFile = await rejects.close()
  const isFew = !files.hasParts() && table.emails() <= emailsInMemory
  const counts = isFew ? mergeCounts([takeFew(table), ...few]) : undefined
  if (!isFew) for (const share of few) files.addPart([share])
  const written = counts === undefined ? await files.write(table.batches(groupRows)) : undefined
  if (!isDeepStrictEqual(written?.totals ?? (counts && totalsOf(counts)), rowTotalsOf(totals)))
    throw contradiction(location)
  giveBack(table)
  return {
    key: logKey(location, hash.digest('hex')),
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
