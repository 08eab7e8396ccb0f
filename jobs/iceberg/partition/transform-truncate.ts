import type { ColumnVector, FixedVector } from '../../vector/vector.ts'
import { isBigEndian, slicesOf, type Slices } from './transform-slices.ts'
import type { Transform } from './transforms.ts'
import type { PrimitiveType } from '../schema/types.ts'

/** The column's values as identity (all of each) or truncate (spec "Truncate Transform Details") leaves them. */
export function truncated(transform: Transform, type: PrimitiveType, vector: ColumnVector): Slices {
  const slices = slicesOf(vector)
  if (transform.kind !== 'truncate') return slices
  if (type.kind === 'string') return { ...slices, ends: codePointEnds(slices, transform.width) }
  if (type.kind === 'binary') return { ...slices, ends: byteEnds(slices, transform.width) }
  return truncatedIntegers(vector as FixedVector, transform.width, isBigEndian(type, vector))
}

const byteEnds = ({ starts, ends, count }: Slices, width: number): Int32Array => {
  const cut = new Int32Array(count)
  for (let i = 0; i < count; i++) cut[i] = Math.min(ends[i]!, starts[i]! + width)
  return cut
}

/** A code point ends where no continuation byte (10xxxxxx) follows. */
function codePointEnds({ data, starts, ends, count }: Slices, width: number): Int32Array {
  const cut = new Int32Array(count)
  for (let i = 0; i < count; i++) {
    const end = ends[i]!
    let at = starts[i]!
    for (let points = 0; points < width && at < end; points++) {
      at++
      while (at < end && (data[at]! & 0xc0) === 0x80) at++
    }
    cut[i] = at
  }
  return cut
}

/**
 * v - (((v % W) + W) % W) for integers of any width: the remainder is found 8 bits at a time from the top,
 * exact in a double because W < 2^31, and subtracted byte by byte.
 */
function truncatedIntegers(vector: FixedVector, modulus: number, bigEndian: boolean): Slices {
  const { width, count } = vector
  const data = vector.data.slice(0, count * width)
  const lowest = bigEndian ? width - 1 : 0
  const step = bigEndian ? -1 : 1
  for (let i = 0; i < count; i++) {
    const low = i * width + lowest
    const high = i * width + width - 1 - lowest
    let remainder = ((((data[high]! << 24) >> 24) % modulus) + modulus) % modulus
    for (let at = high; at !== low;) {
      at -= step
      remainder = (remainder * 256 + data[at]!) % modulus
    }
    let borrow = 0
    for (let at = low, left = remainder; left > 0 || borrow > 0; at += step, left >>>= 8) {
      if (at === high + step) break
      const difference = data[at]! - (left & 0xff) - borrow
      data[at] = difference
      borrow = difference < 0 ? 1 : 0
    }
  }
  return slicesOf({ ...vector, data })
}
