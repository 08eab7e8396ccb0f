import type { FieldSummary } from '../partition/partition-value.ts'
import type { Value } from '../schema/types.ts'

/** What a file holds (field 134). */
export const fileContent = { data: 0, positionDeletes: 1, equalityDeletes: 2 } as const

/** A manifest entry's status (field 0). */
export const entryStatus = { existing: 0, added: 1, deleted: 2 } as const

/** A data or delete file with its metrics (spec "Data File Fields"); maps are keyed by column id. */
export interface DataFile {
  readonly content: number
  readonly filePath: string
  /** `PARQUET`, `AVRO` or `ORC`. */
  readonly fileFormat: string
  /** The spec its partition tuple belongs to; not in the manifest's entries, but in its header. */
  readonly specId: number
  /** In the order of the spec's fields. */
  readonly partition: readonly (Value | null)[]
  readonly recordCount: number
  /** Exact: readers find the Parquet footer by it. */
  readonly fileSizeInBytes: number
  readonly columnSizes?: ReadonlyMap<number, number>
  /** NULLs and NaNs included. */
  readonly valueCounts?: ReadonlyMap<number, number>
  readonly nullValueCounts?: ReadonlyMap<number, number>
  readonly nanValueCounts?: ReadonlyMap<number, number>
  /** Single-value serialisation (spec App. D), perhaps truncated. */
  readonly lowerBounds?: ReadonlyMap<number, Uint8Array>
  readonly upperBounds?: ReadonlyMap<number, Uint8Array>
  readonly keyMetadata?: Uint8Array
  /** Ascending. */
  readonly splitOffsets?: readonly number[]
  readonly equalityIds?: readonly number[]
  readonly sortOrderId?: number
  /** The one data file whose rows a delete file names. */
  readonly referencedDataFile?: string
  /** The row lineage of format version 3: the id of the file's first row. */
  readonly firstRowId?: bigint
  /** Where a deletion vector is in its Puffin file, and how long (version 3). */
  readonly contentOffset?: number
  readonly contentSizeInBytes?: number
}

/** One entry of a manifest. Undefined numbers are inherited from the manifest list (spec "Inheritance"). */
export interface ManifestEntry {
  readonly status: number
  readonly snapshotId: bigint | undefined
  readonly sequenceNumber: number | undefined
  readonly fileSequenceNumber: number | undefined
  readonly dataFile: DataFile
}

/** One manifest as a manifest list has it. */
export interface ManifestFile {
  readonly manifestPath: string
  readonly manifestLength: number
  readonly partitionSpecId: number
  /** 0 data, 1 deletes. */
  readonly content: number
  readonly sequenceNumber: number
  /** Least data sequence number of its live entries. */
  readonly minSequenceNumber: number
  readonly addedSnapshotId: bigint
  readonly addedFilesCount: number
  readonly existingFilesCount: number
  readonly deletedFilesCount: number
  readonly addedRowsCount: number
  readonly existingRowsCount: number
  readonly deletedRowsCount: number
  /** One per field of the spec. */
  readonly partitions?: readonly FieldSummary[]
  readonly keyMetadata?: Uint8Array
  /** Row lineage (version 3): where the ids of its added rows start. */
  readonly firstRowId?: bigint
}
