import type { DataFile } from './data-file.ts'
import type { TableMetadata } from './metadata.ts'
import type { TableRequirement } from './requirements.ts'
import type { RowFilter } from './row-filter.ts'
import type { Operation } from './snapshot-summary.ts'
import type { TableUpdate } from './updates.ts'

/** Which live files a snapshot removes: those whose rows match a filter, or some by their paths. */
export type FileSelection =
  | { readonly kind: 'rows'; readonly filter: RowFilter }
  | { readonly kind: 'paths'; readonly paths: ReadonlySet<string> }

/** One snapshot to be produced: append, overwrite, delete or replace (compaction) are all this. */
export interface SnapshotRequest {
  /** The branch's snapshot when the source was read; undefined for none. Later ones are checked for conflicts. */
  readonly startingSnapshotId: bigint | undefined
  readonly branch: string
  readonly operation: Operation
  /** Written already, under specs of the table as `tableUpdates` leave it. */
  readonly addFiles: readonly DataFile[]
  readonly removeFiles?: FileSelection
  /** Of the added files, instead of the snapshot's own: compaction keeps the rows' age. */
  readonly dataSequenceNumber?: number
  /** Files of others since `startingSnapshotId` that this filter touches are a conflict. */
  readonly conflictFilter?: RowFilter
  /** Further checks of the metadata that is committed upon; they throw. */
  readonly validations?: readonly ((base: TableMetadata) => void)[]
  /**
   * What a conflicting snapshot, by its summary, is to this one (export-spec §3.7): `newer` makes this one
   * pointless, `older` is an earlier read of the same source, whose rows this one may replace; undefined: foreign.
   */
  readonly compareWith?: (summary: Readonly<Record<string, string>>) => 'newer' | 'older' | undefined
  /** Further summary entries. */
  readonly summary: Readonly<Record<string, string>>
  /** Schema, spec and property changes of the same commit, and what they rest on. */
  readonly tableUpdates: readonly TableUpdate[]
  readonly tableRequirements: readonly TableRequirement[]
}
