import { dataError } from '../../errors.ts'
import type { EmailCounts } from '../counts.ts'
import { sortedOrder } from './sort.ts'

/** Offsets into the emails are 32-bit. */
const maxArenaBytes = 2 ** 32 - 1 - 4
const wordBytes = 4

/**
 * An email's hash takes its bytes as little-endian 32-bit words, the last one filled up with zeros: it starts as
 * `hashStart` and mixes word by word (multiply by the golden ratio, fold the high half in; Knuth 6.4).
 */
export const hashStart = 0x811c9dc5 | 0
export function hashWord(hash: number, word: number): number {
  const mixed = Math.imul(hash ^ word, 0x9e3779b1)
  return mixed ^ (mixed >>> 15)
}

/** The hash of `bytes[start … end - 1]`. Up to three bytes behind the end are read, and left out. */
export function hashOf(view: DataView, start: number, end: number): number {
  let hash = hashStart
  let at = start
  for (; at + 4 <= end; at += 4) hash = hashWord(hash, view.getInt32(at, true))
  return at === end ? hash : hashWord(hash, firstBytes(view.getInt32(at, true), end - at))
}

/** The first `count` (1–3) bytes of a little-endian word. */
export const firstBytes = (word: number, count: number): number => word & ((1 << (8 * count)) - 1)

export interface EmailCounter {
  /**
   * Counts one event of the email in `view` from `start` to `end` (exclusive), behind which three more bytes must be
   * readable; `hash` is its `hashOf`, `action` 0–3 (fields.ts).
   */
  add(view: DataView, start: number, end: number, hash: number, action: number): void
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
  let words = new DataView(arena.buffer)
  let offsets = new Uint32Array(0)
  let counts = new Float64Array(0) // four per email
  let size = 0

  const reset = (): void => {
    slots = new Int32Array(2 * 1024)
    mask = 1023
    arena = new Uint8Array(16_384)
    words = new DataView(arena.buffer)
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
      let slot = old[i]! & mask
      while (slots[2 * slot + 1] !== 0) slot = (slot + 1) & mask
      slots[2 * slot] = old[i]!
      slots[2 * slot + 1] = old[i + 1]!
    }
    offsets = grown(offsets, new Uint32Array((mask + 1) / 2 + 1))
    counts = grown(counts, new Float64Array(2 * (mask + 1)))
  }

  const insert = (view: DataView, start: number, end: number): void => {
    const from = offsets[size]!
    const to = from + end - start
    if (to > maxArenaBytes) {
      throw dataError('the file has more than 4 GiB of distinct emails', {
        fix: 'Split the day, or aggregate it without quotes, BOM or CR so that the engine can read it.',
      })
    }
    if (to + wordBytes > arena.length) {
      arena = grown(arena, new Uint8Array(Math.max(arena.length * 2, to + wordBytes)))
      words = new DataView(arena.buffer)
    }
    for (let i = start, place = from; i < end; i++, place++) arena[place] = view.getUint8(i)
    size++
    offsets[size] = to
  }

  /** Whether the email stored from `from` on, as long as the one in `view`, is that one. */
  const isSame = (view: DataView, start: number, end: number, from: number): boolean => {
    let at = start
    let place = from
    for (; at + wordBytes <= end; at += wordBytes, place += wordBytes) {
      if (view.getInt32(at, true) !== words.getInt32(place, true)) return false
    }
    return at === end || firstBytes(view.getInt32(at, true) ^ words.getInt32(place, true), end - at) === 0
  }

  return {
    add(view, start, end, hash, action) {
      let slot = hash & mask
      for (;;) {
        const number = slots[2 * slot + 1]!
        if (number === 0) break
        const from = offsets[number - 1]!
        if (slots[2 * slot] === hash && offsets[number]! - from === end - start) {
          if (isSame(view, start, end, from)) {
            counts[4 * (number - 1) + action]!++
            return
          }
        }
        slot = (slot + 1) & mask
      }
      insert(view, start, end)
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
