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
  const prefix = prefixed ? 4 : 0
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const body = new Uint8Array(limitBytes)
  const bodyView = new DataView(body.buffer)
  // Two words a slot: the entry's number plus one (0: free), its hash.
  let slots = new Int32Array(firstSlots * 2)
  // Entry n (from 1) lies at starts[n - 1] … starts[n] of the page.
  let starts = new Int32Array(firstSlots >> 1)
  let count = 0

  function grow(): void {
    const old = slots
    starts = growWords(starts)
    slots = new Int32Array(old.length * 2)
    const mask = slots.length - 2
    for (let from = 0; from < old.length; from += 2) {
      if (old[from] === 0) continue
      let slot = (old[from + 1]! << 1) & mask
      while (slots[slot] !== 0) slot = (slot + 2) & mask
      slots[slot] = old[from]!
      slots[slot + 1] = old[from + 1]!
    }
  }

  return {
    index(from, to, indices) {
      let mask = slots.length - 2
      for (let i = from; i < to; i++) {
        const start = offsets[i]!
        const end = offsets[i + 1]!
        const length = end - start
        if (length > limitBytes) return i - from
        const hash = hashBytes(data, view, start, end)
        let slot = (hash << 1) & mask
        let entry = slots[slot]!
        while (entry !== 0) {
          if (slots[slot + 1] === hash) {
            const entryStart = starts[entry - 1]! + prefix
            if (
              starts[entry]! - entryStart === length &&
              equalBytes(data, view, start, body, bodyView, entryStart, length)
            ) {
              break
            }
          }
          slot = (slot + 2) & mask
          entry = slots[slot]!
        }
        if (entry === 0) {
          const used = starts[count]!
          if (used + prefix + length > limitBytes) return i - from
          if (count + 1 === starts.length) {
            grow()
            mask = slots.length - 2
            i--
            continue
          }
          if (prefixed) bodyView.setInt32(used, length, true)
          for (let at = used + prefix, p = start; p < end; p++, at++) body[at] = data[p]!
          starts[count + 1] = used + prefix + length
          slots[slot] = entry = ++count
          slots[slot + 1] = hash
        }
        indices[i - from] = entry - 1
      }
      return to - from
    },
    count: () => count,
    body: () => body.subarray(0, starts[count]),
    starts: () => starts,
  }
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

function equalBytes(
  a: Uint8Array,
  aView: DataView,
  aStart: number,
  b: Uint8Array,
  bView: DataView,
  bStart: number,
  length: number,
): boolean {
  const aEnd = aStart + length
  const bEnd = bStart + length
  if (length < 8) {
    for (let i = 0; i < length; i++) if (a[aStart + i] !== b[bStart + i]) return false
    return true
  }
  for (let i = 0; i < length - 16; i += 4) {
    if (aView.getInt32(aStart + i, true) !== bView.getInt32(bStart + i, true)) return false
  }
  const tail = Math.max(0, length - 16)
  return (
    aView.getInt32(aEnd - 4, true) === bView.getInt32(bEnd - 4, true) &&
    aView.getInt32(aEnd - 8, true) === bView.getInt32(bEnd - 8, true) &&
    aView.getInt32(aStart + tail, true) === bView.getInt32(bStart + tail, true) &&
    aView.getInt32(aStart + tail + 4, true) === bView.getInt32(bStart + tail + 4, true)
  )
}
