import type { Catalog, Table } from '../../iceberg/catalog/catalog.ts'
import { entryStatus, type DataFile, type ManifestEntry } from '../../iceberg/manifest/data-file.ts'
import { commitSnapshot, type CommitEffects } from '../../iceberg/snapshot/commit.ts'
import { replaceFiles } from '../../iceberg/snapshot/operations.ts'
import { fingerprintUpdates } from '../../provenance/table-rows.ts'
import type { Batch } from './batches.ts'

/**
 * Puts files in the place of a batch's, upon the table that the batch was planned for: each of its files must still be there, no
 * rows of them deleted since, and the schema the same. No row changes, so what is known of the rows stays valid, and the snapshot
 * says nothing of a source. Errors: those of `commitSnapshot`.
 */
export async function commitBatch(
  catalog: Catalog,
  table: Table,
  { groups, dangling }: Batch,
  files: readonly DataFile[],
  effects: CommitEffects,
): Promise<void> {
  const removed = groups.flatMap((group) => [
    ...group.files.map(({ file, sequenceNumber, snapshotId }): ManifestEntry => ({
      status: entryStatus.existing,
      snapshotId,
      sequenceNumber,
      fileSequenceNumber: undefined,
      dataFile: file,
    })),
    ...group.deletes,
  ])
  const request = replaceFiles(
    {
      metadata: table.metadata,
      updatesUpon: ({ parent, snapshotId, ...base }) => fingerprintUpdates(base, parent, snapshotId),
    },
    [...removed, ...dangling],
    files,
  )
  await commitSnapshot(catalog, table, request, effects)
}
