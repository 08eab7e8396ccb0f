import type { ColumnVector } from '../../vector/vector.ts'
import { gather } from '../../vector/gather.ts'
import type { PrimitiveType, Value } from '../schema/types.ts'
import { partitionRows } from './partition-rows.ts'
import type { PartitionColumnType } from './partition-spec.ts'

/** Rows that belong into one partition. */
export interface PartitionRows {
  /** In the order of the spec's fields; empty when unpartitioned. */
  readonly partition: readonly (Value | null)[]
  readonly vectors: readonly ColumnVector[]
}

/** A partition field with the column that it is computed from. */
export interface PartitionSource {
  readonly field: PartitionColumnType
  /** Index of the source column in the vectors. */
  readonly column: number
  readonly type: PrimitiveType
}

/** A batch by partition, in order of first appearance. One partition alone has the batch's own memory. */
export function splitRows(
  sources: readonly PartitionSource[],
  vectors: readonly ColumnVector[],
): PartitionRows[] {
  const { ordinals, tuples } = partitionRows(
    sources.map(({ field }) => field),
    vectors[0]!.rows,
    (sourceId) => {
      const { column, type } = sources.find(({ field }) => field.sourceId === sourceId)!
      return { vector: vectors[column]!, type }
    },
  )
  if (tuples.length === 1) return [{ partition: tuples[0]!, vectors }]
  return rowsByOrdinal(ordinals, tuples.length).map((own, ordinal) => ({
    partition: tuples[ordinal]!,
    vectors: vectors.map((vector) => gather(vector, own)),
  }))
}

/** For each ordinal its rows, ascending: a counting sort. */
function rowsByOrdinal(ordinals: Int32Array, count: number): Int32Array[] {
  // For each ordinal where its rows begin, and behind them where the last one's end.
  const starts = new Int32Array(count + 1)
  countOrdinals(ordinals, starts)
  for (let ordinal = 0; ordinal < count; ordinal++) starts[ordinal + 1]! += starts[ordinal]!
  const rows = new Int32Array(ordinals.length)
  placeRows(ordinals, starts.slice(), rows)
  return Array.from({ length: count }, (_, ordinal) => rows.subarray(starts[ordinal], starts[ordinal + 1]))
}

// Loops in functions of their own: V8 compiles one anew whenever something else in its function is of another shape.

function countOrdinals(ordinals: Int32Array, starts: Int32Array): void {
  for (const ordinal of ordinals) starts[ordinal + 1]!++
}

function placeRows(ordinals: Int32Array, next: Int32Array, rows: Int32Array): void {
  for (let row = 0; row < ordinals.length; row++) rows[next[ordinals[row]!]!++] = row
}
