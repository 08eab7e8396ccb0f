import type { Take } from '../../kernel/arena.ts'
import { kernel } from '../../kernel/kernel.ts'

/** Bytes being filled, with a view for words that lie at any position. */
export interface ByteTarget {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** Where it begins in the kernel's memory; undefined: it lies elsewhere. */
  readonly address?: number
}

/** A zeroed target of `capacity` bytes. */
export function byteTarget(capacity: number): ByteTarget {
  const buffer = new ArrayBuffer(capacity)
  return { bytes: new Uint8Array(buffer), view: new DataView(buffer) }
}

/** A target of `capacity` bytes in the kernel's memory, with 16 behind it that may be overwritten; not zeroed. */
export function kernelTarget(capacity: number, take: Take): ByteTarget {
  const { buffer } = kernel().bytes
  const address = take(capacity + 16)
  return {
    bytes: new Uint8Array(buffer, address, capacity),
    view: new DataView(buffer, address, capacity),
    address,
  }
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
