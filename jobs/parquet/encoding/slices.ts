import type { Take } from '../../kernel/arena.ts'
import { kernel } from '../../kernel/kernel.ts'
import type { BytesVector } from '../../vector/vector.ts'

/** Values that the kernel looks at at once, and the bytes of byte strings. */
export const sliceValues = 16_384
const sliceBytes = 1 << 19

/** A slice of byte strings in the kernel's memory: number i lies between offsets i and i + 1, counted from `data`. */
export interface Slice {
  readonly data: number
  readonly offsets: number
}

/**
 * Copies the byte strings `from … to` to the kernel, slice by slice, in room that it takes; `work` is called with each slice, `single`
 * with one that there is no room for.
 */
export function eachSlice(
  { data, offsets }: Pick<BytesVector, 'data' | 'offsets'>,
  [from, to]: readonly [number, number],
  take: Take,
  work: (slice: Slice, from: number, to: number) => void,
  single: (value: number) => void,
): void {
  const { bytes, words } = kernel()
  // Up to 15 bytes behind them are read.
  const [values, ends] = [take(sliceBytes + 16), take(4 * (sliceValues + 1))]
  while (from < to) {
    const start = offsets[from]!
    let end = Math.min(to, from + sliceValues)
    if (offsets[end]! - start > sliceBytes) end = lastWithin(offsets, from, end, start + sliceBytes)
    if (end === from) {
      single(from++)
      continue
    }
    bytes.set(data.subarray(start, offsets[end]), values)
    words.set(offsets.subarray(from, end + 1), ends >> 2)
    work({ data: values - start, offsets: ends }, from, end)
    from = end
  }
}

/** The last position from `low` on, before `high`, whose offset is at most `limit`. */
function lastWithin(offsets: Int32Array, low: number, high: number, limit: number): number {
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (offsets[middle]! <= limit) low = middle
    else high = middle
  }
  return low
}
