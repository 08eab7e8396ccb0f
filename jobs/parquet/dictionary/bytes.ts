import { byteTarget, type ByteTarget } from '../bit-packing.ts'
import { type DictionaryBuilder, firstSlots, mix } from './dictionary.ts'
import { growWords } from './words.ts'

/** Where values lie: value `i` is `data[offsets[i]] … data[offsets[i + 1]]`, end exclusive. */
export interface ByteValues {
  readonly data: Uint8Array
  readonly offsets: Int32Array
}

export interface BytesDictionary extends DictionaryBuilder {
  /** Where in `body` each distinct value (with its prefix) starts, and after the last one the end. */
  readonly starts: () => Int32Array
}

/**
 * A dictionary of byte strings: open addressing by a hash of 4 bytes a step. The distinct values are copied at
 * once into the dictionary page, so that comparing stays within one small arena. `prefixed`: each value follows
 * its length in 4 bytes (BYTE_ARRAY); otherwise all have one length (FIXED_LEN_BYTE_ARRAY).
 */
export function bytesDictionary(
  { data, offsets }: ByteValues,
  prefixed: boolean,
  limitBytes: number,
): BytesDictionary {
  const table: Table = {
    data,
    view: new DataView(data.buffer, data.byteOffset, data.byteLength),
    offsets,
    prefix: prefixed ? 4 : 0,
    body: byteTarget(limitBytes),
    slots: new Int32Array(firstSlots * 2),
    starts: new Int32Array(firstSlots >> 1),
    count: 0,
  }
  return {
    index: (from, to, indices) => indexBytes(table, from, to, indices),
    count: () => table.count,
    body: () => table.body.bytes.subarray(0, table.starts[table.count]),
    starts: () => table.starts,
  }
}

interface Table extends ByteValues {
  readonly view: DataView
  /** Bytes of length before each value. */
  readonly prefix: number
  readonly body: ByteTarget
  /** Two words a slot: the entry's number (from 1; 0 is free), its hash. */
  slots: Int32Array
  /** Entry n lies at starts[n - 1] … starts[n] of the body. */
  starts: Int32Array
  count: number
}

/** One function for all chunks: a closure for each would be compiled anew for each. */
function indexBytes(table: Table, from: number, to: number, indices: Int32Array): number {
  const { data, view, offsets, prefix, body } = table
  const limitBytes = body.bytes.length
  let { slots, starts, count } = table
  let mask = slots.length - 2
  let i = from
  for (; i < to; i++) {
    const start = offsets[i]!
    const end = offsets[i + 1]!
    const length = end - start
    if (length > limitBytes) break
    const hash = hashBytes(data, view, start, end)
    let slot = (hash << 1) & mask
    let entry = slots[slot]!
    while (entry !== 0) {
      if (slots[slot + 1] === hash) {
        const entryStart = starts[entry - 1]! + prefix
        if (
          starts[entry]! - entryStart === length &&
          equalBytes(view, start, body.view, entryStart, length)
        ) {
          break
        }
      }
      slot = (slot + 2) & mask
      entry = slots[slot]!
    }
    if (entry === 0) {
      const used = starts[count]!
      if (used + prefix + length > limitBytes) break
      if (count + 1 === starts.length) {
        slots = table.slots = rehashed(slots)
        starts = table.starts = growWords(starts)
        mask = slots.length - 2
        i--
        continue
      }
      if (prefix > 0) body.view.setInt32(used, length, true)
      for (let at = used + prefix, p = start; p < end; p++, at++) body.bytes[at] = data[p]!
      entry = ++count
      starts[count] = used + prefix + length
      slots[slot] = entry
      slots[slot + 1] = hash
    }
    indices[i - from] = entry - 1
  }
  table.count = count
  return i - from
}

function rehashed(old: Int32Array): Int32Array {
  const slots = new Int32Array(old.length * 2)
  const mask = slots.length - 2
  for (let from = 0; from < old.length; from += 2) {
    if (old[from] === 0) continue
    let slot = (old[from + 1]! << 1) & mask
    while (slots[slot] !== 0) slot = (slot + 2) & mask
    slots[slot] = old[from]!
    slots[slot + 1] = old[from + 1]!
  }
  return slots
}

/**
 * The last 16 bytes (of a value of 8 to 16 bytes: all) are four words at fixed places that may overlap: without a
 * loop over them, short values cost no mispredicted branch.
 */
function hashBytes(data: Uint8Array, view: DataView, start: number, end: number): number {
  const length = end - start
  if (length < 8) return hashShort(data, view, start, end)
  const tail = Math.max(start, end - 16)
  let hash = length
  for (let p = start; p < tail; p += 4) hash = Math.imul(rotate(hash ^ view.getInt32(p, true)), 0x9e3779b1)
  hash ^= Math.imul(view.getInt32(tail, true), 0x9e3779b1)
  hash = rotate(hash) ^ Math.imul(view.getInt32(tail + 4, true), 0x85ebca6b)
  hash = rotate(hash) ^ Math.imul(view.getInt32(end - 8, true), 0xc2b2ae35)
  hash = rotate(hash) ^ Math.imul(view.getInt32(end - 4, true), 0x27d4eb2f)
  return mix(hash)
}

function hashShort(data: Uint8Array, view: DataView, start: number, end: number): number {
  let hash = end - start
  if (hash >= 4) {
    return mix(
      Math.imul(view.getInt32(start, true), 0x9e3779b1) ^ rotate(view.getInt32(end - 4, true)) ^ hash,
    )
  }
  for (let p = start; p < end; p++) hash = (hash << 8) | data[p]!
  return mix(hash)
}

const rotate = (hash: number): number => (hash << 15) | (hash >>> 17)

function equalBytes(a: DataView, aStart: number, b: DataView, bStart: number, length: number): boolean {
  if (length < 8) {
    for (let i = 0; i < length; i++) if (a.getInt8(aStart + i) !== b.getInt8(bStart + i)) return false
    return true
  }
  for (let i = 0; i < length - 16; i += 4) {
    if (a.getInt32(aStart + i, true) !== b.getInt32(bStart + i, true)) return false
  }
  const tail = Math.max(0, length - 16)
  return (
    a.getInt32(aStart + length - 4, true) === b.getInt32(bStart + length - 4, true) &&
    a.getInt32(aStart + length - 8, true) === b.getInt32(bStart + length - 8, true) &&
    a.getInt32(aStart + tail, true) === b.getInt32(bStart + tail, true) &&
    a.getInt32(aStart + tail + 4, true) === b.getInt32(bStart + tail + 4, true)
  )
}
