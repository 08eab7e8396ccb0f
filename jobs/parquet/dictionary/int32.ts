import { type DictionaryBuilder, firstSlots, mix } from './dictionary.ts'
import { growWords, wordBytes } from './words.ts'

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
  const slots = new Int32Array(max - min + 1)
  const distinct = new Int32Array(Math.min(limit, slots.length))
  let count = 0
  return {
    index(from, to, indices) {
      let next = count
      for (let i = from; i < to; i++) {
        const value = values[i]!
        const slot = (value - min) | 0
        let entry = slots[slot]!
        if (entry === 0) {
          if (next === limit) {
            count = next
            return i - from
          }
          distinct[next++] = value
          slots[slot] = entry = next
        }
        indices[i - from] = entry - 1
      }
      count = next
      return to - from
    },
    count: () => count,
    body: () => wordBytes(distinct, count),
  }
}

function hashedDictionary(values: Int32Array, limitBytes: number): DictionaryBuilder {
  const limit = limitBytes >> 2
  let slots = new Int32Array(firstSlots)
  let distinct = new Int32Array(firstSlots >> 1)
  let count = 0

  function grow(): void {
    distinct = growWords(distinct)
    slots = new Int32Array(slots.length * 2)
    const mask = slots.length - 1
    for (let entry = 0; entry < count; entry++) {
      let slot = mix(distinct[entry]!) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = entry + 1
    }
  }

  return {
    index(from, to, indices) {
      let mask = slots.length - 1
      for (let i = from; i < to; i++) {
        const value = values[i]!
        let slot = mix(value) & mask
        let entry = slots[slot]!
        while (entry !== 0 && distinct[entry - 1] !== value) {
          slot = (slot + 1) & mask
          entry = slots[slot]!
        }
        if (entry === 0) {
          if (count === limit) return i - from
          if (count === distinct.length) {
            grow()
            mask = slots.length - 1
            i--
            continue
          }
          distinct[count++] = value
          slots[slot] = entry = count
        }
        indices[i - from] = entry - 1
      }
      return to - from
    },
    count: () => count,
    body: () => wordBytes(distinct, count),
  }
}
