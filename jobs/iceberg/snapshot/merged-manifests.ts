import { mapConcurrently } from '../../concurrency.ts'
import { dataError } from '../../errors.ts'
import type { FileIO } from '../../storage/file-io.ts'
import { entryStatus, type ManifestEntry, type ManifestFile } from '../manifest/data-file.ts'
import { isLive, readManifest } from '../manifest/table-files.ts'
import type { TableMetadata } from '../metadata/metadata.ts'
import { writeManifests } from './added-manifests.ts'
import type { ProducerState, WrittenManifest } from './producer-state.ts'

const manifestsAtOnce = 8

/**
 * One manifest with the live entries of several, of one spec and content: each EXISTING, with the snapshot that added its file
 * and both sequence numbers said, as nothing is inherited any more (spec "Sequence Number Inheritance"); what is DELETED does not
 * come back. An attempt that finds the same manifests takes the one written before. Errors: `JobError` data for an entry whose
 * numbers nobody knows.
 */
export async function mergedManifest(
  table: string,
  io: FileIO,
  metadata: TableMetadata,
  group: readonly ManifestFile[],
  state: ProducerState,
): Promise<WrittenManifest> {
  const key = group.map(({ manifestPath }) => manifestPath).join('\n')
  const known = state.merged.get(key)
  if (known !== undefined) return known
  const read = await mapConcurrently(group, manifestsAtOnce, (manifest) =>
    readManifest(io, metadata, manifest),
  )
  const entries = read
    .flat()
    .filter(isLive)
    .map((entry): ManifestEntry => ({ ...entry, status: entryStatus.existing }))
  const unknown = entries.find(
    (entry) =>
      entry.snapshotId === undefined ||
      entry.sequenceNumber === undefined ||
      entry.fileSequenceNumber === undefined,
  )
  if (unknown !== undefined)
    throw dataError(
      `table ${table} has a manifest that does not say when ${unknown.dataFile.filePath} came`,
      {
        field: table,
        fix: 'leave its manifests as they are: set its property commit.manifest-merge.enabled to false',
      },
    )
  const { partitionSpecId: specId, content } = group[0]!
  const [manifest] = await writeManifests(io, metadata, state, { specId, content }, entries, Infinity)
  const written = {
    manifest: manifest!,
    minSequenceNumber: entries.reduce((least, entry) => Math.min(least, entry.sequenceNumber!), Infinity),
  }
  state.merged.set(key, written)
  return written
}
