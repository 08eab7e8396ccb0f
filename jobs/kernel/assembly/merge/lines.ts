// Rows of a result (RFC 4180): an email and four counts in decimal, as result/csv-field.ts writes them.

const COMMA: i32 = 0x2c
/** Counts below have at most ten digits. */
const MOST: f64 = 4294967296

let behind: u32 = 0

/** Where the lines end that `lines` has written. */
export function linesEnd(): u32 {
  return behind
}

/**
 * Writes the rows from `row` on to `target`, up to the first whose email is to be quoted or one of whose counts is 2^32 or more, or
 * to `rows`; returns that one. By column: the emails' bytes at `emails`, `rows + 1` offsets into them (32 bits), four columns of
 * `rows` counts (doubles), one behind the other. Up to 15 bytes behind what is read and written are read and overwritten.
 */
export function lines(row: u32, rows: u32, emails: u32, offsets: u32, counts: u32, target: u32): u32 {
  const column = rows << 3
  for (; row < rows; row++) {
    const start = load<u32>(offsets + (row << 2))
    const length = load<u32>(offsets + (row << 2), 4) - start
    const place = counts + (row << 3)
    const create = load<f64>(place)
    const read = load<f64>(place + column)
    const update = load<f64>(place + 2 * column)
    const removed = load<f64>(place + 3 * column)
    if (max(max(create, read), max(update, removed)) >= MOST) break
    if (!copyPlain(target, emails + start, length)) break
    target = count(target + length, <u32>create)
    target = count(target, <u32>read)
    target = count(target, <u32>update)
    target = count(target, <u32>removed)
    store<u8>(target++, 0x0a)
  }
  behind = target
  return row
}

/** Copies an email; false where it holds what is to be quoted. */
function copyPlain(target: u32, source: u32, length: u32): bool {
  for (let done: u32 = 0; done < length; done += 16) {
    const bytes = v128.load(source + done)
    v128.store(target + done, bytes)
    const special = v128.or(
      v128.or(i8x16.eq(bytes, i8x16.splat(0x2c)), i8x16.eq(bytes, i8x16.splat(0x22))),
      v128.or(i8x16.eq(bytes, i8x16.splat(0x0d)), i8x16.eq(bytes, i8x16.splat(0x0a))),
    )
    const left = length - done
    const within: i32 = left >= 16 ? 0xffff : (1 << left) - 1
    if ((i8x16.bitmask(special) & within) != 0) return false
  }
  return true
}

/** A comma and a count; returns the position behind them. */
function count(target: u32, value: u32): u32 {
  store<u8>(target++, COMMA)
  if (value < 10) {
    store<u8>(target, 0x30 + value)
    return target + 1
  }
  let length: u32 = 2
  for (let power: u64 = 100; power <= <u64>value; power *= 10) length++
  for (let place = target + length - 1; place >= target; place--) {
    const quotient = value / 10
    store<u8>(place, 0x30 + (value - quotient * 10))
    value = quotient
  }
  return target + length
}
