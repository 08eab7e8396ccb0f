import type { ColumnType } from '../../iceberg/schema/types.ts'
import { rowHashesOf } from '../../provenance/fingerprint.ts'
import type { ColumnVector } from '../../vector/vector.ts'
import { valueText } from '../columns/value-text.ts'

/** Rows are told apart by ranges of their keys' hashes, so that where few differ few have to be looked at. */
const bucketCount = 65_536

/** Sums of rows by bucket. */
export interface BucketSums {
  /** `keys`: positions of the key's columns. */
  add(types: readonly ColumnType[], vectors: readonly ColumnVector[]): void
  readonly sums: Int32Array
}

const pick = <Item>(items: readonly Item[], keys: readonly number[]): Item[] => keys.map((at) => items[at]!)

const bucketOf = (x: number, y: number): number => Math.imul(x ^ Math.imul(y, 0x9e3779b1), 0x85ebca6b) >>> 16

export function bucketSums(keys: readonly number[]): BucketSums {
  const sums = new Int32Array(3 * bucketCount)
  return {
    sums,
    add(types, vectors) {
      const key = rowHashesOf(pick(types, keys), pick(vectors, keys))
      const row = rowHashesOf(types, vectors)
      for (let at = 0; at < row.x.length; at++) {
        const bucket = 3 * bucketOf(key.x[at]!, key.y[at]!)
        sums[bucket]! += mixed(row.x[at]!)
        sums[bucket + 1]! += mixed(row.y[at]!)
        sums[bucket + 2]!++
      }
    },
  }
}

/** Sums of the hashes themselves would be equal for rows that exchanged halves of their bits. */
export const mixed = (half: number): number => {
  const one = Math.imul(half ^ (half >>> 16), 0x85ebca6b)
  return Math.imul(one ^ (one >>> 13), 0xc2b2ae35)
}

/** Some buckets in which both differ. */
export function differingBuckets(a: BucketSums, b: BucketSums, most: number): Set<number> {
  const found = new Set<number>()
  for (let bucket = 0; bucket < bucketCount && found.size < most; bucket++)
    if ([0, 1, 2].some((lane) => a.sums[3 * bucket + lane] !== b.sums[3 * bucket + lane])) found.add(bucket)
  return found
}

/** The number of rows in some buckets. */
export const rowsIn = ({ sums }: BucketSums, buckets: ReadonlySet<number>): number =>
  [...buckets].reduce((rows, bucket) => rows + sums[3 * bucket + 2]!, 0)

/** Rows of some buckets, by their keys' hashes. */
export type Rows = Map<string, { readonly hash: string; readonly values: (string | null)[] }[]>

export function takeBuckets(
  rows: Rows,
  wanted: ReadonlySet<number>,
  keys: readonly number[],
  types: readonly ColumnType[],
  vectors: readonly ColumnVector[],
): void {
  const key = rowHashesOf(pick(types, keys), pick(vectors, keys))
  const row = rowHashesOf(types, vectors)
  const values = vectors.map(() => 0)
  for (let at = 0; at < row.x.length; at++) {
    if (wanted.has(bucketOf(key.x[at]!, key.y[at]!))) {
      const name = `${key.x[at]} ${key.y[at]}`
      const texts = vectors.map((vector, column) =>
        vector.defined?.[at] === 0 ? null : valueText(types[column]!, vector, values[column]!),
      )
      const alike = rows.get(name) ?? []
      alike.push({ hash: `${row.x[at]} ${row.y[at]}`, values: texts })
      rows.set(name, alike)
    }
    for (const [column, { defined }] of vectors.entries()) values[column]! += defined?.[at] ?? 1
  }
}
