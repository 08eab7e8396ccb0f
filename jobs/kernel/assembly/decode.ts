// Reading rows of COPY (FORMAT binary): where their values begin, then one loop per column.

const copyData: i32 = 0x64
const messageHeader: i32 = 5

/**
 * Where the values of the rows in `from … to` begin, as jobs/postgres/copy/scan.ts says it: column-major slots of
 * `capacity` each. Takes messages of exactly one row with `columns` fields, and stops at whatever else there is.
 * `widths`: of each column the bytes that all of its values have; 2^30, which none has, where they differ.
 * Writes the number of rows to `state` and returns where it stopped.
 */
export function scanRows(
  from: i32,
  to: i32,
  columns: i32,
  capacity: i32,
  maxMessage: i32,
  positions: i32,
  counts: i32,
  nulls: i32,
  nullCounts: i32,
  widths: i32,
  state: i32,
): i32 {
  let at = scanWholeRows(from, to, columns, capacity, maxMessage, positions, widths, state)
  let rows = load<i32>(state)
  for (let column = 0; column < columns; column++) store<i32>(counts + (column << 2), rows)
  memory.fill(nullCounts, 0, columns << 2)
  const stride = capacity << 2
  while (rows < capacity) {
    const end = endOfRow(at, to, columns, maxMessage)
    if (end == 0) break
    let field = at + messageHeader + 2
    let slot = positions
    let column = 0
    for (; column < columns; column++, slot += stride) {
      if (field + 4 > end) break
      const size = bswap(load<i32>(field))
      field += 4
      const count = counts + (column << 2)
      const used = load<i32>(count)
      if (size >= 0) {
        if (size > end - field) break
        store<i32>(slot + (used << 2), field)
        store<i32>(count, used + 1)
        field += size
      } else {
        const nullCount = nullCounts + (column << 2)
        const missing = load<i32>(nullCount)
        store<i32>(nulls + column * stride + (missing << 2), rows)
        store<i32>(nullCount, missing + 1)
      }
    }
    if (column < columns || field != end) {
      // What this row has left behind is taken back: it is read again, and refused, by the other reader.
      while (--column >= 0) {
        const nullCount = nullCounts + (column << 2)
        const missing = load<i32>(nullCount)
        if (missing > 0 && load<i32>(nulls + column * stride + ((missing - 1) << 2)) == rows) {
          store<i32>(nullCount, missing - 1)
        } else {
          const count = counts + (column << 2)
          store<i32>(count, load<i32>(count) - 1)
        }
      }
      break
    }
    rows++
    at = end
  }
  store<i32>(state, rows)
  return at
}

/** The same of rows without a NULL, up to the first that has one. Behind a value of its column's width the next one is known. */
function scanWholeRows(
  from: i32,
  to: i32,
  columns: i32,
  capacity: i32,
  maxMessage: i32,
  positions: i32,
  widths: i32,
  state: i32,
): i32 {
  const stride = capacity << 2
  let rows = 0
  let at = from
  while (rows < capacity) {
    const end = endOfRow(at, to, columns, maxMessage)
    if (end == 0) break
    let field = at + messageHeader + 2
    let slot = positions + (rows << 2)
    let column = 0
    for (; column < columns; column++, slot += stride) {
      if (field + 4 > end) break
      const size = bswap(load<i32>(field))
      field += 4
      store<i32>(slot, field)
      const width = load<i32>(widths + (column << 2))
      // A processor that foresees this has the next field without waiting for this one's length.
      if (size == width) {
        field += width
        continue
      }
      if (size < 0 || size > end - field) break
      field += size
    }
    if (column < columns || field != end) break
    rows++
    at = end
  }
  store<i32>(state, rows)
  return at
}

/** Where the message at `at` ends, if it may be one row of that many columns and is there as a whole; 0: it is not. */
function endOfRow(at: i32, to: i32, columns: i32, maxMessage: i32): i32 {
  if (at + messageHeader + 2 > to || load<u8>(at) != copyData) return 0
  const length = bswap(load<i32>(at, 1))
  const end = at + 1 + length
  return length < 6 || length >= maxMessage || end > to || bswap(load<u16>(at, 5)) != columns ? 0 : end
}

/** int4 and float4, turned round. Returns 0 if a value has another length than 4. */
export function copyWords(positions: i32, count: i32, target: i32): i32 {
  let wrong = 0
  for (let i = 0; i < count; i++) {
    const from = load<i32>(positions + (i << 2))
    wrong |= load<i32>(from - 4) ^ 0x04000000
    store<i32>(target + (i << 2), bswap(load<i32>(from)))
  }
  return i32(wrong == 0)
}

/** int8 and float8, turned round. Returns 0 if a value has another length than 8. */
export function copyDoubleWords(positions: i32, count: i32, target: i32): i32 {
  let wrong = 0
  for (let i = 0; i < count; i++) {
    const from = load<i32>(positions + (i << 2))
    wrong |= load<i32>(from - 4) ^ 0x08000000
    store<i64>(target + (i << 3), bswap(load<i64>(from)))
  }
  return i32(wrong == 0)
}

/** Microseconds from 1970 to 2000. */
const epoch: i64 = 946684800000000
/** 0001-01-01 (inclusive) and 10000-01-01 (exclusive) in microseconds since 1970. */
const firstMicros: i64 = -62135596800000000
const endMicros: i64 = 253402300800000000

/**
 * timestamp and timestamptz. Returns the index of the first value outside the years 1 to 9999, -1 if there is none, -2
 * if a value has another length than 8.
 */
export function copyTimestamps(positions: i32, count: i32, target: i32): i32 {
  let wrong = 0
  for (let i = 0; i < count; i++) {
    const from = load<i32>(positions + (i << 2))
    wrong |= load<i32>(from - 4) ^ 0x08000000
    const sent = bswap(load<i64>(from))
    const micros = sent + epoch
    // infinity is the greatest number: with the epoch it would wrap around.
    if (micros < firstMicros || micros >= endMicros || sent > endMicros) return i
    store<i64>(target + (i << 3), micros)
  }
  return wrong == 0 ? -1 : -2
}

/** Days from 1970 to 2000, and those of 0001-01-01 and 9999-12-31 since 1970. */
const epochDays = 10957
const firstDay = -719162
const lastDay = 2932896

/** date. Returns what `copyTimestamps` does, of a length of 4. */
export function copyDates(positions: i32, count: i32, target: i32): i32 {
  let wrong = 0
  for (let i = 0; i < count; i++) {
    const from = load<i32>(positions + (i << 2))
    wrong |= load<i32>(from - 4) ^ 0x04000000
    // infinity wraps around, to a day long before the first.
    const day = bswap(load<i32>(from)) + epochDays
    if (day < firstDay || day > lastDay) return i
    store<i32>(target + (i << 2), day)
  }
  return wrong == 0 ? -1 : -2
}

/**
 * numeric as integers of `width` 4 or 8 bytes, times ten to the power of `scale`: what jobs/postgres/copy/numeric.ts does for any
 * width. Returns what `copyTimestamps` does, of a length that its number of digits says.
 */
export function copyNumerics(
  positions: i32,
  count: i32,
  target: i32,
  precision: i32,
  scale: i32,
  width: i32,
): i32 {
  for (let i = 0; i < count; i++) {
    const from = load<i32>(positions + (i << 2))
    const groups = i32(bswap(load<u16>(from)))
    if (bswap(load<i32>(from - 4)) != 8 + 2 * groups) return -2
    const sign = load<u16>(from, 4)
    if (sign != 0 && sign != negative) return i
    let value: i64 = 0
    if (groups > 0) {
      // The power of ten that the last digit of the current group of four stands for, after scaling.
      let exponent = 4 * i32(i16(bswap(load<u16>(from, 2)))) + scale
      if (exponent + digitsOf(i32(bswap(load<u16>(from, 8)))) > precision) return i
      const end = from + 8 + 2 * groups
      for (let at = from + 8; at < end; at += 2, exponent -= 4) {
        const group = i32(bswap(load<u16>(at)))
        if (exponent >= 0) value = value * 10000 + i64(group)
        else if (exponent > -4) {
          const kept = quotientOf(group, -exponent)
          if (kept * powerOf(-exponent) != group) return i
          value = value * i64(powerOf(4 + exponent)) + i64(kept)
        } else if (group != 0) return i
      }
      // What is left are zeros that were not sent.
      for (exponent += 4; exponent > 0; exponent -= 4) value *= i64(powerOf(min(exponent, 4)))
      if (sign == negative) value = -value
    }
    if (width == 8) store<i64>(target + (i << 3), value)
    else store<i32>(target + (i << 2), i32(value))
  }
  return -1
}

/** The sign of a negative numeric, 0x4000, as it is loaded. */
const negative: u16 = 0x40

/** Decimal digits of a group of four, which is at most 9999. */
function digitsOf(group: i32): i32 {
  return group >= 1000 ? 4 : group >= 100 ? 3 : group >= 10 ? 2 : 1
}

/** Ten to the power of `exponent`, 0 to 4. */
function powerOf(exponent: i32): i32 {
  return exponent == 0 ? 1 : exponent == 1 ? 10 : exponent == 2 ? 100 : exponent == 3 ? 1000 : 10000
}

/** `group` without its last `digits` digits, 1 to 3: a division by what is known beforehand is a multiplication. */
function quotientOf(group: i32, digits: i32): i32 {
  const dividend = u32(group)
  return i32(digits == 1 ? dividend / 10 : digits == 2 ? dividend / 100 : dividend / 1000)
}

/** Bytes that values take together. */
export function sumLengths(positions: i32, count: i32): i32 {
  let sum = 0
  for (let i = 0; i < count; i++) sum += bswap(load<i32>(load<i32>(positions + (i << 2)) - 4))
  return sum
}

/**
 * Texts one behind the other, without their first `skip` bytes; `offsets` get where each ends, counted from `end`.
 * Writes up to 15 bytes beyond the last one. Returns where that ends.
 */
export function copyTexts(positions: i32, count: i32, skip: i32, target: i32, offsets: i32, end: i32): i32 {
  let to = target
  for (let i = 0; i < count; i++) {
    const position = load<i32>(positions + (i << 2))
    const length = bswap(load<i32>(position - 4)) - skip
    const from = position + skip
    if (length <= 64) {
      for (let byte = 0; byte < length; byte += 16) {
        store<i64>(to + byte, load<i64>(from + byte))
        store<i64>(to + byte, load<i64>(from + byte, 8), 8)
      }
    } else memory.copy(to, from, length)
    to += length
    store<i32>(offsets + (i << 2), end + to - target)
  }
  return end + to - target
}
