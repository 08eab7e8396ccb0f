import { KEY, MASKS } from './places'

/**
 * Two words of 32 bits, each added to a random one of 64: a sum of such products is a hash that is strongly universal in its
 * high half (Lemire and Kaser, "Strongly universal string hashing is fast", multilinear-HM). No input knows the key.
 */
function product(word: u64, key: u32): u64 {
  return ((word & 0xffffffff) + load<u64>(key)) * ((word >>> 32) + load<u64>(key, 8))
}

function sumOf32(low: v128, high: v128): u64 {
  return (
    product(i64x2.extract_lane(low, 0), KEY) +
    product(i64x2.extract_lane(low, 1), KEY + 16) +
    product(i64x2.extract_lane(high, 0), KEY + 32) +
    product(i64x2.extract_lane(high, 1), KEY + 48)
  )
}

/** Products alone leave runs of equal distance in keys that have them; a multiplication of the folded sum scatters them. */
function finished(sum: u64): u32 {
  return <u32>(((sum ^ (sum >>> 32)) * 0x9e3779b97f4a7c15) >>> 32)
}

/** The hash of `length` bytes at `at`, none of them 0: the zeros that fill up the last words tell no two apart that differ. Reads 32 bytes beyond. */
export function hashOf(at: u32, length: u32): u32 {
  if (length <= 16) {
    const low = v128.and(v128.load(at), v128.load(MASKS + 32 - length))
    return finished(product(i64x2.extract_lane(low, 0), KEY) + product(i64x2.extract_lane(low, 1), KEY + 16))
  }
  if (length <= 32)
    return finished(sumOf32(v128.load(at), v128.and(v128.load(at, 16), v128.load(MASKS + 48 - length))))
  return hashOfLong(at, length)
}

function hashOfLong(at: u32, length: u32): u32 {
  const factor = load<u64>(KEY + 64)
  const end = at + length
  let sum: u64 = 0
  let p = at
  for (; p + 32 <= end; p += 32) sum = (sum ^ (sum >>> 32)) * factor + sumOf32(v128.load(p), v128.load(p, 16))
  const rest = end - p
  const low = v128.and(v128.load(p), v128.load(MASKS + 32 - min(rest, 16)))
  const high = v128.and(v128.load(p, 16), v128.load(MASKS + 32 - (rest > 16 ? rest - 16 : 0)))
  return finished((sum ^ (sum >>> 32)) * factor + sumOf32(low, high))
}

/** Whether the `length` bytes at both places are equal. Reads up to 32 bytes beyond. */
export function isSame(a: u32, b: u32, length: u32): bool {
  if (length > 32) return isSameLong(a, b, length)
  let other = v128.and(v128.xor(v128.load(a), v128.load(b)), v128.load(MASKS + 32 - min(length, 16)))
  if (length > 16)
    other = v128.or(
      other,
      v128.and(v128.xor(v128.load(a, 16), v128.load(b, 16)), v128.load(MASKS + 48 - length)),
    )
  return !v128.any_true(other)
}

function isSameLong(a: u32, b: u32, length: u32): bool {
  const last = length - 8
  for (let i: u32 = 0; i < last; i += 8) if (load<u64>(a + i) != load<u64>(b + i)) return false
  return load<u64>(a + last) == load<u64>(b + last)
}
