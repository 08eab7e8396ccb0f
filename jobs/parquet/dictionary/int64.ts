import { type DictionaryBuilder, firstSlots, mix } from './dictionary.ts'
import { growWords, wordBytes, type WordTable } from './words.ts'

/**
 * A dictionary of 8-byte values as two 32-bit lanes each (low, high), compared by their bits: BigInt would
 * allocate per value.
 */
export function int64Dictionary(lanes: Int32Array, limitBytes: number): DictionaryBuilder {
  const table: WordTable = {
    values: lanes,
    limit: limitBytes >> 3,
    slots: new Int32Array(firstSlots),
    distinct: new Int32Array(firstSlots),
    count: 0,
  }
  return {
    index: (from, to, indices) => indexInt64s(table, from, to, indices),
    count: () => table.count,
    body: () => wordBytes(table.distinct, table.count * 2),
  }
}

function indexInt64s(table: WordTable, from: number, to: number, indices: Int32Array): number {
  const { values, limit } = table
  let { slots, distinct, count } = table
  let mask = slots.length - 1
  let i = from
  for (; i < to; i++) {
    const low = values[i * 2]!
    const high = values[i * 2 + 1]!
    let slot = hash(low, high) & mask
    let entry = slots[slot]!
    while (entry !== 0 && (distinct[entry * 2 - 2] !== low || distinct[entry * 2 - 1] !== high)) {
      slot = (slot + 1) & mask
      entry = slots[slot]!
    }
    if (entry === 0) {
      if (count === limit) break
      if (count * 2 === distinct.length) {
        slots = table.slots = rehashed(distinct, slots.length * 2)
        distinct = table.distinct = growWords(distinct)
        mask = slots.length - 1
        i--
        continue
      }
      distinct[count * 2] = low
      distinct[count * 2 + 1] = high
      slots[slot] = entry = ++count
    }
    indices[i - from] = entry - 1
  }
  table.count = count
  return i - from
}

function rehashed(distinct: Int32Array, length: number): Int32Array {
  const slots = new Int32Array(length)
  const mask = length - 1
  for (let at = 0; at < distinct.length; at += 2) {
    let slot = hash(distinct[at]!, distinct[at + 1]!) & mask
    while (slots[slot] !== 0) slot = (slot + 1) & mask
    slots[slot] = (at >> 1) + 1
  }
  return slots
}

const hash = (low: number, high: number): number => mix(low ^ Math.imul(high, 0x9e3779b1))
