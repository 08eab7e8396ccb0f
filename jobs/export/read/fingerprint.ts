import type { PrimitiveType } from '../../iceberg/types.ts'
import type { ColumnVector } from '../../parquet/vector.ts'
import { addHashes, blockRows, clear, createRowHashes, mixerOf } from './row-hash.ts'

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

/** The fingerprint of both sets of rows together. */
export const combined = (a: Fingerprint, b: Fingerprint): Fingerprint => ({
  rows: a.rows + b.rows,
  nulls: a.nulls.map((nulls, column) => nulls + b.nulls[column]!),
  sum: [0, 1, 2, 3].map((lane) => (a.sum[lane]! + b.sum[lane]!) >>> 0) as unknown as Fingerprint['sum'],
})

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
  const mixers = vectors.map((vector, column) => mixerOf(vector, types[column]!))
  const hashes = createRowHashes()
  const sums = new Uint32Array(4)
  for (let from = 0; from < rows; from += blockRows) {
    const to = Math.min(from + blockRows, rows)
    clear(hashes)
    for (const mix of mixers) mix(hashes, from, to)
    addHashes(to - from, sums)
  }
  const [a, b, c, d] = sums
  return { rows, nulls: vectors.map(({ count }) => rows - count), sum: [a!, b!, c!, d!] }
}
