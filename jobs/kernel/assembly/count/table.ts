import { copyEmail } from '../copy-email'
import { hashOf, isSame } from './hash'
import { BATCH, BATCH_ROWS } from './places'

// An open-addressing table of emails. A slot is 8 bytes: the hash, and the address of the email's record / 4 (0: free). Records
// follow each other in the arena, each at a multiple of 64: four counts of 32 bits, the email's length, the email.

export const COUNTS_BYTES: u32 = 16
export const EMAIL: u32 = 20

let slots: u32 = 0
let mask: u32 = 0
let arena: u32 = 0
let top: u32 = 0
let size: u32 = 0

/** Forgets everything. `slotCount` is a power of two; behind `slotsAt` there is room for 12 bytes for each of the most that the caller allows. */
export function reset(slotsAt: u32, slotCount: u32, arenaAt: u32): void {
  slots = slotsAt
  mask = slotCount - 1
  memory.fill(slots, 0, slotCount << 3)
  arena = arenaAt
  top = arena
  size = 0
}

/** Emails in the table. */
export function emails(): u32 {
  return size
}
export function slotCount(): u32 {
  return mask + 1
}
/** The records lie from here … */
export function arenaStart(): u32 {
  return arena
}
/** … up to here. */
export function arenaTop(): u32 {
  return top
}

/** Where the record behind the one at `record` begins. */
export function recordAfter(record: u32): u32 {
  return (record + EMAIL + load<u32>(record, COUNTS_BYTES) + 63) & ~63
}

/** Twice the slots; the old ones wait behind the new ones meanwhile. */
function grow(): void {
  const bytes = (mask + 1) << 3
  const old = slots + 2 * bytes
  memory.copy(old, slots, bytes)
  memory.fill(slots, 0, 2 * bytes)
  mask = 2 * mask + 1
  for (let from = old; from < old + bytes; from += 8) {
    const slot = load<u64>(from)
    if (slot == 0) continue
    let i = (<u32>(slot >>> 32)) & mask
    while (load<u64>(slots + (i << 3)) != 0) i = (i + 1) & mask
    store<u64>(slots + (i << 3), slot)
  }
}

/** Below so many slots the table is in the processor's cache. */
const MANY_SLOTS: u32 = 8192

/** Counts the first `rows` of the batch. All slots are looked at before all records, before any is counted: the misses overlap. */
export function settle(rows: u32): void {
  const end = BATCH + (rows << 4)
  if (mask >= MANY_SLOTS) {
    for (let row: u32 = BATCH; row < end; row += 16)
      store<u32>(row, load<u32>(slots + ((load<u32>(row) & mask) << 3)), 12)
    for (let row: u32 = BATCH; row < end; row += 16)
      store<u32>(row, load<u32>((load<u32>(row, 12) << 2) + COUNTS_BYTES), 12)
  }
  for (let row: u32 = BATCH; row < end; row += 16) {
    const hash = load<u32>(row)
    const email = load<u32>(row, 4)
    const lengthAndAction = load<u32>(row, 8)
    const length = lengthAndAction >> 2
    const count = (lengthAndAction & 3) << 2
    let i = hash & mask
    for (;;) {
      const slot = load<u64>(slots + (i << 3))
      if (slot == 0) {
        const record = top
        store<u64>(slots + (i << 3), ((<u64>hash) << 32) | (record >> 2))
        store<u64>(record, 0)
        store<u64>(record, 0, 8)
        store<u32>(record, length, COUNTS_BYTES)
        copyEmail(record + EMAIL, email, length)
        store<u32>(record + count, 1)
        top = recordAfter(record)
        size++
        if (size << 1 > mask) grow()
        break
      }
      const record = (<u32>slot) << 2
      if (
        <u32>(slot >>> 32) == hash &&
        load<u32>(record, COUNTS_BYTES) == length &&
        isSame(email, record + EMAIL, length)
      ) {
        store<u32>(record + count, load<u32>(record + count) + 1)
        break
      }
      i = (i + 1) & mask
    }
  }
}

/** Puts a row behind the batch's first `rows`, and settles them when they are full. Returns how many wait now. */
export function enter(rows: u32, at: u32, length: u32, action: u32): u32 {
  const row = BATCH + (rows << 4)
  store<u32>(row, hashOf(at, length))
  store<u32>(row, at, 4)
  store<u32>(row, (length << 2) | action, 8)
  if (rows + 1 < BATCH_ROWS) return rows + 1
  settle(BATCH_ROWS)
  return 0
}

/** Counts one event of the email of `length` bytes at `at`, none of them 0. */
export function add(at: u32, length: u32, action: u32): void {
  settle(enter(0, at, length, action))
}
