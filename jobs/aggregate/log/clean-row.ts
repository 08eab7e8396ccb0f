import type { Day } from '../../calendar.ts'
import { hashByte, hashStart, type EmailCounter } from './counter.ts'

/** Readable bytes (any value, zero at best) that a buffer must have behind the end of its data. */
export const overrun = 32

/**
 * Counts rows of the commonest form for as long as they follow each other from `start`, and returns where the
 * first record of another form (or cut by the data's end) starts: `row` rows were counted into `counter`. The form:
 * email of ASCII above `"`, an action, a timestamp of `day` itself, LF or CR LF, no quotes. It accepts a subset of
 * what record.ts and fields.ts accept, and so never decides alone that something is wrong.
 *
 * The byte behind the data must be 0: no row of this form holds one, so none reaches beyond, and the loops need no bound.
 */
export type CleanRows = (bytes: Uint8Array, start: number, maxRecord: number) => number

export function createCleanRows(day: Day, counter: EmailCounter, counted: (rows: number) => void): CleanRows {
  const text = Buffer.from(day)
  const [y0, y1, y2, y3, m0, m1, d0, d1] = [0, 1, 2, 3, 5, 6, 8, 9].map((i) => text[i]!) as [
    ...[number, number, number, number],
    ...[number, number, number, number],
  ]

  const isOfDay = (bytes: Uint8Array, at: number): boolean =>
    ((bytes[at]! ^ y0) |
      (bytes[at + 1]! ^ y1) |
      (bytes[at + 2]! ^ y2) |
      (bytes[at + 3]! ^ y3) |
      (bytes[at + 4]! ^ 0x2d) |
      (bytes[at + 5]! ^ m0) |
      (bytes[at + 6]! ^ m1) |
      (bytes[at + 7]! ^ 0x2d) |
      (bytes[at + 8]! ^ d0) |
      (bytes[at + 9]! ^ d1) |
      (bytes[at + 10]! ^ 0x20)) ===
    0

  return (bytes, start, maxRecord) => {
    let at = start
    let rows = 0
    for (;;) {
      let i = at
      let hash = hashStart
      let byte = bytes[i]!
      while (byte > 0x2c || (byte !== 0x2c && byte > 0x22)) {
        if (byte >= 0x80) break
        hash = hashByte(hash, byte)
        byte = bytes[++i]!
      }
      if (byte !== 0x2c || i === at) break
      const emailEnd = i
      const action = actionBefore(bytes, emailEnd + 1)
      if (action < 0) break
      i += actionLengths[action]! + 2
      if (!isOfDay(bytes, i) || !isTimeOfDay(bytes, i + 11)) break
      i += 19
      if (bytes[i] === 0x0d) i++
      if (bytes[i] !== 0x0a) break
      i++
      if (i - at > maxRecord) break
      counter.add(bytes, at, emailEnd, hash, action)
      rows++
      at = i
    }
    counted(rows)
    return at
  }
}

const actionLengths = new Uint8Array([6, 4, 6, 6])

/** The number of the action at `at` that a comma follows; -1 for none. */
function actionBefore(b: Uint8Array, at: number): number {
  switch (b[at]) {
    case 0x43: // CREATE
      return b[at + 1] === 0x52 && b[at + 2] === 0x45 && endsInAte(b, at) ? 0 : -1
    case 0x52: // READ
      return b[at + 1] === 0x45 && b[at + 2] === 0x41 && b[at + 3] === 0x44 && b[at + 4] === 0x2c ? 1 : -1
    case 0x55: // UPDATE
      return b[at + 1] === 0x50 && b[at + 2] === 0x44 && endsInAte(b, at) ? 2 : -1
    case 0x44: // DELETE
      return b[at + 1] === 0x45 &&
        b[at + 2] === 0x4c &&
        b[at + 3] === 0x45 &&
        b[at + 4] === 0x54 &&
        b[at + 5] === 0x45 &&
        b[at + 6] === 0x2c
        ? 3
        : -1
    default:
      return -1
  }
}

const endsInAte = (b: Uint8Array, at: number): boolean =>
  b[at + 3] === 0x41 && b[at + 4] === 0x54 && b[at + 5] === 0x45 && b[at + 6] === 0x2c

/** Whether `HH:MM:SS` is at `at`. Digits as unsigned differences: what is below `0` becomes huge. */
function isTimeOfDay(bytes: Uint8Array, at: number): boolean {
  const hours = (bytes[at]! - 0x30) >>> 0
  const hour = (bytes[at + 1]! - 0x30) >>> 0
  return (
    (hours < 2 ? hour <= 9 : hours === 2 && hour <= 3) &&
    bytes[at + 2] === 0x3a &&
    isSixty(bytes, at + 3) &&
    bytes[at + 5] === 0x3a &&
    isSixty(bytes, at + 6)
  )
}

const isSixty = (bytes: Uint8Array, at: number): boolean =>
  (bytes[at]! - 0x30) >>> 0 <= 5 && (bytes[at + 1]! - 0x30) >>> 0 <= 9
