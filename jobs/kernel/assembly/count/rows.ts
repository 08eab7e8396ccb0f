import { ACTIONS, LEAST, MASKS, ONE_OF, SPAN, YEAR } from './places'
import { enter, settle } from './table'

let rowsTaken: u32 = 0
let emailBytesTaken: u32 = 0

/** Of the last takeRows: rows, and bytes of their emails. */
export function rows(): u32 {
  return rowsTaken
}
export function emailBytes(): u32 {
  return emailBytesTaken
}

/** Fills the tables, but for the key and the day (places.ts). */
export function setUp(): void {
  memory.fill(MASKS, 0xff, 32)
  memory.fill(MASKS + 32, 0, 32)
  // No word is equal to 1 under a mask of zeros: no action begins with this letter.
  for (let i: u32 = 0; i < 8; i++) setAction(i, 1, 0, 0, 0)
  setAction(3, 0x2c455441455243, 0xffffffffffffff, 7, 0) // CREATE,
  setAction(2, 0x2c44414552, 0xffffffffff, 5, 1) // READ,
  setAction(5, 0x2c455441445055, 0xffffffffffffff, 7, 2) // UPDATE,
  setAction(4, 0x2c4554454c4544, 0xffffffffffffff, 7, 3) // DELETE,
  memory.fill(ONE_OF, 0, 64)
  for (let i: u32 = 0; i < 4; i++) store<u32>(ONE_OF + 20 * i, 1)
}

function setAction(index: u32, letters: u64, mask: u64, length: u32, action: u32): void {
  const at = ACTIONS + (index << 5)
  store<u64>(at, letters)
  store<u64>(at, mask, 8)
  store<u32>(at, length, 16)
  store<u32>(at, action, 20)
}

/**
 * Counts rows of the commonest form for as long as they follow each other from `from` on; returns where the first record of
 * another form, or one that the data's end cuts, starts. Behind the data 64 bytes are 0: no row of this form holds one, so that
 * none reaches beyond, and no loop needs a bound. `events` gets four words: the rows by action.
 */
export function takeRows(from: u32, longest: u32, events: u32): u32 {
  const least = v128.load(LEAST)
  const span = v128.load(SPAN)
  const year = load<u32>(YEAR)
  const comma = i8x16.splat(0x2c)
  // As signed bytes: controls, space, ! and ", and all that is not ASCII.
  const lowest = i8x16.splat(0x23)
  let byAction = i32x4.splat(0)
  let bytes: u32 = 0
  let taken: u32 = 0
  let waiting: u32 = 0
  let at = from
  for (;;) {
    let i = at
    let found: i32
    for (;;) {
      const sixteen = v128.load(i)
      found = i8x16.bitmask(v128.or(i8x16.eq(sixteen, comma), i8x16.lt_s(sixteen, lowest)))
      if (found != 0) break
      i += 16
    }
    i += ctz(found)
    if (load<u8>(i) != 0x2c || i == at) break
    const letters = load<u64>(i, 1)
    const action = ACTIONS + (((<u32>letters) & 7) << 5)
    const stamp = i + 1 + load<u32>(action, 16)
    const isRow =
      i32((letters & load<u64>(action, 8)) == load<u64>(action)) &
      i32(load<u32>(stamp) == year) &
      i32(i8x16.all_true(i8x16.le_u(i8x16.sub(v128.load(stamp, 4), least), span))) &
      // 20 to 23, not 24 to 29.
      (i32(load<u8>(stamp, 11) != 0x32) | i32(load<u8>(stamp, 12) <= 0x33))
    if (!isRow) break
    let next = stamp + 20
    if (load<u8>(stamp, 19) != 0x0a) {
      if (load<u8>(stamp, 19) != 0x0d || load<u8>(stamp, 20) != 0x0a) break
      next++
    }
    if (next - at > longest) break
    const length = i - at
    const number = load<u32>(action, 20)
    byAction = i32x4.add(byAction, v128.load(ONE_OF + (number << 4)))
    bytes += length
    taken++
    waiting = enter(waiting, at, length, number)
    at = next
  }
  settle(waiting)
  rowsTaken = taken
  emailBytesTaken = bytes
  v128.store(events, byAction)
  return at
}
