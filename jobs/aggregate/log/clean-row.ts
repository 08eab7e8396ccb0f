import type { Day } from '../../calendar.ts'
import type { RowSink } from './row-sink.ts'
import type { RowTotals } from './totals.ts'
import { firstBytes } from './words.ts'

/** Rows of the commonest form (row-taker.ts) from `start` on; returns where the first other record starts. */
export type CleanRows = (bytes: Buffer, start: number, longest: number, totals: RowTotals) => number

/** Bytes are taken four at a time, as little-endian words; masks cut what belongs to the next field. */
export function createCleanRows(day: Day, onRow: RowSink): CleanRows {
  const year = word(day.slice(0, 4))
  const month = word(day.slice(4, 8))
  const dayOfMonth = word(`${day.slice(8, 10)} `)

  return (log, start, longest, totals) => {
    const view = new DataView(log.buffer, log.byteOffset, log.byteLength)
    let at = start
    for (;;) {
      let i = at
      let found = 0
      for (;;) {
        const bytes = view.getInt32(i, true)
        if (hasUnusual(bytes)) break
        found = commas(bytes)
        if (found !== 0) {
          i += (31 - Math.clz32(found & -found)) >> 3
          break
        }
        i += 4
      }
      if (found === 0 || i === at) break
      const emailEnd = i
      const action = actionAt(view, emailEnd + 1)
      if (action < 0) break
      i += actionLengths[action]! + 2
      const stamp = i
      if (view.getInt32(i, true) !== year || view.getInt32(i + 4, true) !== month) break
      if (firstBytes(view.getInt32(i + 8, true), 3) !== dayOfMonth || !isTimeOfDay(view, i + 11)) break
      i += 19
      if (view.getUint8(i) === 0x0d) i++
      if (view.getUint8(i) !== 0x0a) break
      i++
      if (i - at > longest) break
      onRow(log, at, emailEnd, action, log, stamp)
      totals.rows++
      totals.emailBytes += emailEnd - at
      totals.events[action]!++
      at = i
    }
    return at
  }
}

/** Up to four ASCII characters as a little-endian word. */
const word = (text: string): number => Buffer.from(text.padEnd(4, '\0')).readInt32LE()

/**
 * Whether a byte of the word is below `#` or above 0x7f (Anderson, Bit Twiddling Hacks, "hasless"): a control, a space,
 * `!`, `"`, the 0 behind the data, or a part of a longer character.
 */
const hasUnusual = (bytes: number): boolean =>
  (((bytes - 0x23232323) & ~bytes) | bytes) & 0x80808080 ? true : false

/** The high bit of each comma, and perhaps of bytes behind the first one ("haszero" of the word less commas). */
function commas(bytes: number): number {
  const zeros = bytes ^ 0x2c2c2c2c
  return (zeros - 0x01010101) & ~zeros & 0x80808080
}

const actionLengths = new Uint8Array([6, 4, 6, 6])
const [crea, read, upda, dele, te] = ['CREA', 'READ', 'UPDA', 'DELE', 'TE,'].map(word) as [
  ...[number, number, number, number],
  number,
]

/** The number of the action at `at` that a comma follows; -1 for none. */
function actionAt(view: DataView, at: number): number {
  const bytes = view.getInt32(at, true)
  if (bytes === read) return view.getUint8(at + 4) === 0x2c ? 1 : -1
  const action = bytes === crea ? 0 : bytes === upda ? 2 : bytes === dele ? 3 : -1
  return firstBytes(view.getInt32(at + 4, true), 3) === te ? action : -1
}

/** Whether `HH:MM:SS` is at `at`. */
function isTimeOfDay(view: DataView, at: number): boolean {
  const hours = view.getInt32(at, true)
  const seconds = view.getInt32(at + 4, true)
  const [h, o, c, m] = [hours & 0xff, (hours >> 8) & 0xff, (hours >> 16) & 0xff, hours >>> 24]
  return (
    isDigit(o) &&
    (h === 0x32 ? o <= 0x33 : h === 0x30 || h === 0x31) &&
    c === 0x3a &&
    isSixth(m) &&
    isDigit(seconds & 0xff) &&
    ((seconds >> 8) & 0xff) === 0x3a &&
    isSixth((seconds >> 16) & 0xff) &&
    isDigit(seconds >>> 24)
  )
}

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39
/** The tens of minutes and seconds. */
const isSixth = (byte: number): boolean => byte >= 0x30 && byte <= 0x35
