// The values of Parquet's pages (Encodings.md). Up to 8 bytes behind what is read are read, too.

/**
 * Decodes the RLE/bit-packing hybrid `from … end`: exactly `count` values of `width` bits (1 to 24), as words; false: it is
 * damaged, or has a value that is not below `limit`.
 */
export function decodeIndices(from: u32, end: u32, width: u32, count: u32, limit: u32, target: u32): bool {
  const mask: u32 = ((<u32>1) << width) - 1
  const valueBytes = (width + 7) >> 3
  const last = target + (count << 2)
  let most: u32 = 0
  while (target < last) {
    const header = varint(from, end)
    if (header < 0) return false
    from += varintBytes(header)
    const some: u32 = (<u32>header) >> 1
    const left = (last - target) >> 2
    if (header & 1) {
      // The last group is padded.
      if (some == 0 || some > (left + 7) >> 3 || some * width > end - from) return false
      const values = min(some << 3, left)
      let bit: u32 = 0
      for (let i: u32 = 0; i < values; i++, bit += width, target += 4) {
        const value = (load<u32>(from + (bit >> 3)) >>> (bit & 7)) & mask
        most = max(most, value)
        store<u32>(target, value)
      }
      from += some * width
    } else {
      if (some == 0 || some > left || valueBytes > end - from) return false
      const value = load<u32>(from) & ((<u32>0xffffffff) >>> (32 - (valueBytes << 3)))
      most = max(most, value)
      from += valueBytes
      for (let i: u32 = 0; i < some; i++, target += 4) store<u32>(target, value)
    }
  }
  return from == end && most < limit
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
  for (; values < end; values += 4) {
    const value = load<i32>(values)
    least = min(least, value)
    most = max(most, value)
    sum += value
  }
  store<i32>(result, least)
  store<i32>(result, most, 4)
  store<i64>(result, sum, 8)
}

/** The same of int64; their sum in two parts: of the low words, unsigned, and of the high ones. */
export function int64Statistics(values: u32, count: u32, result: u32): void {
  let least = load<i64>(values)
  let most = least
  let low: i64 = 0
  let high: i64 = 0
  const end = values + (count << 3)
  for (; values < end; values += 8) {
    const value = load<i64>(values)
    least = min(least, value)
    most = max(most, value)
    low += value & 0xffffffff
    high += value >> 32
  }
  store<i64>(result, least)
  store<i64>(result, most, 8)
  store<i64>(result, low, 16)
  store<i64>(result, high, 24)
}
