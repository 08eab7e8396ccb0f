import type { Day } from '../../calendar.ts'
import { isUtf8 } from '../utf8.ts'
import { actionAt, equals, headerLine, isTimestamp } from './fields.ts'
import { createRecordShape, delimitRecord } from './record.ts'
import { rawLimit, type Reject, type RejectReason } from './reject.ts'
import { overrun, type RowTaker } from './row-taker.ts'
import { noTotals, type LogTotals } from './totals.ts'

/**
 * The longest record, line end included; also how far a quoted field is followed before it counts as unclosed. Exported
 * for tests at its edge.
 */
export const maxRecordBytes = 1_048_576
/** A push leaves fewer bytes than this unsettled, the lines behind an open quote among them. */
export const mostHeldBytes = 2 * maxRecordBytes
/** Input is taken in slices of at most this, so that the window stays bounded for any size of chunk: four records at most. */
const sliceBytes = 65_536
const header = Buffer.from(headerLine)
const bom = Buffer.from([0xef, 0xbb, 0xbf])

export interface LogScanner {
  /** Takes the file's next bytes, cut anywhere; they may be reused afterwards. Calls `onReject` meanwhile. */
  push(chunk: Uint8Array): void
  /** What has been settled so far; the same object all along. */
  readonly totals: Readonly<LogTotals>
  /** The file has ended: settles what was left. */
  end(): LogTotals
  /** Whether all that was pushed is settled: the next byte begins a record. */
  atRecord(): boolean
  /** Line feeds that were passed so far. */
  lines(): number
}

/** Where in its file a scanner begins: behind a line feed there is neither BOM nor header. */
export type Beginning = 'file' | 'line'

/**
 * Reads the CRUD log of `day` (aggregate-spec §1): this is the grammar's definition. Rows go to `taker`,
 * everything else to the totals and `onReject`. Results do not depend on how the bytes are cut into chunks; a few
 * `maxRecordBytes` are held at most.
 *
 * - UTF-8, RFC 4180, records end in LF or CR LF (mixed at will), the last may lack its line end. One BOM may lead;
 *   any later U+FEFF is data. How records and fields are delimited: record.ts. Reasons and their order: reject.ts.
 * - A blank line is one without any byte; spaces make a record of one field. Line 1 that is exactly
 *   `email,action,timestamp` is a header.
 * - Exactly three fields: an email of at least one byte, kept as it is (spaces, case and line ends within quotes
 *   included); an action (fields.ts); a timestamp (fields.ts). Both may be quoted.
 * - Quoting faults do not spread: the record is cut at its first line feed, that line is rejected, and scanning goes
 *   on behind it. So an unclosed quote costs its line alone. A record above `maxRecordBytes` is treated alike:
 *   `unclosed quote` if a line feed lies in it (it can only do so in quotes), else `line too long`.
 *   Every byte is looked at a bounded number of times: a field left open at a line's end means an odd number of
 *   quotes in that line, and the next odd line closes the field or is the fault; even lines are never looked past.
 *
 * One that begins at a line takes what follows some line feed for a record's start; its rejects' lines are counted from 2.
 */
export function createLogScanner(
  day: Day,
  taker: RowTaker,
  onReject: (reject: Reject) => void,
  beginning: Beginning = 'file',
): LogScanner {
  const firstLine = beginning === 'file' ? 1 : 2
  const totals = noTotals()
  const dayBytes = Buffer.from(day)
  const shape = createRecordShape()
  let unquoted = Buffer.alloc(0)
  let at = 0 // the next record's start in the window
  let limit = 0 // the data's end in the window
  let line = firstLine // the next record's
  let started = beginning === 'line' // the BOM, if any, has been passed
  let skipping = false // within a line that was rejected as too long
  let wanted = 0 // bytes of an unfinished record before it is worth another look

  const append = (slice: Uint8Array): void => {
    if (limit + slice.length + overrun > taker.window().length) {
      const held = limit - at
      // Moved within the window only while that is cheap: tiny chunks must not move a long record each time.
      if (2 * held + slice.length + overrun > taker.window().length) taker.enlarge()
      taker.window().copyWithin(0, at, limit)
      at = 0
      limit = held
    }
    const window = taker.window()
    window.set(slice, limit)
    limit += slice.length
    window.fill(0, limit, limit + overrun)
  }

  const reject = (reason: RejectReason, end: number): void => {
    totals.rejects++
    const window = taker.window()
    onReject({ line, reason, raw: Buffer.from(window.subarray(at, Math.min(end, at + rawLimit))) })
  }

  /** Cuts the record at its first line feed (see above). False: the line's end is not here yet. */
  const rejectLine = (faultAt: number, reason: RejectReason, last: boolean): boolean => {
    const window = taker.window()
    const found = window.indexOf(0x0a, at)
    const closed = found >= 0 && found < limit
    const next = closed ? found + 1 : limit
    if (next - at > maxRecordBytes) {
      reject('line too long', next)
      skipping = !closed
    } else if (!closed && !last) {
      return false
    } else {
      const end = closed && window[found - 1] === 0x0d ? found - 1 : closed ? found : limit
      reject(faultAt > found && closed ? 'unclosed quote' : reason, end)
    }
    if (closed) line++
    totals.rejectedBytes += next - at
    at = next
    return true
  }

  /** The delimited record's fault, or undefined after counting it as a row. */
  const takeRow = (): RejectReason | undefined => {
    const { starts, ends } = shape
    const window = taker.window()
    if (shape.nul) return 'NUL byte'
    if (shape.loneCr) return 'lone CR'
    if (shape.highBytes && !isUtf8(window, at, shape.end)) return 'invalid UTF-8'
    if (shape.fields !== 3) return 'wrong field count'
    if (starts[0] === ends[0]) return 'empty email'
    const action = actionAt(window, starts[1]!, ends[1]!)
    if (action < 0) return 'unknown action'
    if (!isTimestamp(window, starts[2]!, ends[2]!)) return 'bad timestamp'
    if (shape.doubledQuotes) takeUndoubled(starts[0]!, ends[0]!, action, starts[2]!)
    else take(window, starts[0]!, ends[0]!, action, starts[2]!)
    totals.rows++
    totals.events[action]!++
    if (!equals(taker.window(), starts[2]!, starts[2]! + dayBytes.length, dayBytes)) totals.otherDayRows++
    return undefined
  }

  const take = (bytes: Buffer, start: number, end: number, action: number, stamp: number): void => {
    totals.emailBytes += end - start
    taker.take(bytes, start, end, action, stamp)
  }

  const takeUndoubled = (start: number, end: number, action: number, stamp: number): void => {
    const window = taker.window()
    if (unquoted.length < end - start) unquoted = Buffer.alloc(end - start)
    let length = 0
    for (let i = start; i < end; i++) {
      unquoted[length++] = window[i]!
      if (window[i] === 0x22) i++
    }
    take(unquoted, 0, length, action, stamp)
  }

  /** Settles the record at `at`. False: more bytes are needed. */
  const scanRecord = (last: boolean): boolean => {
    const window = taker.window()
    const outcome = delimitRecord(window, at, limit, last, shape)
    if (outcome === 'more') {
      return limit - at > maxRecordBytes && rejectLine(limit, 'line too long', last)
    }
    if (outcome !== 'record') return rejectLine(shape.next, outcome, last)
    if (shape.next - at > maxRecordBytes) return rejectLine(shape.next, 'line too long', last)
    if (shape.end === at) totals.blankLines++
    else if (line === 1 && equals(window, at, shape.end, header)) totals.headerLines = 1
    else {
      const reason = takeRow()
      if (reason !== undefined) {
        reject(reason, shape.end)
        totals.rejectedBytes += shape.next - at
      }
    }
    line += shape.lines
    at = shape.next
    return true
  }

  const scan = (last: boolean): void => {
    if (!started) {
      if (limit < bom.length && !last) return
      if (limit >= bom.length && equals(taker.window(), 0, bom.length, bom)) at = bom.length
      started = true
    }
    if (limit - at < wanted && !last) return
    wanted = 0
    while (at < limit) {
      const before = totals.rows
      at = taker.takeClean(at, maxRecordBytes, totals)
      line += totals.rows - before
      if (at < limit && !scanRecord(last)) {
        // Looking again only at twice the length keeps one-byte chunks linear.
        wanted = 2 * (limit - at)
        return
      }
    }
  }

  const pushSlice = (slice: Uint8Array): void => {
    let from = 0
    if (skipping) {
      const found = slice.indexOf(0x0a)
      from = found < 0 ? slice.length : found + 1
      totals.rejectedBytes += from
      if (found < 0) return
      skipping = false
      line++
    }
    append(slice.subarray(from))
    scan(false)
  }

  return {
    totals,
    push(chunk) {
      totals.bytes += chunk.length
      for (let i = 0; i < chunk.length; i += sliceBytes) pushSlice(chunk.subarray(i, i + sliceBytes))
    },
    end() {
      scan(true)
      return totals
    },
    atRecord: () => at === limit && started && !skipping,
    lines: () => line - firstLine,
  }
}
