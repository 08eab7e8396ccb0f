import type { Take } from '../../kernel/arena.ts'
import { kernel } from '../../kernel/kernel.ts'
import { type ByteTarget, eightFlags, packFlags, writeVarint } from './bit-packing.ts'

/**
 * The RLE/bit-packing hybrid of Parquet's Encodings.md, which carries dictionary indices and definition levels.
 * Bit-packed groups of 8 values are the rule; a run is written where it is shorter than the groups it replaces.
 */

/** The most bytes that `encodeIndices` writes for `count` values of any width. */
export const hybridCapacity = (count: number): number => count * 4 + 64

/** Indices that the kernel encodes at once: more than most pages have (export-spec §2.2), and of a page of any size. */
const sliceValues = 32_768
/** Behind the last value, to pad its group. */
const padding = 7

/** Room for a page's indices: in the kernel's memory, where they are looked up and encoded, but for the largest pages. */
export function indexRoom(count: number, take: Take): Int32Array {
  if (count > sliceValues) return new Int32Array(count)
  const from = take(4 * (count + padding)) >> 2
  return kernel().words.subarray(from, from + count)
}

/**
 * Encodes `values[0 … count)`, each of `width` bits, at `position`; returns the position after it. In the kernel:
 * kernel/assembly/hybrid.ts. What lies in its memory is of `indexRoom`, and up to seven values behind `count` are lost.
 */
export function encodeIndices(
  values: Int32Array,
  count: number,
  width: number,
  target: ByteTarget,
  position: number,
): number {
  const { arena, bytes, words, encodeIndices: encode } = kernel()
  return arena.scope((take) => {
    const room = values.buffer === words.buffer ? undefined : take(4 * (sliceValues + padding))
    const apart = target.address === undefined ? take(hybridCapacity(sliceValues)) : undefined
    const state = take(4)
    for (let at = 0; at < count; at += words[state >> 2]!) {
      const next = Math.min(count, at + sliceValues)
      if (room !== undefined) words.set(values.subarray(at, next), room >> 2)
      const from = room ?? values.byteOffset + 4 * at
      const to = apart ?? target.address! + position
      const end = encode(from, next - at, width, next === count, to, state)
      if (apart !== undefined) target.bytes.set(bytes.subarray(apart, end), position)
      position += end - to
    }
    return position
  })
}

/**
 * Writes the definition levels of a flat optional column for the rows `from … to` as data page v1 wants them:
 * their length in 4 bytes, then the hybrid of width 1. `defined` as in `ColumnVector`.
 */
export function encodeLevels(
  defined: Uint8Array | undefined,
  from: number,
  to: number,
  target: ByteTarget,
  start: number,
): number {
  const { bytes, view } = target
  let position = start + 4
  if (defined === undefined) {
    position = writeVarint(bytes, position, (to - from) << 1)
    bytes[position++] = 1
  } else {
    position = encodeFlags(defined, from, to, bytes, position)
  }
  view.setInt32(start, position - start - 4, true)
  return position
}

/** Eight equal groups, 64 rows: below that the headers around a run cost more than the bits it saves. */
const shortestRunOfGroups = 8

/** Encodes the hybrid of width 1 without a length; returns the position after it. */
export function encodeFlags(
  flags: Uint8Array,
  from: number,
  to: number,
  bytes: Uint8Array,
  position: number,
): number {
  let literals = from
  let i = from
  while (i + 8 <= to) {
    const packed = eightFlags(flags, i)
    let end = i + 8
    if (packed === 0 || packed === 255) {
      while (end + 8 <= to && eightFlags(flags, end) === packed) end += 8
    }
    if (end - i >= shortestRunOfGroups * 8) {
      position = writeFlagGroups(flags, literals, i, bytes, position)
      position = writeVarint(bytes, position, (end - i) << 1)
      bytes[position++] = packed & 1
      literals = end
    }
    i = end
  }
  return writeFlagGroups(flags, literals, to, bytes, position)
}

function writeFlagGroups(
  flags: Uint8Array,
  from: number,
  to: number,
  bytes: Uint8Array,
  position: number,
): number {
  if (from === to) return position
  const groups = (to - from + 7) >> 3
  return packFlags(flags, from, to, bytes, writeVarint(bytes, position, (groups << 1) | 1))
}

/** Encodes numbers from 0 to 3, the hybrid of width 2 without a length; returns the position after it. */
export function encodePairs(values: Uint8Array, bytes: Uint8Array, position: number): number {
  const count = values.length
  let literals = 0
  let i = 0
  while (i + 8 <= count) {
    let end = i
    while (end < count && values[end] === values[i]) end++
    // Whole groups: what is packed before and behind the run begins at one.
    const run = end === count ? end - i : (end - i) & ~7
    if (run >= shortestRunOfGroups * 8) {
      position = writePairGroups(values, literals, i, bytes, position)
      position = writeVarint(bytes, position, run << 1)
      bytes[position++] = values[i]!
      literals = i + run
      i = literals
    } else i += Math.max(8, run)
  }
  return writePairGroups(values, literals, count, bytes, position)
}

function writePairGroups(
  values: Uint8Array,
  from: number,
  to: number,
  bytes: Uint8Array,
  position: number,
): number {
  if (from === to) return position
  const groups = (to - from + 7) >> 3
  position = writeVarint(bytes, position, (groups << 1) | 1)
  // Behind the last value zeros: the target may hold something else.
  for (let i = from; i < from + 8 * groups; i += 4) {
    let packed = 0
    for (let place = 0; place < 4 && i + place < to; place++) packed |= values[i + place]! << (2 * place)
    bytes[position++] = packed
  }
  return position
}
