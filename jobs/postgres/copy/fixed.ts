import { kernel } from '../../kernel/kernel.ts'
import type { WireFormat } from '../source/types.ts'
import { notCopy, type KernelBatch, type RowBatch } from './scan.ts'

/**
 * One loop per wire format of fixed width: reads the batch's values of one column, big-endian, and writes them
 * little-endian. `first` is the column's first slot in the batch's positions, `at` the first free value of the
 * target. Returns the index of the first value that must be refused, -1 if there is none.
 */
export type FixedLoop = (
  batch: RowBatch,
  first: number,
  count: number,
  target: FixedTarget,
  at: number,
) => number

/** The same memory seen as bytes and as 32-bit words. */
export interface FixedTarget {
  readonly bytes: Uint8Array
  readonly words: Int32Array
}

/** A value's length stands in the four bytes before it. */
const lengthWord = 4

/** Bytes that each value of a wire format has; those that are not named have some or other. */
export const wireWidths: Partial<Record<WireFormat, number>> = {
  ...{ bool: 1, int2: 2, int4: 4, int8: 8, float4: 4, float8: 8 },
  ...{ date: 4, time: 8, timestamp: 8, uuid: 16 },
}

export const copyBool: FixedLoop = ({ bytes, view, positions }, first, count, target, at) => {
  let wrong = 0
  for (let i = 0; i < count; i++) {
    const from = positions[first + i]!
    wrong |= view.getInt32(from - lengthWord) ^ 1
    target.bytes[at + i] = bytes[from]!
  }
  return checked(wrong)
}

export const copyInt2: FixedLoop = ({ view, positions }, first, count, { words }, at) => {
  let wrong = 0
  for (let i = 0; i < count; i++) {
    const from = positions[first + i]!
    wrong |= view.getInt32(from - lengthWord) ^ 2
    words[at + i] = view.getInt16(from)
  }
  return checked(wrong)
}

/** What the kernel left of `count` values of `perValue` words each; `refused` is what it said of them, -2: a wrong length. */
export function takeWords(
  { values }: KernelBatch,
  count: number,
  perValue: number,
  { words }: FixedTarget,
  at: number,
  refused: number,
): number {
  const from = values >> 2
  words.set(kernel().words.subarray(from, from + perValue * count), perValue * at)
  return refused === -2 ? checked(refused) : refused
}

/** int4 and float4: the bytes turned round. */
export const copyWord: FixedLoop = ({ view, positions, inKernel }, first, count, target, at) => {
  if (inKernel !== undefined) {
    const right = kernel().copyWords(inKernel.positions + 4 * first, count, inKernel.values)
    return takeWords(inKernel, count, 1, target, at, right === 1 ? -1 : -2)
  }
  const { words } = target
  let wrong = 0
  for (let i = 0; i < count; i++) {
    const from = positions[first + i]!
    wrong |= view.getInt32(from - lengthWord) ^ 4
    words[at + i] = view.getInt32(from)
  }
  return checked(wrong)
}

/** int8 and float8: the bytes turned round. */
export const copyDoubleWord: FixedLoop = ({ view, positions, inKernel }, first, count, target, at) => {
  if (inKernel !== undefined) {
    const right = kernel().copyDoubleWords(inKernel.positions + 4 * first, count, inKernel.values)
    return takeWords(inKernel, count, 2, target, at, right === 1 ? -1 : -2)
  }
  const { words } = target
  let wrong = 0
  let to = at * 2
  for (let i = 0; i < count; i++, to += 2) {
    const from = positions[first + i]!
    wrong |= view.getInt32(from - lengthWord) ^ 8
    words[to] = view.getInt32(from + 4)
    words[to + 1] = view.getInt32(from)
  }
  return checked(wrong)
}

/** PostgreSQL counts from 2000-01-01, the lake from 1970-01-01. */
const epochDays = 10_957
const firstDay = -719_162 // 0001-01-01
const lastDay = 2_932_896 // 9999-12-31

export const copyDate: FixedLoop = ({ view, positions, inKernel }, first, count, target, at) => {
  if (inKernel !== undefined) {
    const refused = kernel().copyDates(inKernel.positions + 4 * first, count, inKernel.values)
    return takeWords(inKernel, count, 1, target, at, refused)
  }
  const { words } = target
  let wrong = 0
  for (let i = 0; i < count; i++) {
    const from = positions[first + i]!
    wrong |= view.getInt32(from - lengthWord) ^ 4
    const day = view.getInt32(from) + epochDays
    if (day < firstDay || day > lastDay) return i
    words[at + i] = day
  }
  return checked(wrong)
}

/** Microseconds between the epochs, as two 32-bit halves. */
const epochHigh = 0x35d01
const epochLow = 0x3b37e000
/** 0001-01-01T00:00:00Z (inclusive) and 10000-01-01T00:00:00Z (exclusive) in microseconds since 1970. */
const firstHigh = -14_467_071
const firstLow = 13_910_016
const endHigh = 58_999_820
const endLow = 3_430_113_280

/** timestamp and timestamptz: 64-bit addition in halves, the carry by hand. */
export const copyTimestamp: FixedLoop = ({ view, positions, inKernel }, first, count, target, at) => {
  if (inKernel !== undefined) {
    const refused = kernel().copyTimestamps(inKernel.positions + 4 * first, count, inKernel.values)
    return takeWords(inKernel, count, 2, target, at, refused)
  }
  const { words } = target
  let wrong = 0
  let to = at * 2
  for (let i = 0; i < count; i++, to += 2) {
    const from = positions[first + i]!
    wrong |= view.getInt32(from - lengthWord) ^ 8
    const sum = view.getUint32(from + 4) + epochLow
    const high = view.getInt32(from) + epochHigh + (sum > 0xffff_ffff ? 1 : 0)
    if (high <= firstHigh || high >= endHigh) {
      if (high < firstHigh || high > endHigh) return i
      if (high === firstHigh && sum >>> 0 < firstLow) return i
      if (high === endHigh && sum >>> 0 >= endLow) return i
    }
    words[to] = sum
    words[to + 1] = high
  }
  return checked(wrong)
}

/** 24:00:00 in microseconds: a time of day that PostgreSQL has and the lake has not. */
const dayHigh = 20
const dayLow = 500_654_080

export const copyTime: FixedLoop = ({ view, positions }, first, count, { words }, at) => {
  let wrong = 0
  let to = at * 2
  for (let i = 0; i < count; i++, to += 2) {
    const from = positions[first + i]!
    wrong |= view.getInt32(from - lengthWord) ^ 8
    const high = view.getInt32(from)
    const low = view.getUint32(from + 4)
    if (high > dayHigh || (high === dayHigh && low >= dayLow)) return i
    words[to] = low
    words[to + 1] = high
  }
  return checked(wrong)
}

/** uuid: 16 bytes as they are. */
export const copyUuid: FixedLoop = ({ view, positions }, first, count, { bytes }, at) => {
  let wrong = 0
  for (let i = 0; i < count; i++) {
    const from = positions[first + i]!
    wrong |= view.getInt32(from - lengthWord) ^ 16
    const to = (at + i) * 16
    for (let byte = 0; byte < 16; byte++) bytes[to + byte] = view.getUint8(from + byte)
  }
  return checked(wrong)
}

/** Throws unless `wrong`, the differences of lengths, is 0. */
export function checked(wrong: number): -1 {
  if (wrong !== 0) throw notCopy('a value of another width than its type has')
  return -1
}
