/** The least and the greatest of `count` > 0 values of int32, together with what `result` holds already. */
export function int32Bounds(values: i32, count: i32, result: i32): void {
  let min = load<i32>(result)
  let max = load<i32>(result, 4)
  for (let i = 0; i < count; i++) {
    const value = load<i32>(values + (i << 2))
    min = value < min ? value : min
    max = value > max ? value : max
  }
  store<i32>(result, min)
  store<i32>(result, max, 4)
}

/** The same of int64. */
export function int64Bounds(values: i32, count: i32, result: i32): void {
  let min = load<i64>(result)
  let max = load<i64>(result, 8)
  for (let i = 0; i < count; i++) {
    const value = load<i64>(values + (i << 3))
    min = value < min ? value : min
    max = value > max ? value : max
  }
  store<i64>(result, min)
  store<i64>(result, max, 8)
}

/** The order of two byte strings, as unsigned bytes: negative, 0 or positive. */
function compareBytes(a: i32, aLength: i32, b: i32, bLength: i32): i32 {
  const shared = aLength < bLength ? aLength : bLength
  let i = 0
  for (; i + 4 <= shared; i += 4) {
    const left = bswap<u32>(load<u32>(a + i))
    const right = bswap<u32>(load<u32>(b + i))
    if (left != right) return left < right ? -1 : 1
  }
  for (; i < shared; i++) {
    const difference = <i32>load<u8>(a + i) - <i32>load<u8>(b + i)
    if (difference != 0) return difference
  }
  return aLength - bLength
}

/**
 * Which of `count` > 0 byte strings is the least and which the greatest, as numbers from 0 in `result`. Number `i` begins
 * `prefix` bytes behind `data + offsets[i]` and ends at `data + offsets[i + 1]`.
 */
export function bytesBounds(data: i32, offsets: i32, count: i32, prefix: i32, result: i32): void {
  let least = 0
  let min = data + load<i32>(offsets) + prefix
  let minLength = data + load<i32>(offsets, 4) - min
  let greatest = 0
  let max = min
  let maxLength = minLength
  for (let i = 1; i < count; i++) {
    const place = offsets + (i << 2)
    const value = data + load<i32>(place) + prefix
    const length = data + load<i32>(place, 4) - value
    if (compareBytes(value, length, min, minLength) < 0) {
      least = i
      min = value
      minLength = length
    } else if (compareBytes(value, length, max, maxLength) > 0) {
      greatest = i
      max = value
      maxLength = length
    }
  }
  store<i32>(result, least)
  store<i32>(result, greatest, 4)
}

/**
 * The same of byte strings behind their length in 4 bytes: number i begins at places i and ends at places i + 1. `used` says with
 * a byte each which are looked at; 0: all are. Of none, `result` is -1 twice.
 */
export function textBounds(places: i32, count: i32, used: i32, result: i32): void {
  let least = -1
  let greatest = -1
  let min = 0
  let minLength = 0
  let max = 0
  let maxLength = 0
  for (let i = 0; i < count; i++) {
    if (used != 0 && load<u8>(used + i) == 0) continue
    const place = places + (i << 2)
    const value = load<i32>(place) + 4
    const length = load<i32>(place, 4) - value
    if (least < 0 || compareBytes(value, length, min, minLength) < 0) {
      least = i
      min = value
      minLength = length
    }
    if (greatest < 0 || compareBytes(value, length, max, maxLength) > 0) {
      greatest = i
      max = value
      maxLength = length
    }
  }
  store<i32>(result, least)
  store<i32>(result, greatest, 4)
}
