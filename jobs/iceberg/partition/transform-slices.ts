import type { BytesVector, ColumnVector } from '../../vector/vector.ts'
import type { PrimitiveType } from '../schema/types.ts'

/** Values of a vector as slices of its data; slice `i` is `data[starts[i]] … data[ends[i]]` (end exclusive). */
export interface Slices {
  readonly data: Uint8Array
  readonly starts: Int32Array
  readonly ends: Int32Array
  readonly count: number
}

/** Whether a decimal vector's values are big-endian: FIXED_LEN_BYTE_ARRAY, beyond 18 digits. */
export const isBigEndian = (type: PrimitiveType, vector: ColumnVector): boolean =>
  vector.kind === 'bytes' || (type.kind === 'decimal' && type.precision > 18)

/** A vector's values as slices. */
export function slicesOf(vector: ColumnVector): Slices {
  if (vector.kind === 'bytes') return bytesSlices(vector)
  if (vector.kind === 'list') throw new TypeError('a list has no single value')
  const { data, count, width } = vector
  const starts = new Int32Array(count)
  const ends = new Int32Array(count)
  for (let i = 0; i < count; i++) {
    starts[i] = i * width
    ends[i] = (i + 1) * width
  }
  return { data, starts, ends, count }
}

const bytesSlices = ({ data, offsets, count }: BytesVector): Slices => ({
  data,
  starts: offsets.subarray(0, count),
  ends: offsets.subarray(1, count + 1),
  count,
})
