import type { SnapshotChoice } from '../lake/snapshot-choice.ts'
import type { SourceOf } from '../provenance/source.ts'

/** Lists that are shown, or for JSON added. */
export interface Views {
  readonly files: boolean
  readonly snapshots: boolean
  readonly partitions: boolean
  /** What the table's folders hold, by who needs it. */
  readonly storage: boolean
  /** Every object of the Parquet export and of the Iceberg table. */
  readonly tree: boolean
}

export interface InspectOptions {
  /** Names of tables in the catalog; undefined: all of them. */
  readonly tables: readonly string[] | undefined
  /** The namespace of tables from `public`. */
  readonly namespace: string
  readonly choice: SnapshotChoice
  readonly sourceOf: SourceOf
  readonly views: Views
}
