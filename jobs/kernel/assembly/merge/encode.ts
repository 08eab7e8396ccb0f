import { copyEmail } from '../copy-email'
import { HEAD, NARROW_COUNTS, WIDE, WIDE_COUNTS } from './record'

/**
 * Writes records of `rows` rows to `target`; returns their end. By column: the emails' bytes at `emails`, `rows + 1` offsets into
 * them (32 bits), four columns of `rows` counts (doubles), one behind the other. Up to 15 bytes behind the end change, too.
 */
export function encode(rows: u32, emails: u32, offsets: u32, counts: u32, target: u32): u32 {
  const column = rows << 3
  let at = target
  let start = load<u32>(offsets)
  for (let row: u32 = 0; row < rows; row++) {
    const end = load<u32>(offsets + (row << 2), 4)
    const length = end - start
    const place = counts + (row << 3)
    const create = load<f64>(place)
    const read = load<f64>(place + column)
    const update = load<f64>(place + 2 * column)
    const removed = load<f64>(place + 3 * column)
    copyEmail(at + HEAD, emails + start, length)
    const behind = at + HEAD + length
    if (max(max(create, read), max(update, removed)) < 256) {
      store<u32>(at, length)
      store<u8>(behind, <u32>create)
      store<u8>(behind, <u32>read, 1)
      store<u8>(behind, <u32>update, 2)
      store<u8>(behind, <u32>removed, 3)
      at = behind + NARROW_COUNTS
    } else {
      store<u32>(at, length | WIDE)
      store<f64>(behind, create)
      store<f64>(behind, read, 8)
      store<f64>(behind, update, 16)
      store<f64>(behind, removed, 24)
      at = behind + WIDE_COUNTS
    }
    start = end
  }
  return at
}
