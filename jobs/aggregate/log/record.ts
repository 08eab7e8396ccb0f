import type { RejectReason } from './reject.ts'

const comma = 0x2c
const quote = 0x22
const cr = 0x0d
const lf = 0x0a

/** Where a record's parts lie; one object is reused for all records. Positions are indices into the bytes. */
export interface RecordShape {
  /** After the record's line end. */
  next: number
  /** End of the record without its line end. */
  end: number
  /** Line feeds between start and `next`. */
  lines: number
  fields: number
  /** Of the first three fields, without their quotes. */
  readonly starts: Int32Array
  readonly ends: Int32Array
  /** A quoted field holds `""`, still to be undoubled. */
  doubledQuotes: boolean
  nul: boolean
  loneCr: boolean
  /** A byte ≥ 0x80 occurs: UTF-8 is still to be checked. */
  highBytes: boolean
}

export const createRecordShape = (): RecordShape => ({
  next: 0,
  end: 0,
  lines: 0,
  fields: 0,
  starts: new Int32Array(3),
  ends: new Int32Array(3),
  doubledQuotes: false,
  nul: false,
  loneCr: false,
  highBytes: false,
})

export type QuotingFault = Extract<
  RejectReason,
  'unclosed quote' | 'text after a closing quote' | 'quote in an unquoted field'
>

export type Delimited = 'record' | 'more' | QuotingFault

/**
 * Finds the end and the fields of the record that starts at `start`, by RFC 4180 made strict. `'record'`: `shape`
 * describes it. `'more'`: its end is not among the bytes (never when `last`, which says that the file ends at
 * `limit`). A `QuotingFault` leaves the fault's position in `shape.next`.
 *
 * - A record ends at LF, CR LF or the file's end. Any other CR outside quotes is data (`loneCr`), also the one
 *   that ends a file.
 * - A field is quoted when a quote is its first byte; it may then hold commas, line ends and `""`. Its closing
 *   quote is followed by a comma or the record's end. Any other quote is a fault.
 */
export function delimitRecord(
  bytes: Uint8Array,
  start: number,
  limit: number,
  last: boolean,
  shape: RecordShape,
): Delimited {
  shape.fields = 0
  shape.lines = 0
  shape.doubledQuotes = shape.nul = shape.loneCr = shape.highBytes = false
  let seen = 0
  let at = start
  for (;;) {
    let fieldStart = at
    let fieldEnd: number
    if (at < limit && bytes[at] === quote) {
      fieldStart = ++at
      for (;;) {
        if (at >= limit) return last ? fault(shape, at, 'unclosed quote') : 'more'
        const byte = bytes[at]!
        seen |= byte
        if (byte === quote) {
          if (at + 1 >= limit && !last) return 'more'
          if (at + 1 >= limit || bytes[at + 1] !== quote) break
          shape.doubledQuotes = true
          at++
        } else if (byte === lf) shape.lines++
        else if (byte === 0) shape.nul = true
        at++
      }
      fieldEnd = at++
      if (at < limit && bytes[at] === cr && at + 1 >= limit && !last) return 'more'
      if (at < limit && bytes[at] !== comma && lineEndLength(bytes, at, limit) === 0)
        return fault(shape, at, 'text after a closing quote')
    } else {
      for (; at < limit; at++) {
        const byte = bytes[at]!
        if (byte === comma || byte === lf) break
        seen |= byte
        if (byte === quote) return fault(shape, at, 'quote in an unquoted field')
        if (byte === 0) shape.nul = true
        if (byte !== cr) continue
        if (at + 1 >= limit && !last) return 'more'
        if (lineEndLength(bytes, at, limit) > 0) break
        shape.loneCr = true
      }
      if (at >= limit && !last) return 'more'
      fieldEnd = at
    }
    if (shape.fields < 3) {
      shape.starts[shape.fields] = fieldStart
      shape.ends[shape.fields] = fieldEnd
    }
    shape.fields++
    if (at < limit && bytes[at] === comma) {
      at++
      continue
    }
    const lineEnd = lineEndLength(bytes, at, limit)
    if (lineEnd > 0) shape.lines++
    shape.end = at
    shape.next = at + lineEnd
    shape.highBytes = seen >= 0x80
    return 'record'
  }
}

function fault(shape: RecordShape, at: number, reason: QuotingFault): QuotingFault {
  shape.next = at
  return reason
}

/** 1 for LF, 2 for CR LF, 0 for anything else (also at `limit`). */
function lineEndLength(bytes: Uint8Array, at: number, limit: number): number {
  if (at >= limit) return 0
  if (bytes[at] === lf) return 1
  return bytes[at] === cr && at + 1 < limit && bytes[at + 1] === lf ? 2 : 0
}
