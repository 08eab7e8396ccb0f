import type { BytesVector, ColumnVector, FixedVector } from '../../parquet/vector.ts'
import type { PrimitiveType } from '../../iceberg/types.ts'

/**
 * What a set of rows is, whatever their order and however they were read: their number, the NULLs per column and a
 * checksum. It goes into the snapshot's summary, so that the lake can be compared with what was read (export-spec
 * §3.11). Plain data, may cross threads.
 */
export interface Fingerprint {
  readonly rows: number
  /** NULLs by column, in the order of the columns. */
  readonly nulls: readonly number[]
  /** The sum of the rows' 128-bit hashes, lane by lane, as four 32-bit unsigned integers. */
  readonly sum: readonly [number, number, number, number]
}

export const noRows = (columns: number): Fingerprint => ({
  rows: 0,
  nulls: new Array<number>(columns).fill(0),
  sum: [0, 0, 0, 0],
})

/** The fingerprint of both sets of rows together. */
export const combined = (a: Fingerprint, b: Fingerprint): Fingerprint => ({
  rows: a.rows + b.rows,
  nulls: a.nulls.map((nulls, column) => nulls + b.nulls[column]!),
  sum: [0, 1, 2, 3].map((lane) => (a.sum[lane]! + b.sum[lane]!) >>> 0) as unknown as Fingerprint['sum'],
})

/** As text: 32 hexadecimal digits. */
export const sumText = ({ sum }: Fingerprint): string =>
  sum.map((lane) => lane.toString(16).padStart(8, '0')).join('')

/**
 * The fingerprint of the rows of `vectors`, one vector per column. A row's hash is made of its values' canonical
 * words in column order: numbers, dates and times as signed 64-bit integers, floats as doubles, decimals as
 * sign-extended integers, other values as their bytes and length. So it does not change when a column is widened
 * (int to long, float to double, a decimal's precision).
 */
export function fingerprintOf(
  types: readonly PrimitiveType[],
  vectors: readonly ColumnVector[],
): Fingerprint {
  const rows = vectors[0]?.rows ?? 0
  const a = new Int32Array(rows).fill(0x243f6a88)
  const b = new Int32Array(rows).fill(0x85a308d3)
  for (const [column, vector] of vectors.entries()) {
    if (vector.kind === 'bytes') mixBytes(a, b, vector)
    else mixFixed(a, b, vector, types[column]!)
  }
  let [s0, s1, s2, s3] = [0, 0, 0, 0]
  for (let row = 0; row < rows; row++) {
    const x = a[row]!
    const y = b[row]!
    s0 = (s0 + finish(x, y)) | 0
    s1 = (s1 + finish(y, x ^ 0x13198a2e)) | 0
    s2 = (s2 + finish(x ^ 0x03707344, y)) | 0
    s3 = (s3 + finish(y ^ 0xa4093822, x)) | 0
  }
  return {
    rows,
    nulls: vectors.map(({ count }) => rows - count),
    sum: [s0 >>> 0, s1 >>> 0, s2 >>> 0, s3 >>> 0],
  }
}

/** MurmurHash3's multipliers and finaliser (Appleby, public domain). */
const c1 = 0xcc9e2d51 | 0
const c2 = 0x1b873593

/** Stands for NULL; no value's words end in it because a value mixes two words. */
const nullWord = 0x452821e6

const mix = (state: number, word: number, factor: number): number => {
  const mixed = Math.imul(state ^ word, factor)
  return ((mixed << 13) | (mixed >>> 19)) + 0x165667b1
}

function finish(x: number, y: number): number {
  let h = Math.imul(x ^ (x >>> 16), 0x85ebca6b) ^ Math.imul(y, 0x9e3779b1)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

function mixFixed(a: Int32Array, b: Int32Array, vector: FixedVector, type: PrimitiveType): void {
  const { width, data, count } = vector
  if (type.kind === 'float') mixWords(a, b, vector, doubleWords(vector), 2)
  else if (width === 1) mixWords(a, b, vector, data, 1)
  else if (width === 4 || width === 8) {
    const words = new Int32Array(data.buffer, data.byteOffset, (count * width) >> 2)
    mixWords(a, b, vector, words, width === 4 ? 1 : 2)
  } else if (type.kind === 'decimal') mixWideDecimals(a, b, vector)
  else mixBytes(a, b, sliced(vector))
}

/** Values of one word (sign-extended to two) or of two words, low one first. */
function mixWords(
  a: Int32Array,
  b: Int32Array,
  { defined }: FixedVector,
  words: Int32Array | Uint8Array,
  perValue: 1 | 2,
): void {
  let at = 0
  for (let row = 0; row < a.length; row++) {
    if (defined?.[row] === 0) {
      mixNull(a, b, row)
      continue
    }
    const low = words[at]!
    const high = perValue === 2 ? words[at + 1]! : low >> 31
    at += perValue
    a[row] = mix(mix(a[row]!, low, c1), high, c1)
    b[row] = mix(mix(b[row]!, high, c2), low, c2)
  }
}

function mixNull(a: Int32Array, b: Int32Array, row: number): void {
  a[row] = mix(a[row]!, nullWord, c2)
  b[row] = mix(b[row]!, nullWord, c1)
}

function mixBytes(a: Int32Array, b: Int32Array, { data, offsets, defined }: BytesVector): void {
  let value = 0
  for (let row = 0; row < a.length; row++) {
    if (defined?.[row] === 0) {
      mixNull(a, b, row)
      continue
    }
    const start = offsets[value]!
    const end = offsets[++value]!
    let x = a[row]!
    let y = b[row]!
    let at = start
    for (; at + 4 <= end; at += 4) {
      const word = data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24)
      x = mix(x, word, c1)
      y = mix(y, word, c2)
    }
    let rest = 0
    for (let shift = 0; at < end; at++, shift += 8) rest |= data[at]! << shift
    const length = end - start
    a[row] = mix(mix(x, rest, c1), length, c1)
    b[row] = mix(mix(y, length, c2), rest, c2)
  }
}

/** Big-endian two's complement of more than 8 bytes: words from the lowest up, as long as they are not mere sign. */
function mixWideDecimals(a: Int32Array, b: Int32Array, { data, width, defined }: FixedVector): void {
  let value = 0
  for (let row = 0; row < a.length; row++) {
    if (defined?.[row] === 0) {
      mixNull(a, b, row)
      continue
    }
    const first = value++ * width
    const sign = (data[first]! << 24) >> 31
    const byteAt = (place: number): number => (place < width ? data[first + width - 1 - place]! : sign & 0xff)
    const wordAt = (place: number): number =>
      byteAt(place) | (byteAt(place + 1) << 8) | (byteAt(place + 2) << 16) | (byteAt(place + 3) << 24)
    let words = Math.ceil(width / 4)
    while (words > 2 && wordAt(4 * (words - 1)) === sign && wordAt(4 * (words - 2)) >> 31 === sign) words--
    for (let word = 0; word < words; word += 2) {
      const low = wordAt(4 * word)
      const high = wordAt(4 * (word + 1))
      a[row] = mix(mix(a[row]!, low, c1), high, c1)
      b[row] = mix(mix(b[row]!, high, c2), low, c2)
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
