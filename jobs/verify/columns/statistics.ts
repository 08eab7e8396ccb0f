import type { ColumnType, PrimitiveType } from '../../iceberg/schema/types.ts'
import { fromBigEndian } from '../../iceberg/schema/single-value.ts'
import {
  bytesBounds,
  fixedBounds,
  floatBounds,
  wordBounds,
  type MinMax,
} from '../../parquet/statistics/bounds.ts'
import type { ColumnVector, FixedVector, FlatVector } from '../../vector/vector.ts'

/** What is to be said of a column of some rows. */
export interface ColumnStatistics {
  readonly rows: number
  readonly nulls: number
  /** The least and the greatest value, as vectors have values; NaN is none. Undefined where there is none. */
  readonly bounds: MinMax | undefined
  /** Of integers, and of decimals unscaled; undefined for other types. */
  readonly sum: bigint | undefined
}

/** Those of no rows. */
export const noStatistics = (type: ColumnType): ColumnStatistics => ({
  rows: 0,
  nulls: 0,
  bounds: undefined,
  sum: isSummed(type) ? 0n : undefined,
})

/** Those of a vector; the bounds have memory of their own. */
export function statisticsOf(type: ColumnType, vector: ColumnVector): ColumnStatistics {
  const { rows, count } = vector
  // Lists have neither an order nor a sum.
  const bounds =
    count === 0 || type.kind === 'list' || vector.kind === 'list' ? undefined : boundsOf(type, vector)
  return {
    rows,
    nulls: rows - count,
    bounds: bounds && { min: bounds.min.slice(), max: bounds.max.slice() },
    sum: isSummed(type) && vector.kind === 'fixed' ? sumOf(vector) : undefined,
  }
}

/** Those of both sets of rows together. */
export const bothStatistics = (
  type: ColumnType,
  a: ColumnStatistics,
  b: ColumnStatistics,
): ColumnStatistics => ({
  rows: a.rows + b.rows,
  nulls: a.nulls + b.nulls,
  bounds:
    a.bounds === undefined || b.bounds === undefined
      ? (a.bounds ?? b.bounds)
      : {
          min: orderOf(type, a.bounds.min, b.bounds.min) <= 0 ? a.bounds.min : b.bounds.min,
          max: orderOf(type, a.bounds.max, b.bounds.max) >= 0 ? a.bounds.max : b.bounds.max,
        },
  sum: a.sum === undefined || b.sum === undefined ? undefined : a.sum + b.sum,
})

/** Bytes of a long text that are kept of many intervals' bounds: the bounds' beginnings are the beginnings' bounds. */
const mostKept = 256

export const shortened = (statistics: ColumnStatistics): ColumnStatistics => {
  const { bounds } = statistics
  if (bounds === undefined || Math.max(bounds.min.length, bounds.max.length) <= mostKept) return statistics
  const { min, max } = bounds
  return { ...statistics, bounds: { min: min.slice(0, mostKept), max: max.slice(0, mostKept) } }
}

/** A number that a fixed-width value of a type with an order of numbers stands for. */
export function numberOf(type: PrimitiveType, value: Uint8Array): number | bigint {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  switch (type.kind) {
    case 'float':
      return view.getFloat32(0, true)
    case 'double':
      return view.getFloat64(0, true)
    default:
      if (value.length === 1) return value[0]!
      if (value.length === 4) return view.getInt32(0, true)
      return value.length === 8 ? view.getBigInt64(0, true) : fromBigEndian(value)
  }
}

/** Types whose values are compared by their bytes. */
export const isBytes = ({ kind }: ColumnType): boolean =>
  kind === 'string' || kind === 'binary' || kind === 'fixed' || kind === 'uuid'

function orderOf(type: ColumnType, a: Uint8Array, b: Uint8Array): number {
  if (type.kind === 'list') throw new TypeError('lists have no order')
  if (isBytes(type)) return Buffer.compare(a, b)
  const [one, other] = [numberOf(type, a), numberOf(type, b)]
  return one < other ? -1 : one > other ? 1 : 0
}

function boundsOf(type: PrimitiveType, vector: FlatVector): MinMax | undefined {
  const { count } = vector
  if (vector.kind === 'bytes') return bytesBounds(vector, count)
  const { data, width } = vector
  if (type.kind === 'float')
    return floatBounds(new Float32Array(data.buffer, data.byteOffset, count), count).bounds
  if (type.kind === 'double')
    return floatBounds(new Float64Array(data.buffer, data.byteOffset, count), count).bounds
  if (width !== 4 && width !== 8) return fixedBounds(data, width, count, type.kind === 'decimal')
  const perValue = width === 4 ? 1 : 2
  const bounds = new Uint8Array(wordBounds(wordsOf(vector), count, perValue).buffer)
  return { min: bounds.subarray(0, width), max: bounds.subarray(width) }
}

const isSummed = ({ kind }: ColumnType): boolean => kind === 'int' || kind === 'long' || kind === 'decimal'

const wordsOf = ({ data, count, width }: FixedVector): Int32Array =>
  new Int32Array(data.buffer, data.byteOffset, (count * width) / 4)

/** A double adds up four million words without loss. */
const wordsAtOnce = 2 ** 20

function sumOf(vector: FixedVector): bigint {
  const { width, count, data } = vector
  if (width !== 4 && width !== 8) return sumOfBytes(data, width, count)
  const words = wordsOf(vector)
  let sum = 0n
  for (let from = 0; from < words.length; from += wordsAtOnce) {
    const some = words.subarray(from, from + wordsAtOnce)
    sum += width === 4 ? BigInt(sumOfWords(some)) : sumOfPairs(some)
  }
  return sum
}

function sumOfWords(words: Int32Array): number {
  let sum = 0
  for (const word of words) sum += word
  return sum
}

function sumOfPairs(words: Int32Array): bigint {
  let [low, high] = [0, 0]
  for (let at = 0; at < words.length; at += 2) {
    low += words[at]! >>> 0
    high += words[at + 1]!
  }
  return (BigInt(high) << 32n) + BigInt(low)
}

/** Big-endian two's complement: what each place adds up to. */
function sumOfBytes(data: Uint8Array, width: number, count: number): bigint {
  const places = new Float64Array(width)
  for (let at = 0; at < count * width; at += width) {
    places[0]! += (data[at]! << 24) >> 24
    for (let place = 1; place < width; place++) places[place]! += data[at + place]!
  }
  return places.reduce((sum, place) => (sum << 8n) + BigInt(place), 0n)
}
