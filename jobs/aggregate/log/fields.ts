/** A log's first line, if it has one that is no record. */
export const headerLine = 'email,action,timestamp'
/** The four actions, in the order of the result's columns; an action's number is its index. */
export const actionNames = ['CREATE', 'READ', 'UPDATE', 'DELETE'] as const
const actions = actionNames.map((name) => Buffer.from(name))

/** The number (0–3) of the action that `bytes[start … end - 1]` spells exactly, in upper case; -1 for none. */
export function actionAt(bytes: Uint8Array, start: number, end: number): number {
  for (let action = 0; action < actions.length; action++) {
    if (equals(bytes, start, end, actions[action]!)) return action
  }
  return -1
}

/** Whether `bytes[start … end - 1]` equals all of `expected`. */
export function equals(bytes: Uint8Array, start: number, end: number, expected: Uint8Array): boolean {
  if (end - start !== expected.length) return false
  for (let i = 0; i < expected.length; i++) if (bytes[start + i] !== expected[i]) return false
  return true
}

/**
 * Whether `bytes[start … end - 1]` is `YYYY-MM-DD HH:MM:SS`: exactly these 19 ASCII bytes, a day that exists in the
 * proleptic Gregorian calendar from year 0001, 00–23, 00–59, 00–59 (no leap second: the contract has no zone).
 */
export function isTimestamp(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start !== 19) return false
  const year = twoDigits(bytes, start) * 100 + twoDigits(bytes, start + 2)
  const month = twoDigits(bytes, start + 5)
  const day = twoDigits(bytes, start + 8)
  if (bytes[start + 4] !== 0x2d || bytes[start + 7] !== 0x2d || bytes[start + 10] !== 0x20) return false
  // `NaN >= 1` is false: the comparisons refuse digits that are none.
  return year >= 1 && day >= 1 && day <= daysInMonth(year, month) && isTimeOfDay(bytes, start + 11)
}

/** Whether the eight bytes at `start` are `HH:MM:SS`, 00:00:00 to 23:59:59. */
function isTimeOfDay(bytes: Uint8Array, start: number): boolean {
  return (
    twoDigits(bytes, start) <= 23 &&
    bytes[start + 2] === 0x3a &&
    twoDigits(bytes, start + 3) <= 59 &&
    bytes[start + 5] === 0x3a &&
    twoDigits(bytes, start + 6) <= 59
  )
}

function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - 0x30
  const ones = bytes[at + 1]! - 0x30
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN
}

/** 0 for a month that does not exist. */
function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  if (month === 4 || month === 6 || month === 9 || month === 11) return 30
  return month >= 1 && month <= 12 ? 31 : 0
}
