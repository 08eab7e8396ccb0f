import type { Day } from '../calendar.ts'
import { createRandom } from '../random.ts'
import { createEmails, maxEmailBytes } from './emails.ts'

const actions = [',CREATE,', ',READ,', ',UPDATE,', ',DELETE,'].map((action) => Buffer.from(action))
const secondsPerDay = 86_400
const maxRowBytes = 1 + maxEmailBytes + ',CREATE,'.length + 'YYYY-MM-DD HH:MM:SS'.length

export interface EventSettings {
  readonly seed: number
  /** Distinct emails to draw from, 1 to `maxEmails`. */
  readonly emails: number
}

/** Writes rows into `target` until it is full or `rows` are written; returns the rows and the bytes written. */
export type PutEvents = (
  target: Uint8Array,
  rows: number,
) => { readonly rows: number; readonly bytes: number }

/**
 * The events of `day`, one after the other: email, action and second of the day are uniform and independent, in no
 * order of time. They depend on the seed, the number of emails and the day alone. Rows are separated by LF; none
 * follows the last one, as in the published sample.
 */
export function createEvents(day: Day, { seed, emails }: EventSettings): PutEvents {
  const putEmail = createEmails(seed)
  const random = createRandom(seed, `events ${day}`)
  const dayText = Buffer.from(`${day} `)
  let first = true
  return (target, rows) => {
    let at = 0
    let row = 0
    for (; row < rows && at + maxRowBytes <= target.length; row++) {
      if (!first) target[at++] = 0x0a
      first = false
      at = putEmail(target, at, random.below(emails))
      const action = actions[random.uint32() >>> 30]!
      for (const byte of action) target[at++] = byte
      for (const byte of dayText) target[at++] = byte
      at = putTime(target, at, random.below(secondsPerDay))
    }
    return { rows: row, bytes: at }
  }
}

/** `HH:MM:SS` of a second of the day. */
function putTime(target: Uint8Array, at: number, second: number): number {
  const minute = (second / 60) | 0
  const hour = (minute / 60) | 0
  putPair(target, at, hour)
  target[at + 2] = 0x3a
  putPair(target, at + 3, minute - hour * 60)
  target[at + 5] = 0x3a
  putPair(target, at + 6, second - minute * 60)
  return at + 8
}

function putPair(target: Uint8Array, at: number, value: number): void {
  const tens = (value / 10) | 0
  target[at] = 0x30 + tens
  target[at + 1] = 0x30 + value - tens * 10
}
