// The values of Parquet's pages (Encodings.md). Up to 28 bytes behind what is read are read, too.

/**
 * Decodes the RLE/bit-packing hybrid `from … end`: exactly `count` values of `width` bits (1 to 24), as words; false: it is
 * damaged, or has a value that is not below `limit`.
 */
export function decodeIndices(from: u32, end: u32, width: u32, count: u32, limit: u32, target: u32): bool {
  const valueBytes = (width + 7) >> 3
  const last = target + (count << 2)
  let most: u32 = 0
  // Of a group of eight the first four values, and the others, which begin in its byte `half`.
  const half = width >> 1
  const down: i32 = 32 - width
  const firstBytes = windows(width, 0)
  const otherBytes = windows(width, (width & 1) << 2)
  const firstFactors = factors(width, 0)
  const otherFactors = factors(width, (width & 1) << 2)
  let mosts = i32x4.splat(0)
  while (target < last) {
    const header = varint(from, end)
    if (header < 0) return false
    from += varintBytes(header)
    const some: u32 = (<u32>header) >> 1
    const left = (last - target) >> 2
    if (header & 1) {
      // The last group is padded.
      if (some == 0 || some > (left + 7) >> 3 || some * width > end - from) return false
      const next = from + some * width
      const values = min(some << 3, left)
      for (const stop = target + ((values & ~7) << 2); target < stop; target += 32, from += width) {
        const first = unpackFour(v128.load(from), firstBytes, firstFactors, down)
        const other = unpackFour(v128.load(from + half), otherBytes, otherFactors, down)
        v128.store(target, first)
        v128.store(target, other, 16)
        mosts = i32x4.max_u(mosts, i32x4.max_u(first, other))
      }
      for (let bit: u32 = 0; bit < (values & 7) * width; bit += width, target += 4) {
        const value = (load<u32>(from + (bit >> 3)) << (down - (bit & 7))) >>> down
        most = max(most, value)
        store<u32>(target, value)
      }
      from = next
    } else {
      if (some == 0 || some > left || valueBytes > end - from) return false
      const value = load<u32>(from) & ((<u32>0xffffffff) >>> (32 - (valueBytes << 3)))
      most = max(most, value)
      from += valueBytes
      const run = i32x4.splat(value)
      const stop = target + (some << 2)
      for (; target + 16 <= stop; target += 16) v128.store(target, run)
      for (; target < stop; target += 4) store<u32>(target, value)
    }
  }
  most = max(most, max(<u32>i32x4.extract_lane(mosts, 0), <u32>i32x4.extract_lane(mosts, 1)))
  most = max(most, max(<u32>i32x4.extract_lane(mosts, 2), <u32>i32x4.extract_lane(mosts, 3)))
  return from == end && most < limit
}

/** Four values: the bytes that each begins in, its last bit moved to the word's last by a factor, and all others moved out of it. */
function unpackFour(bytes: v128, windows: v128, factors: v128, down: i32): v128 {
  return i32x4.shr_u(i32x4.mul(i8x16.swizzle(bytes, windows), factors), down)
}

/** Of four values of `width` bits behind each other, from bit `from` on, the four bytes that each begins in. */
function windows(width: u32, from: u32): v128 {
  let all = i32x4.splat(fourBytes(from))
  all = i32x4.replace_lane(all, 1, fourBytes(from + width))
  all = i32x4.replace_lane(all, 2, fourBytes(from + 2 * width))
  return i32x4.replace_lane(all, 3, fourBytes(from + 3 * width))
}

function fourBytes(bit: u32): u32 {
  return 0x03020100 + (bit >> 3) * 0x01010101
}

function factors(width: u32, from: u32): v128 {
  let all = i32x4.splat(factor(width, from))
  all = i32x4.replace_lane(all, 1, factor(width, from + width))
  all = i32x4.replace_lane(all, 2, factor(width, from + 2 * width))
  return i32x4.replace_lane(all, 3, factor(width, from + 3 * width))
}

function factor(width: u32, bit: u32): u32 {
  return (<u32>1) << (32 - width - (bit & 7))
}

/** The same of `count` values of one bit, as bytes; how many are 1, or -1. */
export function decodeFlags(from: u32, end: u32, count: u32, target: u32): i32 {
  const last = target + count
  let ones: u32 = 0
  while (target < last) {
    const header = varint(from, end)
    if (header < 0) return -1
    from += varintBytes(header)
    const some: u32 = (<u32>header) >> 1
    const left = last - target
    if (header & 1) {
      if (some == 0 || some > (left + 7) >> 3 || some > end - from) return -1
      const values = min(some << 3, left)
      for (let i: u32 = 0; i < values; i++) {
        const flag: u32 = ((<u32>load<u8>(from + (i >> 3))) >> (i & 7)) & 1
        ones += flag
        store<u8>(target++, flag)
      }
      from += some
    } else {
      if (some == 0 || some > left || from >= end) return -1
      const flag: u32 = load<u8>(from++)
      if (flag > 1) return -1
      ones += flag * some
      memory.fill(target, <u8>flag, some)
      target += some
    }
  }
  return from == end ? ones : -1
}

/** Below 2^28; -1: it is more, or reaches beyond the end, or is longer than it need be. */
function varint(from: u32, end: u32): i32 {
  let value: u32 = 0
  for (let shift: u32 = 0; shift < 28; shift += 7) {
    if (from >= end) return -1
    const byte: u32 = load<u8>(from++)
    value |= (byte & 127) << shift
    if (byte < 128) return byte == 0 && shift > 0 ? -1 : value
  }
  return -1
}

function varintBytes(value: u32): u32 {
  if (value < 1 << 7) return 1
  if (value < 1 << 14) return 2
  return value < 1 << 21 ? 3 : 4
}

/** The values of 4 or 8 bytes that `count` indices stand for. */
export function pickWords(indices: u32, count: u32, entries: u32, width: u32, target: u32): void {
  const end = indices + (count << 2)
  if (width == 4)
    for (; indices < end; indices += 4, target += 4)
      store<u32>(target, load<u32>(entries + (load<u32>(indices) << 2)))
  else
    for (; indices < end; indices += 4, target += 8)
      store<u64>(target, load<u64>(entries + (load<u32>(indices) << 3)))
}

/** Where `count` byte strings, each behind its length in 4 bytes, begin and end; false: they do not fill `from … end`. */
export function textPlaces(from: u32, end: u32, count: u32, places: u32): bool {
  let at = from
  for (let i: u32 = 0; i < count; i++, places += 4) {
    store<u32>(places, at)
    if (end - at < 4) return false
    const length = load<u32>(at)
    if (length > end - at - 4) return false
    at += 4 + length
  }
  store<u32>(places, at)
  return at == end
}

/**
 * Bytes of the texts, without their lengths, that `count` indices stand for (`places`: as of `textPlaces`); of all of them, where
 * `indices` is 0. -1: they are more than `most`.
 */
export function textsSize(places: u32, indices: u32, count: u32, most: u32): i32 {
  let size: u64 = 0
  if (indices == 0) size = load<u32>(places + (count << 2)) - load<u32>(places) - (count << 2)
  else
    for (const end = indices + (count << 2); indices < end; indices += 4) {
      const place = places + (load<u32>(indices) << 2)
      size += load<u32>(place, 4) - load<u32>(place) - 4
    }
  return size > most ? -1 : i32(size)
}

/**
 * Puts these texts one behind the other, from `first` on as many as have room in `size` bytes; `ends` get where each ends, counted
 * from `end`. Up to 15 bytes behind them are overwritten. How many there are then.
 */
export function pickTexts(
  places: u32,
  indices: u32,
  first: u32,
  count: u32,
  target: u32,
  size: u32,
  ends: u32,
  end: u32,
): u32 {
  let to = target
  let i = first
  for (; i < count; i++) {
    const place = places + ((indices == 0 ? i : load<u32>(indices + (i << 2))) << 2)
    const from = load<u32>(place) + 4
    const length = load<u32>(place, 4) - from
    if (to - target + length > size) break
    if (length <= 64) {
      for (let byte: u32 = 0; byte < length; byte += 16) v128.store(to + byte, v128.load(from + byte))
    } else memory.copy(to, from, length)
    to += length
    store<u32>(ends, end + (to - target))
    ends += 4
  }
  return i
}

/** Marks the entries that `count` indices stand for, a byte each. */
export function markUsed(indices: u32, count: u32, used: u32): void {
  const end = indices + (count << 2)
  for (; indices < end; indices += 4) store<u8>(used + load<u32>(indices), 1)
}

/** The least and the greatest of `count` > 0 values of int32, then their sum in 8 bytes. */
export function int32Statistics(values: u32, count: u32, result: u32): void {
  let least = load<i32>(values)
  let most = least
  let sum: i64 = 0
  const end = values + (count << 2)
  let leasts = i32x4.splat(least)
  let mosts = leasts
  let sums = i64x2.splat(0)
  for (; values + 16 <= end; values += 16) {
    const some = v128.load(values)
    leasts = i32x4.min_s(leasts, some)
    mosts = i32x4.max_s(mosts, some)
    sums = i64x2.add(sums, i64x2.add(i64x2.extend_low_i32x4_s(some), i64x2.extend_high_i32x4_s(some)))
  }
  for (; values < end; values += 4) {
    const value = load<i32>(values)
    least = min(least, value)
    most = max(most, value)
    sum += value
  }
  least = min(least, min(i32x4.extract_lane(leasts, 0), i32x4.extract_lane(leasts, 1)))
  least = min(least, min(i32x4.extract_lane(leasts, 2), i32x4.extract_lane(leasts, 3)))
  most = max(most, max(i32x4.extract_lane(mosts, 0), i32x4.extract_lane(mosts, 1)))
  most = max(most, max(i32x4.extract_lane(mosts, 2), i32x4.extract_lane(mosts, 3)))
  store<i32>(result, least)
  store<i32>(result, most, 4)
  store<i64>(result, sum + i64x2.extract_lane(sums, 0) + i64x2.extract_lane(sums, 1), 8)
}

/** The same of int64; their sum in two parts: of the low words, unsigned, and of the high ones. */
export function int64Statistics(values: u32, count: u32, result: u32): void {
  let least = load<i64>(values)
  let most = least
  let low: i64 = 0
  let high: i64 = 0
  const end = values + (count << 3)
  let leasts = i64x2.splat(least)
  let mosts = leasts
  let lows = i64x2.splat(0)
  let highs = i64x2.splat(0)
  const words = i64x2.splat(0xffffffff)
  for (; values + 16 <= end; values += 16) {
    const some = v128.load(values)
    leasts = v128.bitselect(some, leasts, i64x2.lt_s(some, leasts))
    mosts = v128.bitselect(some, mosts, i64x2.gt_s(some, mosts))
    lows = i64x2.add(lows, v128.and(some, words))
    highs = i64x2.add(highs, i64x2.shr_s(some, 32))
  }
  if (values < end) {
    const value = load<i64>(values)
    least = value
    most = value
    low = value & 0xffffffff
    high = value >> 32
  }
  store<i64>(result, min(least, min(i64x2.extract_lane(leasts, 0), i64x2.extract_lane(leasts, 1))))
  store<i64>(result, max(most, max(i64x2.extract_lane(mosts, 0), i64x2.extract_lane(mosts, 1))), 8)
  store<i64>(result, low + i64x2.extract_lane(lows, 0) + i64x2.extract_lane(lows, 1), 16)
  store<i64>(result, high + i64x2.extract_lane(highs, 0) + i64x2.extract_lane(highs, 1), 24)
}
