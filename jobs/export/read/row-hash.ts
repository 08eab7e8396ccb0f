import type { PrimitiveType } from '../../iceberg/types.ts'
import type { BytesVector, ColumnVector, FixedVector } from '../../parquet/vector.ts'

/** 64 bits for each row of a block. */
export interface RowHashes {
  readonly x: Int32Array
  readonly y: Int32Array
  clear(): void
}

export function createRowHashes(rows: number): RowHashes {
  const x = new Int32Array(rows)
  const y = new Int32Array(rows)
  return {
    x,
    y,
    clear() {
      x.fill(firstX)
      y.fill(firstY)
    },
  }
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
const turn = (half: number, word: number, factor: number): number => {
  const product = Math.imul(half ^ word, factor)
  return (product << 13) | (product >>> 19)
}

/** What mixes the column: a value by its canonical words (fingerprint.ts). */
export function mixerOf(vector: ColumnVector, type: PrimitiveType): Mixer {
  if (vector.kind === 'bytes') return bytesMixer(vector)
  const { width, data, count } = vector
  if (type.kind === 'float') return wordsMixer(vector, doubleWords(vector), 2)
  if (width === 1) return wordsMixer(vector, data, 1)
  if (width === 4 || width === 8) {
    const words = new Int32Array(data.buffer, data.byteOffset, (count * width) >> 2)
    return wordsMixer(vector, words, width === 4 ? 1 : 2)
  }
  return type.kind === 'decimal' ? wideDecimalMixer(vector) : bytesMixer(sliced(vector))
}

function mixNull({ x, y }: RowHashes, at: number): void {
  x[at] = turn(x[at]!, 0, nullFactor)
  y[at] = turn(y[at]!, x[at], nullFactor)
}

/** Values of one word (sign-extended to two) or of two words, low one first. */
function wordsMixer({ defined }: FixedVector, words: Int32Array | Uint8Array, perValue: 1 | 2): Mixer {
  let value = 0
  return (hashes, from, to) => {
    value = mixWords(hashes, from, to, defined, words, perValue, value)
  }
}

/** A function of its own, because a closure for each column would be compiled anew for each; returns the next value. */
function mixWords(
  hashes: RowHashes,
  from: number,
  to: number,
  defined: Uint8Array | undefined,
  words: Int32Array | Uint8Array,
  perValue: 1 | 2,
  value: number,
): number {
  const { x, y } = hashes
  for (let row = from; row < to; row++) {
    const at = row - from
    if (defined?.[row] === 0) {
      mixNull(hashes, at)
      continue
    }
    const low = words[value]!
    const high = perValue === 2 ? words[value + 1]! : low >> 31
    value += perValue
    const mixed = turn(x[at]!, low, factorX)
    x[at] = mixed
    y[at] = turn(y[at]!, high ^ mixed, factorY)
  }
  return value
}

function bytesMixer(vector: BytesVector): Mixer {
  const { data } = vector
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  let value = 0
  return (hashes, from, to) => {
    value = mixBytes(hashes, from, to, vector, view, value)
  }
}

/** The length, then 8 bytes a step; the last 8 (or 4) may overlap those before, which spares a loop over the rest. */
function mixBytes(
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
      mixNull(hashes, at)
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
        mixNull(hashes, at)
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

function doubleWords({ data, count }: FixedVector): Int32Array {
  return new Int32Array(Float64Array.from(new Float32Array(data.buffer, data.byteOffset, count)).buffer)
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
