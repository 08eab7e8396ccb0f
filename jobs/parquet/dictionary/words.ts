import type { Take } from '../../kernel/arena.ts'
import { kernel } from '../../kernel/kernel.ts'
import {
  assertLimit,
  type DictionaryBuilder,
  firstSlots,
  sliceValues,
  slotsFor,
  takeState,
} from './dictionary.ts'

/** A span of values up to this is looked up in a slot for each. */
const widestSpan = 1 << 20

/** Addresses in the kernel's memory. */
interface Table {
  /** A slice of the column's values. */
  readonly values: number
  readonly indices: number
  readonly slots: number
  /** The distinct values, as the dictionary page has them. */
  readonly body: number
  /** Entries, slots. */
  readonly state: number
}

/** Looks up `count` values of the slice, whose indices go to the address; returns how many it could. */
type Lookup = (table: Table, count: number, indices: number) => number

/**
 * A dictionary of 4-byte values, compared by their bits (so NaN and -0.0 stay apart). `min` and `max` are the
 * values' bounds as int32, known beforehand because statistics need them too.
 */
export function int32Dictionary(
  values: Int32Array,
  min: number,
  max: number,
  limitBytes: number,
  take: Take,
): DictionaryBuilder {
  const limit = limitBytes >> 2
  const { indexSpan, indexInt32s } = kernel()
  const span = max - min + 1
  return hasSlotForEach(span, values.length)
    ? wordDictionary(values, 1, { first: span, most: span }, limitBytes, take, (t, count, indices) =>
        indexSpan(t.values, count, indices, min, t.slots, t.body, limit, t.state),
      )
    : wordDictionary(values, 1, hashSlots(limit), limitBytes, take, (t, count, indices) =>
        indexInt32s(t.values, count, indices, t.slots, t.body, limit, t.state),
      )
}

/**
 * A dictionary of 8-byte values as two 32-bit lanes each (low, high), compared by their bits. `extremes`, the least value's lanes and
 * the greatest one's, are given where the values are whole numbers.
 */
export function int64Dictionary(
  lanes: Int32Array,
  limitBytes: number,
  take: Take,
  extremes?: Int32Array,
): DictionaryBuilder {
  const limit = limitBytes >> 3
  const { indexInt64s, indexSpan64 } = kernel()
  const [minLow = 0, minHigh = 0, maxLow = 0, maxHigh = 0] = extremes ?? []
  const span = (maxHigh - minHigh) * 2 ** 32 + (maxLow >>> 0) - (minLow >>> 0) + 1
  if (extremes !== undefined && hasSlotForEach(span, lanes.length / 2)) {
    return wordDictionary(lanes, 2, { first: span, most: span }, limitBytes, take, (t, count, indices) =>
      indexSpan64(t.values, count, indices, minLow, minHigh, t.slots, t.body, limit, t.state),
    )
  }
  return wordDictionary(lanes, 2, hashSlots(limit), limitBytes, take, (t, count, indices) =>
    indexInt64s(t.values, count, indices, t.slots, t.body, limit, t.state),
  )
}

/** A slot for each value of the span pays where there are not many more of them than values. */
const hasSlotForEach = (span: number, values: number): boolean =>
  span <= widestSpan && span <= Math.max(1025, 2 * values + 1)

interface Slots {
  /** Those that must be free at first. */
  readonly first: number
  readonly most: number
}

const hashSlots = (entries: number): Slots => ({ first: firstSlots, most: slotsFor(entries) })

function wordDictionary(
  words: Int32Array,
  perValue: 1 | 2,
  { first, most }: Slots,
  limitBytes: number,
  take: Take,
  lookup: Lookup,
): DictionaryBuilder {
  assertLimit(limitBytes)
  const { bytes, words: memory } = kernel()
  const table: Table = {
    values: take(4 * perValue * sliceValues),
    indices: take(4 * sliceValues),
    slots: take(4 * most),
    body: take(limitBytes),
    state: takeState(take),
  }
  memory.fill(0, table.slots >> 2, (table.slots >> 2) + first)
  const count = (): number => memory[table.state >> 2]!
  return {
    index(from, to, indices) {
      const isApart = indices.buffer !== memory.buffer
      for (let at = from; at < to;) {
        const place = isApart ? table.indices : indices.byteOffset + 4 * (at - from)
        const wanted = Math.min(sliceValues, to - at)
        memory.set(words.subarray(at * perValue, (at + wanted) * perValue), table.values >> 2)
        const found = lookup(table, wanted, place)
        if (isApart) indices.set(memory.subarray(table.indices >> 2, (table.indices >> 2) + found), at - from)
        at += found
        if (found < wanted) return at - from
      }
      return to - from
    },
    count,
    body: () => bytes.subarray(table.body, table.body + 4 * perValue * count()),
  }
}
