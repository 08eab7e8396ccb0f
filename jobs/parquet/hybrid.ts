import { type ByteTarget, eightFlags, packBits, packFlags, writeVarint } from './bit-packing.ts'

/**
 * The RLE/bit-packing hybrid of Parquet's Encodings.md, which carries dictionary indices and definition levels.
 * Bit-packed groups of 8 values are the rule; a run is written where it is shorter than the groups it replaces.
 */

/** The most bytes that `encodeIndices` writes for `count` values of any width. */
export const hybridCapacity = (count: number): number => count * 4 + 64

/**
 * Encodes `values[0 … count)`, each of `width` bits, at `position`; returns the position after it. `values` has
 * room for 7 more, which are overwritten with zeros (the last group is padded).
 */
export function encodeIndices(
  values: Int32Array,
  count: number,
  width: number,
  target: ByteTarget,
  position: number,
): number {
  const runBytes = (width + 7) >> 3
  // A run costs its header, its value and the header of the groups that follow it.
  const shortestRun = Math.max(8, Math.ceil(((runBytes + 4) * 8) / width))
  values.fill(0, count, count + 7)
  let literals = 0
  let i = 0
  while (i + 8 <= count) {
    const value = values[i]!
    if (
      value !== values[i + 1] ||
      value !== values[i + 2] ||
      value !== values[i + 3] ||
      value !== values[i + 4] ||
      value !== values[i + 5] ||
      value !== values[i + 6] ||
      value !== values[i + 7]
    ) {
      i += 8
      continue
    }
    let end = i + 8
    while (end < count && values[end] === value) end++
    if (end - i < shortestRun) {
      i += (end - i) & ~7
      continue
    }
    position = writeGroups(values, literals, i, width, target, position)
    position = writeVarint(target.bytes, position, (end - i) << 1)
    for (let byte = 0; byte < runBytes; byte++) target.bytes[position++] = value >>> (byte * 8)
    literals = i = end
  }
  return writeGroups(values, literals, count, width, target, position)
}

function writeGroups(
  values: Int32Array,
  from: number,
  to: number,
  width: number,
  target: ByteTarget,
  position: number,
): number {
  if (from === to) return position
  const groups = (to - from + 7) >> 3
  return packBits(
    values,
    from,
    groups * 8,
    width,
    target,
    writeVarint(target.bytes, position, (groups << 1) | 1),
  )
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
