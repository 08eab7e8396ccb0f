import { kernel } from '../../kernel/kernel.ts'
import type { MinMax } from '../bounds.ts'
import { type DictionaryBuilder, firstSlots } from './dictionary.ts'
import { ownTable, sliceBytes, sliceValues, takeTable } from './table.ts'

/** Where values lie: value `i` is `data[offsets[i]] … data[offsets[i + 1]]`, end exclusive. */
export interface ByteValues {
  readonly data: Uint8Array
  readonly offsets: Int32Array
}

export interface BytesDictionary extends DictionaryBuilder {
  /** The least and the greatest distinct value as unsigned bytes, without prefix; there is at least one. */
  readonly bounds: () => MinMax
}

/**
 * A dictionary of byte strings. `prefixed`: each value follows its length in 4 bytes (BYTE_ARRAY); otherwise all have
 * one length (FIXED_LEN_BYTE_ARRAY).
 */
export function bytesDictionary(
  { data, offsets }: ByteValues,
  prefixed: boolean,
  limitBytes: number,
): BytesDictionary {
  const { bytes, words, indexBytes, bytesBounds } = kernel()
  const prefix = prefixed ? 4 : 0
  const self = {}
  takeTable(self, 2 * firstSlots, limitBytes)
  const count = (): number => words[ownTable(self).state >> 2]!
  const starts = (): Int32Array => {
    const first = ownTable(self).starts >> 2
    return words.subarray(first, first + count() + 1)
  }
  return {
    index(from, to, indices) {
      const t = ownTable(self)
      for (let at = from; at < to;) {
        const end = sliceEnd(offsets, at, to)
        // A value that no slice can hold fits no dictionary.
        if (end === at) return at - from
        const base = offsets[at]!
        bytes.set(data.subarray(base, offsets[end]), t.values)
        words.set(offsets.subarray(at, end + 1), t.offsets >> 2)
        const found = indexBytes(
          t.values,
          base,
          t.offsets,
          end - at,
          t.indices,
          prefix,
          t.slots,
          t.starts,
          t.body,
          limitBytes,
          t.state,
        )
        indices.set(words.subarray(t.indices >> 2, (t.indices >> 2) + found), at - from)
        at += found
        if (at < end) return at - from
      }
      return to - from
    },
    count,
    body: () => {
      const { body } = ownTable(self)
      return bytes.subarray(body, body + starts().at(-1)!)
    },
    bounds() {
      const { body, starts: ends, result } = ownTable(self)
      bytesBounds(body, ends, count(), prefix, result)
      const value = (entry: number): Uint8Array =>
        bytes.slice(body + starts()[entry]! + prefix, body + starts()[entry + 1]!)
      return { min: value(words[result >> 2]!), max: value(words[(result >> 2) + 1]!) }
    },
  }
}

/** The end of the longest range from `from` that is looked up at once. */
function sliceEnd(offsets: Int32Array, from: number, to: number): number {
  const most = offsets[from]! + sliceBytes
  let end = Math.min(to, from + sliceValues)
  while (end > from && offsets[end]! > most) end = from + ((end - from) >> 1)
  return end
}
