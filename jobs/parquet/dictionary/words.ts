import { kernel } from '../../kernel/kernel.ts'
import { type DictionaryBuilder, firstSlots } from './dictionary.ts'
import { ownTable, sliceValues, takeTable, widestSpan, type DictionaryTable } from './table.ts'

/** Looks up `count` values of the slice; returns how many it could. */
type Lookup = (table: DictionaryTable, count: number) => number

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
  const limit = limitBytes >> 2
  const { indexSpan, indexInt32s } = kernel()
  return max - min < widestSpan && max - min <= Math.max(1024, 2 * values.length)
    ? wordDictionary(values, 1, max - min + 1, limitBytes, (t, count) =>
        indexSpan(t.values, count, t.indices, min, t.slots, t.body, limit, t.state),
      )
    : wordDictionary(values, 1, firstSlots, limitBytes, (t, count) =>
        indexInt32s(t.values, count, t.indices, t.slots, t.body, limit, t.state),
      )
}

/** A dictionary of 8-byte values as two 32-bit lanes each (low, high), compared by their bits. */
export function int64Dictionary(lanes: Int32Array, limitBytes: number): DictionaryBuilder {
  const { indexInt64s } = kernel()
  return wordDictionary(lanes, 2, firstSlots, limitBytes, (t, count) =>
    indexInt64s(t.values, count, t.indices, t.slots, t.body, limitBytes >> 3, t.state),
  )
}

function wordDictionary(
  words: Int32Array,
  perValue: 1 | 2,
  slots: number,
  limitBytes: number,
  lookup: Lookup,
): DictionaryBuilder {
  const { bytes, words: memory } = kernel()
  const self = {}
  takeTable(self, slots, limitBytes)
  const count = (): number => memory[ownTable(self).state >> 2]!
  return {
    index(from, to, indices) {
      const table = ownTable(self)
      for (let at = from; at < to;) {
        const wanted = Math.min(sliceValues, to - at)
        memory.set(words.subarray(at * perValue, (at + wanted) * perValue), table.values >> 2)
        const found = lookup(table, wanted)
        indices.set(memory.subarray(table.indices >> 2, (table.indices >> 2) + found), at - from)
        at += found
        if (found < wanted) return at - from
      }
      return to - from
    },
    count,
    body: () => {
      const { body } = ownTable(self)
      return bytes.subarray(body, body + 4 * perValue * count())
    },
  }
}
