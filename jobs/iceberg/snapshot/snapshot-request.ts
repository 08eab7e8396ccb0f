import type { FileIO } from '../../storage/file-io.ts'
import type { DataFile, ManifestEntry } from '../manifest/data-file.ts'
import type { Snapshot, TableMetadata } from '../metadata/metadata.ts'
import type { TableRequirement } from '../metadata/requirements.ts'
import type { Predicate } from '../expression/predicate.ts'
import type { Operation } from './snapshot-summary.ts'
import type { TableUpdate } from '../metadata/updates.ts'

/** Which live files a snapshot removes: those whose rows match a filter, or some by their paths. */
export type FileSelection =
  | {
      readonly kind: 'rows'
      readonly filter: Predicate
      /** What helps when a file has rows on both sides. */
      readonly fix?: string
    }
  | { readonly kind: 'paths'; readonly paths: ReadonlySet<string> }

/** Which commits of others since the starting snapshot are in the way. */
export type Conflicts = RowConflicts | DeleteConflicts

/** Those that added or removed files with rows that match, delete files too. */
export interface RowConflicts {
  readonly kind: 'rows'
  readonly filter: Predicate
  /**
   * What a conflicting snapshot, by its summary, is to this one (export-spec §3.7): `newer` makes this one
   * pointless, `older` is an earlier read of the same source, whose rows this one may replace; undefined: foreign.
   */
  readonly compareWith?: (summary: Readonly<Record<string, string>>) => 'newer' | 'older' | undefined
}

/** Those that deleted rows of files which this snapshot puts into others: in these the rows would be back. */
export interface DeleteConflicts {
  readonly kind: 'deletes'
  readonly removed: readonly ManifestEntry[]
}

/** The table as an attempt finds it, with the updates that the request always makes. */
export interface AttemptBase {
  readonly io: FileIO
  readonly metadata: TableMetadata
  /** What the new snapshot comes upon. */
  readonly parent: Snapshot | undefined
  /** The new snapshot's. */
  readonly snapshotId: bigint
}

/** One snapshot to be produced; operations.ts makes it. */
export interface SnapshotRequest {
  /** The branch's snapshot when the source was read; undefined for none. Later ones are checked for conflicts. */
  readonly startingSnapshotId: bigint | undefined
  readonly branch: string
  readonly operation: Operation
  /** Written already, under specs of the table as `tableUpdates` leave it. */
  readonly addFiles: readonly DataFile[]
  readonly removeFiles?: FileSelection
  /** Puts small manifests together, by the plan for those that an attempt finds. */
  readonly mergeManifests?: boolean
  /** Of the added files, instead of the snapshot's own: compaction keeps the rows' age. */
  readonly dataSequenceNumber?: number
  /** Undefined: nothing that others commit is in the way. */
  readonly conflicts?: Conflicts
  /** Further summary entries. */
  readonly summary: Readonly<Record<string, string>>
  /** Schema, spec and property changes of the same commit, and what they rest on. */
  readonly tableUpdates: readonly TableUpdate[]
  /** Updates that depend on what others have committed; made anew by each attempt, and only where a snapshot comes of it. */
  readonly updatesUpon?: (base: AttemptBase) => Promise<readonly TableUpdate[]>
  readonly tableRequirements: readonly TableRequirement[]
}
