import { splitRows, type PartitionRows, type PartitionSource } from '../../iceberg/partition/split-rows.ts'
import type { Value } from '../../iceberg/schema/types.ts'
import type { Spool } from '../../storage/spool.ts'
import { aligned, concatenate, gather, sizeOf, trimmed } from '../../vector/gather.ts'
import { reuseVectors } from '../../vector/vector-memory.ts'
import type { ColumnVector } from '../../vector/vector.ts'

export interface Partitioner {
  /** Takes a batch, and its memory; returns what is large enough to be a row group. One call at a time. */
  add(vectors: readonly ColumnVector[]): Promise<PartitionRows[]>
  /** Everything that is left, partition by partition, a row group in memory at a time. */
  finish(): AsyncIterable<PartitionRows>
  /** Gives the spool back; to be called in any case. */
  close(): Promise<void>
}

export interface PartitionerLimits {
  /** A partition's rows are given out at that many, and never more at once, … */
  readonly groupRows: number
  /** … at that many bytes, or before they would be more … */
  readonly groupBytes: number
  /** When all partitions together hold that many, the largest one's are, if they are worth a row group; else all wait on disk. */
  readonly heldBytes: number
}

/** The share of what is held that is worth a row group: up to about so many partitions in mixed order nothing goes to disk. */
const largestShares = 64
/** Bytes of a piece below which its arrays would take more than its values. */
const leastPiece = 4096

interface Held {
  readonly partition: readonly (Value | null)[]
  readonly pieces: (readonly ColumnVector[])[]
  rows: number
  bytes: number
  /** With the arrays' own. */
  memory: number
}

/** What an array takes beside its values, about: pieces of small partitions are many. */
const arrayBytes = 256

/**
 * Collects rows by partition until they make a row group; without fields it passes batches through. However many partitions
 * there are and however their rows are mixed, each has row groups as large as they can be: rows of many small ones wait in a
 * spool (`openSpool` is called when the first one has to), and come back together.
 */
export function createPartitioner(
  sources: readonly PartitionSource[],
  { groupRows, groupBytes, heldBytes }: PartitionerLimits,
  openSpool: () => Promise<Spool>,
): Partitioner {
  const held = new Map<string, Held>()
  /** Partitions with rows in the spool, by key. */
  const spilled = new Map<string, Held['partition']>()
  let spool: Spool | undefined
  let total = 0
  /** Batches that are taken apart together, once they are `batchBytes`: so that pieces are not of a few rows each. */
  let batches: (readonly ColumnVector[])[] = []
  let batchedBytes = 0
  let batchBytes = 0

  const take = (key: string, { partition, pieces, memory }: Held): PartitionRows => {
    held.delete(key)
    total -= memory
    return { partition, vectors: joined(pieces) }
  }
  /** Gives out what is held of the partition if the piece makes it too large, or full. */
  const hold = (
    key: string,
    partition: Held['partition'],
    piece: readonly ColumnVector[],
    complete: PartitionRows[],
  ): void => {
    const bytes = bytesOf(piece)
    const before = held.get(key)
    if (before !== undefined && before.bytes + bytes > groupBytes) complete.push(take(key, before))
    const entry = held.get(key) ?? { partition, pieces: [], rows: 0, bytes: 0, memory: 0 }
    held.set(key, entry)
    entry.pieces.push(piece)
    entry.rows += piece[0]!.rows
    entry.bytes += bytes
    const memory = bytes + arrayBytes * piece.length
    entry.memory += memory
    total += memory
    if (entry.rows === groupRows || entry.bytes >= groupBytes) complete.push(take(key, entry))
  }
  const largest = (): [string, Held] => {
    const [first, ...others] = [...held]
    if (first === undefined) throw new TypeError('nothing is held')
    return others.reduce((best, other) => (other[1].bytes > best[1].bytes ? other : best), first)
  }

  /** Takes rows of one partition, cut where they would be more than a row group's. */
  const place = ({ partition, vectors: rows }: PartitionRows, complete: PartitionRows[]): void => {
    const key = keyOf(partition)
    const count = rows[0]!.rows
    const room = (): number => groupRows - (held.get(key)?.rows ?? 0)
    if (count <= room()) {
      hold(key, partition, rows, complete)
      return
    }
    for (let from = 0, to = room(); from < count; from = to, to = Math.min(count, from + room()))
      hold(key, partition, slice(rows, from, to), complete)
    reuseVectors(rows)
  }
  const placeBatches = (complete: PartitionRows[]): void => {
    if (batches.length === 0) return
    const vectors = joined(batches)
    const parts = splitRows(sources, vectors)
    if (parts.length > 1) reuseVectors(vectors)
    if (parts.length > largestShares && batchedBytes < parts.length * leastPiece) batchBytes = heldBytes / 4
    batches = []
    batchedBytes = 0
    for (const rows of parts) place(rows, complete)
  }
  const spill = async (): Promise<void> => {
    spool ??= await openSpool()
    for (const [key, entry] of [...held]) {
      const { partition, vectors } = take(key, entry)
      spilled.set(key, partition)
      await spool.add(key, vectors.map(trimmed))
      reuseVectors(vectors)
    }
  }

  return {
    async add(vectors) {
      if (sources.length === 0) return [{ partition: [], vectors }]
      const complete: PartitionRows[] = []
      batches.push(vectors)
      batchedBytes += bytesOf(vectors)
      if (batchedBytes < batchBytes) return complete
      placeBatches(complete)
      while (total > heldBytes) {
        const [key, entry] = largest()
        if (entry.bytes * largestShares >= heldBytes) complete.push(take(key, entry))
        else await spill()
      }
      return complete
    },
    async *finish() {
      const complete: PartitionRows[] = []
      placeBatches(complete)
      yield* complete
      for (const key of [...new Set([...held.keys(), ...spilled.keys()])].sort()) {
        const partition = spilled.get(key)
        if (partition !== undefined && spool !== undefined) {
          for await (const { value } of spool.records(key)) {
            const complete: PartitionRows[] = []
            place({ partition, vectors: (value as ColumnVector[]).map(aligned) }, complete)
            yield* complete
          }
        }
        const rest = held.get(key)
        if (rest !== undefined) yield take(key, rest)
      }
      spilled.clear()
    },
    async close() {
      await spool?.remove()
    },
  }
}

const bytesOf = (vectors: readonly ColumnVector[]): number =>
  vectors.reduce((sum, vector) => sum + sizeOf(vector), 0)

/** Pieces of the same columns, one behind the other; takes their memory. */
function joined(pieces: readonly (readonly ColumnVector[])[]): readonly ColumnVector[] {
  const [first] = pieces
  if (first === undefined) throw new TypeError('no rows to put together')
  if (pieces.length === 1) return first
  const vectors = first.map((_, column) => concatenate(pieces.map((piece) => piece[column]!)))
  pieces.forEach(reuseVectors)
  return vectors
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

function slice(vectors: readonly ColumnVector[], from: number, to: number): ColumnVector[] {
  const own = Int32Array.from({ length: to - from }, (_, i) => from + i)
  return vectors.map((vector) => gather(vector, own))
}
