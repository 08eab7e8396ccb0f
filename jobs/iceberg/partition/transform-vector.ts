import { usageError } from '../../errors.ts'
import { wordBounds } from '../../parquet/statistics/bounds.ts'
import type { ColumnVector, FixedVector } from '../../vector/vector.ts'
import { daysOf, hoursOf, monthsOfDays, yearsOfDays } from './transform-time.ts'
import { bucketsOf } from './transform-bucket.ts'
import { truncated } from './transform-truncate.ts'
import { groupBytes, groupInts } from './transform-group.ts'
import { fromBigEndian, fromSingleValue } from '../schema/single-value.ts'
import { isBigEndian } from './transform-slices.ts'
import { formatTransform, resultType, type Transform } from './transforms.ts'
import type { PrimitiveType, Value } from '../schema/types.ts'

/** The results of a transform for the rows of one vector, dictionary-encoded. */
export interface PartitionColumn {
  /** For each row (NULLs included) the index of its partition value. */
  readonly ordinals: Int32Array
  /** The distinct values in order of first appearance; null, if there is one, comes last. */
  readonly values: readonly (Value | null)[]
}

/**
 * Applies a partition transform to a column (spec "Partition Transforms"): no object, string or bigint per
 * row, only per distinct value. `type` is the source column's. Errors: `JobError` usage for a transform that
 * the type does not allow.
 */
export function applyTransform(
  transform: Transform,
  type: PrimitiveType,
  vector: ColumnVector,
): PartitionColumn {
  const name = type.kind === 'decimal' ? `decimal(${type.precision}, ${type.scale})` : type.kind
  const sourceName = type.kind === 'fixed' ? `fixed[${type.length}]` : name
  if (resultType(transform, sourceName) === undefined)
    throw usageError(
      `partition transform ${formatTransform(transform)} is not possible for type ${sourceName}`,
      {
        field: '--partition-by',
        fix: 'choose a transform that the column’s type allows',
      },
    )
  if (transform.kind === 'void') return { ordinals: new Int32Array(vector.rows), values: [null] }
  const only = onlyTime(transform, type, vector)
  if (only !== undefined) return spread(vector, new Int32Array(vector.count), [only])
  const ints = intResults(transform, type, vector)
  if (ints !== undefined) return spread(vector, ...groupInts(ints))
  const slices = truncated(transform, type, vector)
  const [ordinals, firsts] = groupBytes(slices)
  const values = firsts.map((at) =>
    decode(type, slices.data.subarray(slices.starts[at], slices.ends[at]), vector),
  )
  return spread(vector, ordinals, values)
}

function intResults(transform: Transform, type: PrimitiveType, vector: ColumnVector): Int32Array | undefined {
  switch (transform.kind) {
    case 'year':
      return yearsOfDays(daysOf(type, vector as FixedVector))
    case 'month':
      return monthsOfDays(daysOf(type, vector as FixedVector))
    case 'day':
      return daysOf(type, vector as FixedVector)
    case 'hour':
      return hoursOf(vector as FixedVector)
    case 'bucket':
      return bucketsOf(type, vector, transform.buckets)
    default:
      return undefined
  }
}

/**
 * The year, month, day or hour of all values, if they have the same: these transforms keep the order, so the least and the
 * greatest value tell. Logs lie in a table as they came.
 */
function onlyTime(transform: Transform, type: PrimitiveType, vector: ColumnVector): number | undefined {
  const { kind } = transform
  if (kind !== 'year' && kind !== 'month' && kind !== 'day' && kind !== 'hour') return undefined
  if (vector.kind !== 'fixed' || vector.count === 0) return undefined
  const words = new Int32Array(vector.data.buffer, vector.data.byteOffset, (vector.count * vector.width) >> 2)
  const bounds = wordBounds(words, vector.count, vector.width === 4 ? 1 : 2)
  const data = new Uint8Array(bounds.buffer)
  const [least, greatest] = intResults(transform, type, { ...vector, data, count: 2 }) ?? []
  return least === greatest ? least : undefined
}

/** A value as the vector holds it: little-endian up to 8 bytes, wide decimals big-endian (vector.ts). */
function decode(type: PrimitiveType, bytes: Uint8Array, vector: ColumnVector): Value {
  if (type.kind !== 'decimal') return fromSingleValue(type, Uint8Array.from(bytes))
  return fromBigEndian(isBigEndian(type, vector) ? bytes : Uint8Array.from(bytes).reverse())
}

/** From ordinals of the values present to ordinals of all rows. */
function spread(vector: ColumnVector, dense: Int32Array, values: readonly Value[]): PartitionColumn {
  const { defined, rows } = vector
  if (defined === undefined || vector.count === rows) return { ordinals: dense, values }
  const ordinals = new Int32Array(rows)
  const nullOrdinal = values.length
  let at = 0
  for (let row = 0; row < rows; row++) ordinals[row] = defined[row] === 1 ? dense[at++]! : nullOrdinal
  return { ordinals, values: [...values, null] }
}
