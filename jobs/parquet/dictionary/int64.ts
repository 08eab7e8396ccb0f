import { type DictionaryBuilder, firstSlots, mix } from './dictionary.ts'
import { growWords, wordBytes } from './words.ts'

/**
 * A dictionary of 8-byte values as two 32-bit lanes each (low, high), compared by their bits: BigInt would
 * allocate per value.
 */
export function int64Dictionary(lanes: Int32Array, limitBytes: number): DictionaryBuilder {
  const limit = limitBytes >> 3
  let slots = new Int32Array(firstSlots)
  let distinct = new Int32Array(firstSlots)
  let count = 0

  function grow(): void {
    distinct = growWords(distinct)
    slots = new Int32Array(slots.length * 2)
    const mask = slots.length - 1
    for (let entry = 0; entry < count; entry++) {
      let slot = hash(distinct[entry * 2]!, distinct[entry * 2 + 1]!) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = entry + 1
    }
  }

  return {
    index(from, to, indices) {
      let mask = slots.length - 1
      for (let i = from; i < to; i++) {
        const low = lanes[i * 2]!
        const high = lanes[i * 2 + 1]!
        let slot = hash(low, high) & mask
        let entry = slots[slot]!
        while (entry !== 0 && (distinct[entry * 2 - 2] !== low || distinct[entry * 2 - 1] !== high)) {
          slot = (slot + 1) & mask
          entry = slots[slot]!
        }
        if (entry === 0) {
          if (count === limit) return i - from
          if (count * 2 === distinct.length) {
            grow()
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
      return to - from
    },
    count: () => count,
    body: () => wordBytes(distinct, count * 2),
  }
}

const hash = (low: number, high: number): number => mix(low ^ Math.imul(high, 0x9e3779b1))
