import type { Take } from '../../kernel/arena.ts'
import { kernel } from '../../kernel/kernel.ts'
import type { MinMax } from '../statistics/bounds.ts'
import {
  assertLimit,
  type DictionaryBuilder,
  firstSlots,
  sliceValues,
  slotsFor,
  takeState,
} from './dictionary.ts'

/** Where values lie: value `i` is `data[offsets[i]] … data[offsets[i + 1]]`, end exclusive. */
export interface ByteValues {
  readonly data: Uint8Array
  readonly offsets: Int32Array
}

export interface BytesDictionary extends DictionaryBuilder {
  /** The least and the greatest distinct value as unsigned bytes, without prefix; there is at least one. */
  readonly bounds: () => MinMax
}

/** Bytes of values that are looked up at a time. */
const sliceBytes = 1 << 20
/** The kernel reads up to 8 bytes behind a value. */
const behind = 8

/**
 * A dictionary of byte strings. `prefixed`: each value follows its length in 4 bytes (BYTE_ARRAY); otherwise all have
 * one length (FIXED_LEN_BYTE_ARRAY).
 */
export function bytesDictionary(
  { data, offsets }: ByteValues,
  prefixed: boolean,
  limitBytes: number,
  take: Take,
): BytesDictionary {
  assertLimit(limitBytes)
  const { arena, bytes, words, indexBytes, bytesBounds } = kernel()
  const prefix = prefixed ? 4 : 0
  // Entries are of 4 bytes or more: a prefix, or a fixed width, which is 4, 8 or, for those that come here, more than 8.
  const mostEntries = limitBytes >> 2
  const t = {
    values: take(sliceBytes + behind),
    offsets: take(4 * sliceValues + 4),
    indices: take(4 * sliceValues),
    // A slot has two words, and half the table again is needed while it grows.
    slots: take(1.5 * 8 * slotsFor(mostEntries)),
    body: take(limitBytes + behind),
    /** Where entries begin in `body`, and where the last one ends. */
    starts: take(4 * mostEntries + 4),
    state: takeState(take),
  }
  words.fill(0, t.slots >> 2, (t.slots >> 2) + 2 * firstSlots)
  words[t.starts >> 2] = 0
  const count = (): number => words[t.state >> 2]!
  const startOf = (entry: number): number => words[(t.starts >> 2) + entry]!
  return {
    index(from, to, indices) {
      const isApart = indices.buffer !== words.buffer
      for (let at = from; at < to;) {
        const place = isApart ? t.indices : indices.byteOffset + 4 * (at - from)
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
          place,
          prefix,
          t.slots,
          t.starts,
          t.body,
          limitBytes,
          t.state,
        )
        if (isApart) indices.set(words.subarray(t.indices >> 2, (t.indices >> 2) + found), at - from)
        at += found
        if (at < end) return at - from
      }
      return to - from
    },
    count,
    body: () => bytes.subarray(t.body, t.body + startOf(count())),
    bounds: () =>
      arena.scope((takeHere) => {
        const result = takeHere(8)
        bytesBounds(t.body, t.starts, count(), prefix, result)
        const value = (entry: number): Uint8Array =>
          bytes.slice(t.body + startOf(entry) + prefix, t.body + startOf(entry + 1))
        return { min: value(words[result >> 2]!), max: value(words[(result >> 2) + 1]!) }
      }),
  }
}

/** The end of the longest range from `from` that is looked up at once. */
function sliceEnd(offsets: Int32Array, from: number, to: number): number {
  const most = offsets[from]! + sliceBytes
  let end = Math.min(to, from + sliceValues)
  while (end > from && offsets[end]! > most) end = from + ((end - from) >> 1)
  return end
}
