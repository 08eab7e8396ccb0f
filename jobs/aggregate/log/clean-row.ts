import type { Day } from '../../calendar.ts'
import { firstBytes, hashStart, hashWord, type EmailCounter } from './counter.ts'

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
export type CleanRows = (view: DataView, start: number, maxRecord: number) => number

/** Bytes are taken four at a time, as little-endian words; masks cut what belongs to the next field. */
export function createCleanRows(
  day: Day,
  counter: Pick<EmailCounter, 'add'>,
  counted: (rows: number) => void,
): CleanRows {
  const year = word(day.slice(0, 4))
  const month = word(day.slice(4, 8))
  const dayOfMonth = word(`${day.slice(8, 10)} `)

  return (view, start, maxRecord) => {
    let at = start
    let rows = 0
    for (;;) {
      let i = at
      let hash = hashStart
      let found = 0
      for (;;) {
        const bytes = view.getInt32(i, true)
        if (hasUnusual(bytes)) break
        found = commas(bytes)
        if (found !== 0) {
          const before = (31 - Math.clz32(found & -found)) >> 3
          if (before > 0) hash = hashWord(hash, firstBytes(bytes, before))
          i += before
          break
        }
        hash = hashWord(hash, bytes)
        i += 4
      }
      if (found === 0 || i === at) break
      const emailEnd = i
      const action = actionAt(view, emailEnd + 1)
      if (action < 0) break
      i += actionLengths[action]! + 2
      if (view.getInt32(i, true) !== year || view.getInt32(i + 4, true) !== month) break
      if (firstBytes(view.getInt32(i + 8, true), 3) !== dayOfMonth || !isTimeOfDay(view, i + 11)) break
      i += 19
      if (view.getUint8(i) === 0x0d) i++
      if (view.getUint8(i) !== 0x0a) break
      i++
      if (i - at > maxRecord) break
      counter.add(view, at, emailEnd, hash, action)
      rows++
      at = i
    }
    counted(rows)
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
