import type { FileIO } from '../../storage/file-io.ts'
import { ValidationError } from '../errors.ts'
import { entryStatus, fileContent, type ManifestEntry } from '../manifest/data-file.ts'
import { deleteIndex } from '../manifest/delete-index.ts'
import { isUnpartitionedSpec } from '../manifest/table-files.ts'
import type { Snapshot, TableMetadata } from '../metadata/metadata.ts'
import { ownEntries } from './conflicts.ts'
import type { SnapshotRequest } from './snapshot-request.ts'

/**
 * Refuses to put files into others when a later snapshot deleted rows of them: positions name the files that go, and the
 * rows would be back. An equality delete is tolerated where it still applies: to added files of the age that the rows
 * had, under the one spec that they were in, so that each row is still in its partition. Errors: `ValidationError`.
 */
export async function assertNoneDeleted(
  table: string,
  io: FileIO,
  metadata: TableMetadata,
  since: readonly Snapshot[],
  removed: readonly ManifestEntry[],
  { addFiles, dataSequenceNumber }: Pick<SnapshotRequest, 'addFiles' | 'dataSequenceNumber'>,
): Promise<void> {
  const data = removed.filter(({ dataFile }) => dataFile.content === fileContent.data)
  const specs = new Set([...data.map(({ dataFile }) => dataFile), ...addFiles].map(({ specId }) => specId))
  const equalityStillApplies = dataSequenceNumber !== undefined && specs.size === 1
  for (const snapshot of since) {
    // It deletes nothing anew: the delete files that it adds say what others said before.
    if (snapshot.summary['operation'] === 'replace') continue
    const deletes: ManifestEntry[] = []
    for await (const entry of ownEntries(io, metadata, snapshot, ({ content }) => content === 1))
      if (entry.status === entryStatus.added) deletes.push(entry)
    const deletesOf = deleteIndex(deletes, (specId) => isUnpartitionedSpec(metadata, specId))
    for (const { dataFile, sequenceNumber } of data) {
      const { vector, positions, equalities } = deletesOf(dataFile, sequenceNumber ?? 0)
      const lost = [...(vector ? [vector] : []), ...positions, ...(equalityStillApplies ? [] : equalities)]
      if (lost.length > 0)
        throw new ValidationError(
          table,
          `table ${table} was changed while this job ran: snapshot ${snapshot['snapshot-id']} deleted rows of ${dataFile.filePath}`,
        )
    }
  }
}
