import type { PartitionColumnType } from '../../iceberg/partition/partition-spec.ts'
import { scalar, type ColumnType } from '../../iceberg/schema/types.ts'
import type { ParquetColumn } from '../../parquet/column.ts'
import type { Connection } from '../../postgres/connection/connect.ts'
import { copyRange } from '../../postgres/copy-range.ts'
import { createDecoder } from '../../postgres/copy/decoder.ts'
import { LockUnavailable } from '../../postgres/errors.ts'
import type { KeptReader } from '../../postgres/kept-reader.ts'
import { lockForReading, type SnapshotAccess } from '../../postgres/snapshot.ts'
import type { TablePlan } from '../../postgres/source/plan.ts'
import { openSpool } from '../../storage/spool.ts'
import type { PartitionRows, PartitionSource } from '../../iceberg/partition/split-rows.ts'
import { createPartitioner } from './partitioner.ts'

/** What one reader does: its share of the ranges of a table. Plain data, may cross threads. */
export interface ReadRequest {
  readonly access: SnapshotAccess
  readonly plan: TablePlan
  readonly partition: readonly PartitionSource[]
  readonly groupRows: number
  readonly groupBytes: number
  readonly maxRowBytes: number
  /** Local folder where rows of many partitions wait, a path. */
  readonly scratch: string
  /** One 32-bit counter that all readers share: the next range that nobody has taken. */
  readonly next: Int32Array
}

export type ReadResult =
  | {
      readonly kind: 'read'
      readonly rows: number
      /** How many values `--lossy-cast` changed, by column. */
      readonly changed: Readonly<Record<string, number>>
    }
  /** The table could not be locked without waiting; other readers take the ranges (export-spec §1.2). */
  | { readonly kind: 'locked out'; readonly message: string }

/** Takes the rows of what becomes one row group; while its promise is pending the server is not read from. */
export type TakeRows = (rows: PartitionRows) => Promise<void>

/** Batches are taken apart by partition while they are small: their rows are gathered with random access. */
const partitionBatchBytes = 2 * 2 ** 20

/**
 * Reads ranges until none is left: COPY, decoded into columns, taken apart by partition. Memory: a few row groups and
 * the largest row, whatever the number of partitions; `scratch` takes the rest.
 */
export async function readTable(
  request: ReadRequest,
  reader: KeptReader,
  take: TakeRows,
  signal: AbortSignal,
): Promise<ReadResult> {
  const { access, plan, partition, groupRows, groupBytes } = request
  const read = async (connection: Connection): Promise<ReadResult> => {
    try {
      await lockForReading(connection, plan)
    } catch (error) {
      if (!(error instanceof LockUnavailable)) throw error
      return { kind: 'locked out', message: error.message }
    }
    const decoder = createDecoder({
      columns: plan.columns,
      checkUtf8: plan.checkUtf8,
      hashKey: plan.hashKey,
      ...(plan.estimatedRows !== undefined && { likelyRows: plan.estimatedRows }),
      groupRows,
      groupBytes: partition.length === 0 ? groupBytes : Math.min(groupBytes, partitionBatchBytes),
      maxRowBytes: request.maxRowBytes,
    })
    // What waits for more of its partition is one row group together: every reader holds that much.
    const limits = { groupRows, groupBytes, heldBytes: groupBytes }
    const partitioner = createPartitioner(partition, limits, () => openSpool(request.scratch))
    let rows = 0
    try {
      for (let index = takeNext(request.next); index < plan.ranges.length; index = takeNext(request.next)) {
        rows += await copyRange(
          connection,
          access,
          plan,
          plan.ranges[index]!,
          decoder,
          async ({ vectors }) => {
            for (const part of await partitioner.add(vectors)) await take(part)
          },
        )
      }
      for (let group = decoder.take(true); group !== undefined; group = decoder.take(true)) {
        for (const part of await partitioner.add(group.vectors)) await take(part)
      }
      for await (const part of partitioner.finish()) await take(part)
      return { kind: 'read', rows, changed: decoder.changed() }
    } finally {
      await partitioner.close()
    }
  }
  return reader.use(access, signal, read, plan.runsFunctions)
}

const takeNext = (next: Int32Array): number => Atomics.add(next, 0, 1)

/** The partition fields of a spec with the columns that they are computed from. */
export const partitionSources = (
  fields: readonly PartitionColumnType[],
  columns: readonly ParquetColumn[],
  types: readonly ColumnType[],
): PartitionSource[] =>
  fields.map((field) => {
    const column = columns.findIndex(({ fieldId }) => fieldId === field.sourceId)
    return { field, column, type: scalar(types[column]!) }
  })
