import { kernel } from '../kernel/kernel.ts'
import { type ByteTarget, eightFlags, packFlags, writeVarint } from './bit-packing.ts'

/**
 * The RLE/bit-packing hybrid of Parquet's Encodings.md, which carries dictionary indices and definition levels.
 * Bit-packed groups of 8 values are the rule; a run is written where it is shorter than the groups it replaces.
 */

/** The most bytes that `encodeIndices` writes for `count` values of any width. */
export const hybridCapacity = (count: number): number => count * 4 + 64

interface Places {
  readonly values: number
  readonly target: number
  readonly count: number
}

let reserved: Places | undefined

/** Room for that many values: a page's. */
function places(count: number): Places {
  if (reserved !== undefined && reserved.count >= count) return reserved
  const { reserve } = kernel()
  return (reserved = {
    // Seven zeros pad the last group.
    values: reserve(4 * (count + 7)),
    target: reserve(hybridCapacity(count)),
    count,
  })
}

/** The rows of most pages (export-spec §2.2). */
const usualCount = 20_000

/**
 * Encodes `values[0 … count)`, each of `width` bits, at `position`; returns the position after it. In the kernel:
 * kernel/assembly/hybrid.ts.
 */
export function encodeIndices(
  values: Int32Array,
  count: number,
  width: number,
  target: ByteTarget,
  position: number,
): number {
  const { bytes, words, encodeIndices: encode } = kernel()
  const { values: from, target: to } = places(Math.max(count, usualCount))
  words.set(values.subarray(0, count), from >> 2)
  const end = encode(from, count, width, to)
  target.bytes.set(bytes.subarray(to, end), position)
  return position + end - to
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

function encodeFlags(
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
