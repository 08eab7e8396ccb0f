import { dataError } from '../../errors.ts'
import type { EmailCounts } from '../counts.ts'
import { sortedOrder } from './sort.ts'

/** Offsets into the emails are 32-bit. */
const maxArenaBytes = 2 ** 32 - 1

/** FNV-1a, 32 bit (draft-eastlake-fnv): the email's hash starts as `hashStart` and takes byte by byte. */
export const hashStart = 0x811c9dc5 | 0
export const hashByte = (hash: number, byte: number): number => Math.imul(hash ^ byte, 0x01000193)

export interface EmailCounter {
  /** Counts one event of the email `bytes[start … end - 1]`; `hash` is its FNV-1a, `action` 0–3 (fields.ts). */
  add(bytes: Uint8Array, start: number, end: number, hash: number, action: number): void
  /** Distinct emails so far. */
  emails(): number
  /** Bytes held by the tables: the caller with a memory limit may `take` early and merge the parts. */
  heldBytes(): number
  /** The counts so far, sorted; the counter starts anew. */
  take(): EmailCounts
}

/**
 * An open-addressing hash table from email to four counts, in typed arrays: a row allocates nothing. It needs
 * about 90 bytes and the email's length per distinct email while growing, and throws a `dataError` when distinct
 * emails exceed 4 GiB.
 */
export function createEmailCounter(): EmailCounter {
  let slots = new Int32Array(0) // pairs: hash, email number + 1 (0: free)
  let mask = 0
  let arena = new Uint8Array(0)
  let offsets = new Uint32Array(0)
  let counts = new Float64Array(0) // four per email
  let size = 0

  const reset = (): void => {
    slots = new Int32Array(2 * 1024)
    mask = 1023
    arena = new Uint8Array(16_384)
    offsets = new Uint32Array(513)
    counts = new Float64Array(4 * 512)
    size = 0
  }
  reset()

  /** Doubles the slots; at most half of them are ever taken, so probes stay short. */
  const growTable = (): void => {
    const old = slots
    slots = new Int32Array(old.length * 2)
    mask = slots.length / 2 - 1
    for (let i = 0; i < old.length; i += 2) {
      if (old[i + 1] === 0) continue
      let slot = spread(old[i]!) & mask
      while (slots[2 * slot + 1] !== 0) slot = (slot + 1) & mask
      slots[2 * slot] = old[i]!
      slots[2 * slot + 1] = old[i + 1]!
    }
    offsets = grown(offsets, new Uint32Array((mask + 1) / 2 + 1))
    counts = grown(counts, new Float64Array(2 * (mask + 1)))
  }

  const insert = (bytes: Uint8Array, start: number, end: number): void => {
    const from = offsets[size]!
    const to = from + end - start
    if (to > maxArenaBytes) {
      throw dataError('the file has more than 4 GiB of distinct emails', {
        fix: 'Split the day, or aggregate it without quotes, BOM or CR so that the engine can read it.',
      })
    }
    if (to > arena.length) {
      arena = grown(arena, new Uint8Array(Math.min(Math.max(arena.length * 2, to), maxArenaBytes)))
    }
    for (let i = start, place = from; i < end; i++, place++) arena[place] = bytes[i]!
    size++
    offsets[size] = to
  }

  return {
    add(bytes, start, end, hash, action) {
      let slot = spread(hash) & mask
      for (;;) {
        const number = slots[2 * slot + 1]!
        if (number === 0) break
        if (slots[2 * slot] === hash) {
          const from = offsets[number - 1]!
          if (offsets[number]! - from === end - start) {
            let i = start
            let place = from
            while (i < end && arena[place] === bytes[i]) {
              i++
              place++
            }
            if (i === end) {
              counts[4 * (number - 1) + action]!++
              return
            }
          }
        }
        slot = (slot + 1) & mask
      }
      insert(bytes, start, end)
      slots[2 * slot] = hash
      slots[2 * slot + 1] = size
      counts[4 * (size - 1) + action] = 1
      if (2 * size > mask) growTable()
    },
    emails: () => size,
    heldBytes: () => slots.byteLength + arena.byteLength + offsets.byteLength + counts.byteLength,
    take() {
      // Freed before the sorted copy is made: the table is the larger half of the memory.
      slots = new Int32Array(0)
      const sorted = inOrder(sortedOrder(arena, offsets, size), arena, offsets, counts)
      reset()
      return sorted
    },
  }
}

/** FNV's low bits alone are weak for short strings: the high half is folded in. */
const spread = (hash: number): number => hash ^ (hash >>> 15)

function grown<T extends Uint8Array | Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from)
  return to
}

function inOrder(
  order: Uint32Array,
  arena: Uint8Array,
  positions: Uint32Array,
  counts: Float64Array,
): EmailCounts {
  const rows = order.length
  const emails = new Uint8Array(positions[rows]!)
  const offsets = new Uint32Array(rows + 1)
  const columns = [0, 1, 2, 3].map(() => new Float64Array(rows))
  const [create, read, update, remove] = columns as [Float64Array, Float64Array, Float64Array, Float64Array]
  let at = 0
  for (let row = 0; row < rows; row++) {
    const id = order[row]!
    for (let i = positions[id]!; i < positions[id + 1]!; i++) emails[at++] = arena[i]!
    offsets[row + 1] = at
    create[row] = counts[4 * id]!
    read[row] = counts[4 * id + 1]!
    update[row] = counts[4 * id + 2]!
    remove[row] = counts[4 * id + 3]!
  }
  return { rows, emails, offsets, create, read, update, delete: remove }
}
