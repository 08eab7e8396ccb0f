/** Bytes being filled, with a view for words that lie at any position. */
export interface ByteTarget {
  readonly bytes: Uint8Array
  readonly view: DataView
}

/** A zeroed target of `capacity` bytes. */
export function byteTarget(capacity: number): ByteTarget {
  const buffer = new ArrayBuffer(capacity)
  return { bytes: new Uint8Array(buffer), view: new DataView(buffer) }
}

/** Bits that hold every number from 0 to `max`; at least 1, because some readers refuse a width of 0. */
export const bitWidth = (max: number): number => Math.max(1, 32 - Math.clz32(max))

/** Writes an unsigned 32-bit LEB128 number; returns the position after it. */
export function writeVarint(bytes: Uint8Array, position: number, value: number): number {
  let rest = value >>> 0
  while (rest > 127) {
    bytes[position++] = (rest & 127) | 128
    rest >>>= 7
  }
  bytes[position++] = rest
  return position
}

/**
 * Packs `count` values (a multiple of 8) of `width` bits (1 to 31), least significant bit first (Parquet
 * Encodings.md, bit-packing); returns the position after them. May overwrite 3 bytes after that.
 */
export function packBits(
  values: Int32Array,
  from: number,
  count: number,
  width: number,
  target: ByteTarget,
  position: number,
): number {
  if (width <= 4) return packOctets(values, from, count, width, target, position)
  if (width < 16) return packPairs(values, from, count, width, target, position)
  return packWords(values, from, count, width, target, position)
}

/** Eight values of at most 4 bits fill one word. */
function packOctets(
  values: Int32Array,
  from: number,
  count: number,
  width: number,
  { view }: ByteTarget,
  position: number,
): number {
  const end = from + count
  for (let i = from; i < end; i += 8) {
    const low =
      values[i]! |
      (values[i + 1]! << width) |
      (values[i + 2]! << (2 * width)) |
      (values[i + 3]! << (3 * width))
    const high =
      values[i + 4]! |
      (values[i + 5]! << width) |
      (values[i + 6]! << (2 * width)) |
      (values[i + 7]! << (3 * width))
    view.setInt32(position, low | (high << (4 * width)), true)
    position += width
  }
  return position
}

/**
 * Eight values of 5 to 15 bits at a time, without branch or carry between them: two make a pair, and each pair is
 * written as a word that starts at the byte in which the pair starts and repeats there the last bits of the pair
 * before. A word reaches the byte where the next one starts, and the last one the end, which is a whole byte.
 */
function packPairs(
  values: Int32Array,
  from: number,
  count: number,
  width: number,
  { view }: ByteTarget,
  position: number,
): number {
  const pair = 2 * width
  const byte1 = pair >> 3
  const byte2 = (2 * pair) >> 3
  const byte3 = (3 * pair) >> 3
  const bit1 = pair & 7
  const bit2 = (2 * pair) & 7
  const bit3 = (3 * pair) & 7
  const end = from + count
  for (let i = from; i < end; i += 8) {
    const pair0 = values[i]! | (values[i + 1]! << width)
    const pair1 = values[i + 2]! | (values[i + 3]! << width)
    const pair2 = values[i + 4]! | (values[i + 5]! << width)
    const pair3 = values[i + 6]! | (values[i + 7]! << width)
    view.setInt32(position, pair0, true)
    view.setInt32(position + byte1, (pair1 << bit1) | (pair0 >>> (pair - bit1)), true)
    view.setInt32(position + byte2, (pair2 << bit2) | (pair1 >>> (pair - bit2)), true)
    view.setInt32(position + byte3, (pair3 << bit3) | (pair2 >>> (pair - bit3)), true)
    position += width
  }
  return position
}

function packWords(
  values: Int32Array,
  from: number,
  count: number,
  width: number,
  { bytes, view }: ByteTarget,
  position: number,
): number {
  const end = from + count
  let word = 0
  let filled = 0
  for (let i = from; i < end; i++) {
    const value = values[i]!
    word |= value << filled
    filled += width
    if (filled >= 32) {
      view.setInt32(position, word, true)
      position += 4
      filled -= 32
      word = value >>> (width - filled)
    }
  }
  for (; filled > 0; filled -= 8) {
    bytes[position++] = word
    word >>>= 8
  }
  return position
}

/** Packs bytes that are 0 or 1 into bits, least significant first, the last byte padded with zeros. */
export function packFlags(
  flags: Uint8Array,
  from: number,
  to: number,
  bytes: Uint8Array,
  position: number,
): number {
  let i = from
  for (; i + 8 <= to; i += 8) bytes[position++] = eightFlags(flags, i)
  if (i < to) {
    let packed = 0
    for (let bit = 0; i < to; i++, bit++) packed |= flags[i]! << bit
    bytes[position++] = packed
  }
  return position
}

/** Eight bytes that are 0 or 1 as the bits of one. */
export const eightFlags = (flags: Uint8Array, i: number): number =>
  flags[i]! |
  (flags[i + 1]! << 1) |
  (flags[i + 2]! << 2) |
  (flags[i + 3]! << 3) |
  (flags[i + 4]! << 4) |
  (flags[i + 5]! << 5) |
  (flags[i + 6]! << 6) |
  (flags[i + 7]! << 7)
