import type { PartitionColumnType } from '../../iceberg/partition-spec.ts'
import { partitionRows } from '../../iceberg/partition-rows.ts'
import type { PrimitiveType, Value } from '../../iceberg/types.ts'
import { memoryOf, reuseMemory } from '../../parquet/vector-memory.ts'
import type { ColumnVector } from '../../parquet/vector.ts'
import { concatenate, gather, sizeOf } from './gather.ts'

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

export interface Partitioner {
  /** Takes a batch, and its memory; returns what is large enough to be a row group. */
  add(vectors: readonly ColumnVector[]): PartitionRows[]
  /** Everything that is left, partition by partition. */
  finish(): PartitionRows[]
}

export interface PartitionerLimits {
  /** A partition's rows are given out at that many, and never more at once, … */
  readonly groupRows: number
  /** … at that many bytes, or before they would be more … */
  readonly groupBytes: number
  /** … and the largest partition's when all of them together hold that many. */
  readonly heldBytes: number
}

interface Held {
  readonly partition: readonly (Value | null)[]
  readonly pieces: (readonly ColumnVector[])[]
  rows: number
  bytes: number
}

/** Collects rows by partition until they make a row group; without fields it passes batches through. */
export function createPartitioner(
  sources: readonly PartitionSource[],
  { groupRows, groupBytes, heldBytes }: PartitionerLimits,
): Partitioner {
  const held = new Map<string, Held>()
  let total = 0

  const take = (key: string, { partition, pieces, bytes }: Held): PartitionRows => {
    held.delete(key)
    total -= bytes
    const columns = pieces[0]!.length
    const vectors = Array.from({ length: columns }, (_, column) =>
      concatenate(pieces.map((piece) => piece[column]!)),
    )
    if (pieces.length > 1) reuseMemory(pieces.flatMap(memoryOf))
    return { partition, vectors }
  }
  /** Gives out what is held of the partition if the piece makes it too large, or full. */
  const hold = (
    key: string,
    partition: Held['partition'],
    piece: readonly ColumnVector[],
    complete: PartitionRows[],
  ): void => {
    const bytes = piece.reduce((sum, vector) => sum + sizeOf(vector), 0)
    const before = held.get(key)
    if (before !== undefined && before.bytes + bytes > groupBytes) complete.push(take(key, before))
    const entry = held.get(key) ?? { partition, pieces: [], rows: 0, bytes: 0 }
    held.set(key, entry)
    entry.pieces.push(piece)
    entry.rows += piece[0]!.rows
    entry.bytes += bytes
    total += bytes
    if (entry.rows === groupRows || entry.bytes >= groupBytes) complete.push(take(key, entry))
  }
  const largest = (): [string, Held] => {
    const [first, ...others] = [...held]
    if (first === undefined) throw new TypeError('nothing is held')
    return others.reduce((best, other) => (other[1].bytes > best[1].bytes ? other : best), first)
  }

  return {
    add(vectors) {
      if (sources.length === 0) return [{ partition: [], vectors }]
      const complete: PartitionRows[] = []
      for (const { partition, vectors: rows } of split(sources, vectors)) {
        const key = keyOf(partition)
        const count = rows[0]!.rows
        const room = (): number => groupRows - (held.get(key)?.rows ?? 0)
        if (count <= room()) {
          hold(key, partition, rows, complete)
          continue
        }
        for (let from = 0, to = room(); from < count; from = to, to = Math.min(count, from + room()))
          hold(key, partition, slice(rows, from, to), complete)
        reuseMemory(memoryOf(rows))
      }
      while (total > heldBytes) complete.push(take(...largest()))
      return complete
    },
    finish: () => [...held].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, entry]) => take(key, entry)),
  }
}

/** Text that is equal for equal partitions. */
export const keyOf = (partition: readonly (Value | null)[]): string =>
  partition
    .map((value) =>
      value instanceof Uint8Array
        ? `x${Buffer.from(value).toString('hex')}`
        : typeof value === 'string'
          ? JSON.stringify(value)
          : String(value),
    )
    .join('\n')

/** A batch by partition, in order of first appearance. */
function split(sources: readonly PartitionSource[], vectors: readonly ColumnVector[]): PartitionRows[] {
  const { ordinals, tuples } = partitionRows(
    sources.map(({ field }) => field),
    vectors[0]!.rows,
    (sourceId) => {
      const { column, type } = sources.find(({ field }) => field.sourceId === sourceId)!
      return { vector: vectors[column]!, type }
    },
  )
  if (tuples.length === 1) return [{ partition: tuples[0]!, vectors }]
  const parts = rowsByOrdinal(ordinals, tuples.length).map((own, ordinal) => ({
    partition: tuples[ordinal]!,
    vectors: vectors.map((vector) => gather(vector, own)),
  }))
  reuseMemory(memoryOf(vectors))
  return parts
}

function slice(vectors: readonly ColumnVector[], from: number, to: number): ColumnVector[] {
  const own = Int32Array.from({ length: to - from }, (_, i) => from + i)
  return vectors.map((vector) => gather(vector, own))
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
