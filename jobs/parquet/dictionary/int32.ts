import { type DictionaryBuilder, firstSlots, mix } from './dictionary.ts'
import { growWords, wordBytes, type WordTable } from './words.ts'

/** A span of values up to this is looked up in a table of its own, without hashing. */
const widestSpan = 1 << 20

/**
 * A dictionary of 4-byte values, compared by their bits (so NaN and -0.0 stay apart). `min` and `max` are the
 * values' bounds as int32, known beforehand because statistics need them too.
 */
export function int32Dictionary(
  values: Int32Array,
  min: number,
  max: number,
  limitBytes: number,
): DictionaryBuilder {
  return max - min < widestSpan && max - min <= Math.max(1024, 2 * values.length)
    ? directDictionary(values, min, max, limitBytes)
    : hashedDictionary(values, limitBytes)
}

function directDictionary(
  values: Int32Array,
  min: number,
  max: number,
  limitBytes: number,
): DictionaryBuilder {
  const limit = limitBytes >> 2
  const span = max - min + 1
  return wordDictionary(
    { values, limit, slots: new Int32Array(span), distinct: new Int32Array(Math.min(limit, span)), count: 0 },
    (table, from, to, indices) => indexDirect(table, min, from, to, indices),
  )
}

function hashedDictionary(values: Int32Array, limitBytes: number): DictionaryBuilder {
  return wordDictionary(
    {
      values,
      limit: limitBytes >> 2,
      slots: new Int32Array(firstSlots),
      distinct: new Int32Array(firstSlots >> 1),
      count: 0,
    },
    indexHashed,
  )
}

const wordDictionary = (
  table: WordTable,
  index: (table: WordTable, from: number, to: number, indices: Int32Array) => number,
): DictionaryBuilder => ({
  index: (from, to, indices) => index(table, from, to, indices),
  count: () => table.count,
  body: () => wordBytes(table.distinct, table.count),
})

function indexDirect(table: WordTable, min: number, from: number, to: number, indices: Int32Array): number {
  const { values, limit, slots, distinct } = table
  let { count } = table
  let i = from
  for (; i < to; i++) {
    const value = values[i]!
    const slot = (value - min) | 0
    let entry = slots[slot]!
    if (entry === 0) {
      if (count === limit) break
      distinct[count++] = value
      slots[slot] = entry = count
    }
    indices[i - from] = entry - 1
  }
  table.count = count
  return i - from
}

function indexHashed(table: WordTable, from: number, to: number, indices: Int32Array): number {
  const { values, limit } = table
  let { slots, distinct, count } = table
  let mask = slots.length - 1
  let i = from
  for (; i < to; i++) {
    const value = values[i]!
    let slot = mix(value) & mask
    let entry = slots[slot]!
    while (entry !== 0 && distinct[entry - 1] !== value) {
      slot = (slot + 1) & mask
      entry = slots[slot]!
    }
    if (entry === 0) {
      if (count === limit) break
      if (count === distinct.length) {
        slots = table.slots = rehashed(distinct, slots.length * 2)
        distinct = table.distinct = growWords(distinct)
        mask = slots.length - 1
        i--
        continue
      }
      distinct[count++] = value
      slots[slot] = entry = count
    }
    indices[i - from] = entry - 1
  }
  table.count = count
  return i - from
}

function rehashed(distinct: Int32Array, length: number): Int32Array {
  const slots = new Int32Array(length)
  const mask = length - 1
  for (let at = 0; at < distinct.length; at++) {
    let slot = mix(distinct[at]!) & mask
    while (slots[slot] !== 0) slot = (slot + 1) & mask
    slots[slot] = at + 1
  }
  return slots
}
