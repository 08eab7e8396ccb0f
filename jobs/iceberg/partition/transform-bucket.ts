import type { ColumnVector } from '../../vector/vector.ts'
import { murmur3 } from './murmur3.ts'
import { isBigEndian, slicesOf } from './transform-slices.ts'
import { toSingleValue } from '../schema/single-value.ts'
import type { PrimitiveType, Value } from '../schema/types.ts'

/** Widest canonical form of a fixed-width value: a decimal of 38 digits. */
const scratchSize = 32

/**
 * Buckets of a column: murmur3 of each value's canonical bytes (spec App. B), its sign bit dropped, modulo
 * `buckets`. Ints and dates are hashed as longs, decimals as minimal big-endian bytes, all else as it is.
 */
export function bucketsOf(type: PrimitiveType, vector: ColumnVector, buckets: number): Int32Array {
  const { data, starts, ends, count } = slicesOf(vector)
  const results = new Int32Array(count)
  const scratch = new Uint8Array(scratchSize)
  const bigEndian = isBigEndian(type, vector)
  for (let i = 0; i < count; i++) {
    const start = starts[i]!
    const end = ends[i]!
    let hash: number
    if (type.kind === 'decimal') {
      const from = minimalStart(data, start, end, bigEndian, scratch)
      hash = murmur3(scratch, from, end - start)
    } else if (type.kind === 'int' || type.kind === 'date') {
      for (let at = 0; at < 4; at++) scratch[at] = data[start + at]!
      scratch.fill(data[start + 3]! >= 0x80 ? 0xff : 0, 4, 8)
      hash = murmur3(scratch, 0, 8)
    } else hash = murmur3(data, start, end)
    results[i] = bucketOfHash(hash, buckets)
  }
  return results
}

/** The bucket of one value, which is not NULL: the same as of a column of it. */
export function bucketOf(type: PrimitiveType, value: Value, buckets: number): number {
  const isWhole = type.kind !== 'decimal' && (typeof value === 'number' || typeof value === 'bigint')
  const bytes = isWhole
    ? toSingleValue({ kind: 'long' }, BigInt.asIntN(64, BigInt(value)))
    : toSingleValue(type, value)
  return bucketOfHash(murmur3(bytes, 0, bytes.length), buckets)
}

const bucketOfHash = (hash: number, buckets: number): number => (hash & 0x7fffffff) % buckets

/** Copies a decimal big-endian into `scratch` and returns where its minimal form begins. */
function minimalStart(
  data: Uint8Array,
  start: number,
  end: number,
  bigEndian: boolean,
  scratch: Uint8Array,
): number {
  const width = end - start
  for (let at = 0; at < width; at++) scratch[at] = bigEndian ? data[start + at]! : data[end - 1 - at]!
  const sign = scratch[0]! >= 0x80 ? 0xff : 0
  let from = 0
  while (from < width - 1 && scratch[from] === sign && (scratch[from + 1]! & 0x80) === (sign & 0x80)) from++
  return from
}
