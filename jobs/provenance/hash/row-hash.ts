import type { Take } from '../../kernel/arena.ts'
import { kernel } from '../../kernel/kernel.ts'
import type { PrimitiveType } from '../../iceberg/schema/types.ts'
import type { BytesVector, FixedVector, FlatVector } from '../../vector/vector.ts'

/** 64 bits for each row of a block, with room for its values, in the kernel's memory: for one fingerprint. */
export interface RowHashes {
  readonly x: Int32Array
  readonly y: Int32Array
  readonly places: Places
}

/** Rows that are hashed column by column before the next ones are: their states stay in the cache. */
export const blockRows = 4096
/** Bytes of a block's values that the kernel takes at once. */
const valueBytes = 1 << 20

/** Addresses in the kernel's memory. */
export interface Places {
  readonly x: number
  readonly y: number
  readonly values: number
  readonly offsets: number
  readonly defined: number
  readonly sums: number
}

/** Hashes in room that is taken; they end with its scope. */
export function createRowHashes(take: Take): RowHashes {
  const { words } = kernel()
  const places = {
    x: take(4 * blockRows),
    y: take(4 * blockRows),
    // Behind a value up to 8 bytes are read.
    values: take(valueBytes + 8),
    offsets: take(4 * blockRows + 4),
    defined: take(blockRows),
    sums: take(16),
  }
  const wordsAt = (address: number): Int32Array => words.subarray(address >> 2, (address >> 2) + blockRows)
  return { x: wordsAt(places.x), y: wordsAt(places.y), places }
}

export function clear({ x, y }: RowHashes): void {
  x.fill(firstX)
  y.fill(firstY)
}

/** Adds each row's hash, finished (every bit depends on all others), to four sums of 32 bits. */
export function addHashes({ places }: RowHashes, rows: number, sums: Uint32Array): void {
  const { addHashes: add, words } = kernel()
  const { x, y, sums: at } = places
  words.set(sums, at >> 2)
  add(x, y, rows, at)
  sums.set(words.subarray(at >> 2, (at >> 2) + 4))
}

/** Mixes one column of the rows `from … to` into their hashes; called for block after block, in order. */
export type Mixer = (hashes: RowHashes, from: number, to: number) => void

const firstX = 0x243f6a88
const firstY = 0x85a308d3 | 0

/** MurmurHash3's multipliers (Appleby, public domain); NULL has its own, so that no value stands for it. */
const factorX = 0xcc9e2d51 | 0
const factorY = 0x1b873593
const nullFactor = 0xe6546b65 | 0
const lengthFactor = 0x9e3779b1 | 0

/**
 * One half of a step. A step takes two words: `x = turn(x, low, …)`, then `y = turn(y, high ^ x, …)`. It loses
 * nothing: equal states come of different words only if the states before differed.
 */
export const turn = (half: number, word: number, factor: number): number => {
  const product = Math.imul(half ^ word, factor)
  return (product << 13) | (product >>> 19)
}

/** What mixes a column of one value a row: a value by its canonical words (fingerprint.ts). */
export function flatMixer(vector: FlatVector, type: PrimitiveType): Mixer {
  if (vector.kind === 'bytes') return bytesMixer(vector)
  const { width, data } = vector
  if (type.kind === 'float') return wordsMixer(vector, doubles(vector), 8)
  if (width === 1 || width === 4 || width === 8) return wordsMixer(vector, data, width)
  return type.kind === 'decimal' ? wideDecimalMixer(vector) : bytesMixer(sliced(vector))
}

export function mixNull(x: Int32Array, y: Int32Array, at: number): void {
  x[at] = turn(x[at]!, 0, nullFactor)
  y[at] = turn(y[at]!, x[at], nullFactor)
}

/** Copies which of the rows are NULL into the kernel's memory; the address, or 0 if none is. */
function definedAt(places: Places, defined: Uint8Array | undefined, from: number, to: number): number {
  if (defined === undefined) return 0
  kernel().bytes.set(defined.subarray(from, to), places.defined)
  return places.defined
}

/** How many of the rows `from … to` have a value. */
export function valuesIn(defined: Uint8Array | undefined, from: number, to: number): number {
  if (defined === undefined) return to - from
  let count = 0
  for (let row = from; row < to; row++) count += defined[row]!
  return count
}

/** Values of 1 byte, 4 bytes (sign-extended) or 8 bytes, low word first. */
function wordsMixer({ defined }: FixedVector, data: Uint8Array, width: 1 | 4 | 8): Mixer {
  const { bytes, mixWords } = kernel()
  let value = 0
  return ({ places }, from, to) => {
    const { x, y, values } = places
    const count = valuesIn(defined, from, to)
    bytes.set(data.subarray(value * width, (value + count) * width), values)
    mixWords(x, y, to - from, values, width, definedAt(places, defined, from, to))
    value += count
  }
}

/** The length, then 8 bytes a step; the last 8 (or 4) may overlap those before, which spares a loop over the rest. */
function bytesMixer(vector: BytesVector): Mixer {
  const { data, offsets, defined } = vector
  const { bytes, words, mixBytes } = kernel()
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  let value = 0
  return (hashes, from, to) => {
    const { places } = hashes
    const { x, y, values, offsets: ends } = places
    const count = valuesIn(defined, from, to)
    const start = offsets[value]!
    const end = offsets[value + count]!
    if (end - start <= valueBytes) {
      bytes.set(data.subarray(start, end), values)
      words.set(offsets.subarray(value, value + count + 1), ends >> 2)
      mixBytes(x, y, to - from, values, start, ends, definedAt(places, defined, from, to))
      value += count
    } else value = mixLongBytes(hashes, from, to, vector, view, value)
  }
}

/** The same for blocks that the kernel's memory does not hold; returns the next value. */
function mixLongBytes(
  hashes: RowHashes,
  from: number,
  to: number,
  { data, offsets, defined }: BytesVector,
  view: DataView,
  value: number,
): number {
  for (let row = from; row < to; row++) {
    const at = row - from
    if (defined?.[row] === 0) {
      mixNull(hashes.x, hashes.y, at)
      continue
    }
    const start = offsets[value]!
    const end = offsets[++value]!
    const length = end - start
    let x = hashes.x[at]!
    let y = hashes.y[at]! ^ Math.imul(length, lengthFactor)
    for (let p = start; p + 8 < end; p += 8) {
      x = turn(x, view.getInt32(p, true), factorX)
      y = turn(y, view.getInt32(p + 4, true) ^ x, factorY)
    }
    const isShort = length < 4
    const low = isShort ? shortWord(data, start, length) : view.getInt32(Math.max(start, end - 8), true)
    x = turn(x, low, factorX)
    hashes.x[at] = x
    hashes.y[at] = turn(y, isShort ? x : view.getInt32(end - 4, true) ^ x, factorY)
  }
  return value
}

/** Up to three bytes. */
const shortWord = (data: Uint8Array, start: number, length: number): number =>
  (length > 0 ? data[start]! : 0) |
  (length > 1 ? data[start + 1]! << 8 : 0) |
  (length > 2 ? data[start + 2]! << 16 : 0)

/** Big-endian two's complement of more than 8 bytes: words from the lowest up, as long as they are not mere sign. */
function wideDecimalMixer({ data, width, defined }: FixedVector): Mixer {
  let value = 0
  return (hashes, from, to) => {
    const { x, y } = hashes
    for (let row = from; row < to; row++) {
      const at = row - from
      if (defined?.[row] === 0) {
        mixNull(x, y, at)
        continue
      }
      const first = value++ * width
      const sign = (data[first]! << 24) >> 31
      const byteAt = (place: number): number =>
        place < width ? data[first + width - 1 - place]! : sign & 0xff
      const wordAt = (place: number): number =>
        byteAt(place) | (byteAt(place + 1) << 8) | (byteAt(place + 2) << 16) | (byteAt(place + 3) << 24)
      let words = Math.ceil(width / 4)
      while (words > 2 && wordAt(4 * (words - 1)) === sign && wordAt(4 * (words - 2)) >> 31 === sign) words--
      for (let word = 0; word < words; word += 2) {
        x[at] = turn(x[at]!, wordAt(4 * word), factorX)
        y[at] = turn(y[at]!, wordAt(4 * (word + 1)) ^ x[at], factorY)
      }
    }
  }
}

function doubles({ data, count }: FixedVector): Uint8Array {
  return new Uint8Array(Float64Array.from(new Float32Array(data.buffer, data.byteOffset, count)).buffer)
}

/** uuid and the like: fixed-width values as slices. */
const sliced = ({ data, width, count, rows, defined }: FixedVector): BytesVector => ({
  kind: 'bytes',
  data,
  offsets: Int32Array.from({ length: count + 1 }, (_, i) => i * width),
  count,
  rows,
  defined,
})
