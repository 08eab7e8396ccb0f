import { dataError } from '../../errors.ts'
import type { Predicate } from '../expression/predicate.ts'
import { fileContent, type DataFile, type ManifestEntry } from '../manifest/data-file.ts'
import { branchSnapshot, mainBranch, type TableMetadata } from '../metadata/metadata.ts'
import type { TableRequirement } from '../metadata/requirements.ts'
import type { TableUpdate } from '../metadata/updates.ts'
import type { RowConflicts, SnapshotRequest } from './snapshot-request.ts'

/** What every operation has. */
export interface Upon {
  /** The table as it was when the source was read: later commits are the ones that may be in the way. */
  readonly metadata: TableMetadata
  /** `main` without. */
  readonly branch?: string
  /** Further summary entries. */
  readonly summary?: Readonly<Record<string, string>>
  /** Schema, spec and property changes of the same commit, and what they rest on. */
  readonly tableUpdates?: readonly TableUpdate[]
  readonly updatesUpon?: SnapshotRequest['updatesUpon']
  readonly tableRequirements?: readonly TableRequirement[]
}

/** The rows that an operation is about. */
export interface Rows {
  readonly filter: Predicate
  /** What helps when a file has rows on both sides. */
  readonly fix?: string
}

/** Adds files. Whatever others commit meanwhile stays beside them. */
export const append = (upon: Upon, addFiles: readonly DataFile[]): SnapshotRequest => ({
  ...common(upon),
  operation: 'append',
  addFiles,
})

/**
 * Replaces rows by files. What others added, removed or deleted among them since is a conflict, unless `compareWith`
 * knows better; a compaction is none, and goes with the rows that it moved.
 */
export const overwrite = (
  upon: Upon,
  { filter, fix }: Rows,
  addFiles: readonly DataFile[],
  compareWith?: RowConflicts['compareWith'],
): SnapshotRequest => ({
  ...common(upon),
  operation: 'overwrite',
  addFiles,
  removeFiles: { kind: 'rows', filter, ...(fix !== undefined && { fix }) },
  conflicts: { kind: 'rows', filter, ...(compareWith && { compareWith }) },
})

/** Removes rows, files at a time. Those that others added meanwhile go with them: the filter says what is to be gone. */
export const deleteRows = (upon: Upon, { filter, fix }: Rows): SnapshotRequest => ({
  ...common(upon),
  operation: 'delete',
  addFiles: [],
  removeFiles: { kind: 'rows', filter, ...(fix !== undefined && { fix }) },
})

/**
 * Puts the same rows into other files (compaction): `removed` are entries of the snapshot that `upon` has, with every
 * delete file that applies to them applied, `addFiles` what was made of them. The rows keep that snapshot's age, so
 * that equality deletes which arrive later still find them. Appends of others are none of its business; one of its files
 * that is gone, rows of them that were deleted by position, and another schema are conflicts. Errors: `JobError` data
 * for what is no compaction.
 */
export function replaceFiles(
  upon: Upon,
  removed: readonly ManifestEntry[],
  addFiles: readonly DataFile[],
): SnapshotRequest {
  const { metadata, branch = mainBranch } = upon
  const starting = branchSnapshot(metadata, branch)
  if (starting === undefined || removed.length === 0)
    throw dataError('there are no files to put into others', { field: branch })
  if (addFiles.some(({ content }) => content !== fileContent.data))
    throw dataError('rows can be put into data files only', { field: branch })
  const request = common(upon)
  return {
    ...request,
    operation: 'replace',
    addFiles,
    removeFiles: { kind: 'paths', paths: new Set(removed.map(({ dataFile }) => dataFile.filePath)) },
    dataSequenceNumber: starting['sequence-number'],
    conflicts: { kind: 'deletes', removed },
    tableRequirements: [
      ...request.tableRequirements,
      { type: 'assert-current-schema-id', 'current-schema-id': metadata['current-schema-id'] },
    ],
  }
}

/**
 * Puts small manifests together and leaves all files and rows as they are. Nothing that others commit is in the way: each attempt
 * plans by the manifests that it finds. Errors: `JobError` data for a table of another format version than 2, whose entries have
 * other numbers.
 */
export function mergeManifests(upon: Upon): SnapshotRequest {
  const version = upon.metadata['format-version']
  if (version !== 2)
    throw dataError(`manifests of format version ${version} are not put together`, {
      field: 'format-version',
      fix: 'put them together with Spark (rewrite_manifests)',
    })
  return { ...common(upon), operation: 'replace', addFiles: [], mergeManifests: true }
}

const common = ({
  metadata,
  branch = mainBranch,
  summary = {},
  tableUpdates = [],
  updatesUpon,
  tableRequirements = [],
}: Upon): Pick<
  SnapshotRequest,
  'startingSnapshotId' | 'branch' | 'summary' | 'tableUpdates' | 'updatesUpon' | 'tableRequirements'
> => ({
  startingSnapshotId: branchSnapshot(metadata, branch)?.['snapshot-id'],
  branch,
  summary,
  tableUpdates,
  ...(updatesUpon !== undefined && { updatesUpon }),
  tableRequirements,
})
