import { JobError } from '../../errors.ts'
import { tableText, type Catalog, type Table } from '../../iceberg/catalog/catalog.ts'
import type { Predicate } from '../../iceberg/expression/predicate.ts'
import type { DataFile } from '../../iceberg/manifest/data-file.ts'
import type { TableRequirement } from '../../iceberg/metadata/requirements.ts'
import type { TableUpdate } from '../../iceberg/metadata/updates.ts'
import { commitSnapshot, type CommitEffects, type CommitResult } from '../../iceberg/snapshot/commit.ts'
import { overwrite } from '../../iceberg/snapshot/operations.ts'
import type { AttemptBase } from '../../iceberg/snapshot/snapshot-request.ts'
import { compareReads, otherRead, provenanceEntries, type Replaced, type SourceRead } from '../provenance.ts'
import { fingerprintUpdates } from '../table-rows.ts'

/** What a run is compared by with what is there. */
export type Reader = Pick<SourceRead, 'source' | 'sourceTime'>

/** Two reads of one source whose times cannot both be right: exit 4, so that nothing stays stale unseen. */
export const aheadError = (
  place: string,
  { sourceTime }: Reader,
  entries: Readonly<Record<string, string>>,
  fix: string,
): JobError =>
  new JobError(
    'conflict',
    `${place} says that it was read at ${otherRead(entries)?.sourceTime ?? 'some time'}, more than an hour after this run's ${sourceTime}`,
    { field: place, fix },
  )

/** What was read of a source on its way into a table: files for a commit, and what they come in place of. */
export interface StagedRead {
  /** As it was loaded, or staged when it is new, before the source was read. */
  readonly table: Table
  readonly read: SourceRead
  readonly replaced: Replaced
  /** The rows of `replaced`. */
  readonly filter: Predicate
  /** What helps when a file has rows on both sides of it. */
  readonly fix?: string
  readonly addFiles: readonly DataFile[]
  /** Schema and spec changes of the same commit, and what they rest on. */
  readonly updates?: readonly TableUpdate[]
  readonly requirements?: readonly TableRequirement[]
}

/** A commit is compared with those that came while it read only. */
const aheadFix = 'set the source’s clock right if it is behind; then run again, which replaces what is there'

/**
 * Replaces rows of a table by files in one snapshot, with what is to be known of their source in its summary and in the
 * table's fingerprints. A later read of the same source that came first is left as it is (export-spec §3.7). Errors: those of
 * `commitSnapshot`; `JobError` conflict for a read whose time cannot be right.
 */
export function commitRead(
  catalog: Catalog,
  { table, read, replaced, filter, fix, addFiles, updates = [], requirements = [] }: StagedRead,
  effects: CommitEffects,
): Promise<CommitResult> {
  const rows = { filter, ...(fix !== undefined && { fix }) }
  const upon = {
    metadata: table.metadata,
    summary: provenanceEntries(read, replaced),
    tableUpdates: updates,
    updatesUpon: ({ parent, snapshotId, ...base }: AttemptBase) =>
      fingerprintUpdates(base, parent, snapshotId, { read, replaced }),
    tableRequirements: requirements,
  }
  const request = overwrite(upon, rows, addFiles, (summary) => {
    const age = compareReads(read, replaced, summary)
    if (age === 'ahead') throw aheadError(tableText(table.identifier), read, summary, aheadFix)
    return age
  })
  return commitSnapshot(catalog, table, request, effects)
}
