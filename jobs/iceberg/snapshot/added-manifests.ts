import type { FileIO } from '../../storage/file-io.ts'
import { entryStatus, fileContent, type DataFile, type ManifestEntry } from '../manifest/data-file.ts'
import { encodeManifest } from '../manifest/manifest.ts'
import { manifestTargetBytes } from '../manifest/merging.ts'
import { currentSchema, type TableMetadata } from '../metadata/metadata.ts'
import { fieldSummaries } from '../partition/partition-value.ts'
import type { PartitionColumnType } from '../partition/partition-spec.ts'
import { syncSize } from '../avro/header.ts'
import { writeTableFile, type ProducerState, type WrittenManifest } from './producer-state.ts'
import type { SnapshotRequest } from './snapshot-request.ts'
import { specTypeOf } from '../manifest/table-files.ts'
import { metadataFolder } from '../metadata/locations.ts'

/** Fewer are not split further, as in Java: a manifest's header has a size of its own. */
const fewEntries = 250

/**
 * Writes the manifests of the files that a request adds, one for each spec and kind of content, several where one would
 * be larger than `commit.manifest.target-size-bytes`. Sequence numbers stay null and are inherited, so that a retry
 * needs no new manifest (spec "Sequence Number Inheritance").
 */
export async function addedManifests(
  io: FileIO,
  metadata: TableMetadata,
  request: SnapshotRequest,
  state: ProducerState,
): Promise<WrittenManifest[]> {
  const groups = new Map<string, DataFile[]>()
  for (const file of request.addFiles) {
    const key = `${file.specId} ${manifestContent(file)}`
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [file])
    else group.push(file)
  }
  const target = manifestTargetBytes(metadata.properties)
  const written: WrittenManifest[] = []
  for (const files of groups.values()) {
    const entries = files.map((dataFile): ManifestEntry => ({
      status: entryStatus.added,
      snapshotId: state.snapshotId,
      sequenceNumber: request.dataSequenceNumber,
      fileSequenceNumber: undefined,
      dataFile,
    }))
    const [first] = files
    const { specId } = first!
    const manifests = await writeManifests(
      io,
      metadata,
      state,
      { specId, content: manifestContent(first!) },
      entries,
      target,
    )
    for (const manifest of manifests)
      written.push({ manifest, minSequenceNumber: request.dataSequenceNumber })
  }
  return written
}

const manifestContent = (file: DataFile): number => (file.content === fileContent.data ? 0 : 1)

/** What all entries of a manifest share. */
interface EntryKind {
  readonly specId: number
  /** 0 data, 1 deletes. */
  readonly content: number
}

/**
 * Writes manifests of this commit, of about `targetBytes` at most (Infinity: one), and describes them for the list.
 */
export async function writeManifests(
  io: FileIO,
  metadata: TableMetadata,
  state: ProducerState,
  { specId, content }: EntryKind,
  entries: readonly ManifestEntry[],
  targetBytes: number,
): Promise<WrittenManifest['manifest'][]> {
  const { spec, type } = specTypeOf(metadata, specId)
  const kind = { schema: currentSchema(metadata), spec, partition: type, content }
  const bytes = await encodeManifest(kind, entries, state.randomBytes(syncSize))
  if (bytes.length > targetBytes && entries.length > fewEntries) {
    const half = Math.ceil(entries.length / 2)
    const parts = [entries.slice(0, half), entries.slice(half)]
    const written: WrittenManifest['manifest'][] = []
    for (const part of parts)
      written.push(...(await writeManifests(io, metadata, state, { specId, content }, part, targetBytes)))
    return written
  }
  const location = `${metadataFolder(metadata)}/${state.commitUuid}-m${state.manifestCount++}.avro`
  await writeTableFile(io, state, location, bytes)
  const described = {
    manifestPath: location,
    manifestLength: bytes.length,
    partitionSpecId: specId,
    content,
    addedSnapshotId: state.snapshotId,
    ...countsOf(entries, type),
  }
  return [described]
}

function countsOf(
  entries: readonly ManifestEntry[],
  type: readonly PartitionColumnType[],
): Omit<
  WrittenManifest['manifest'],
  'manifestPath' | 'manifestLength' | 'partitionSpecId' | 'content' | 'addedSnapshotId'
> {
  const files = (status: number): number => entries.filter((entry) => entry.status === status).length
  const rows = (status: number): number =>
    entries.reduce((sum, entry) => sum + (entry.status === status ? entry.dataFile.recordCount : 0), 0)
  return {
    addedFilesCount: files(entryStatus.added),
    existingFilesCount: files(entryStatus.existing),
    deletedFilesCount: files(entryStatus.deleted),
    addedRowsCount: rows(entryStatus.added),
    existingRowsCount: rows(entryStatus.existing),
    deletedRowsCount: rows(entryStatus.deleted),
    // Readers of deleted entries prune by the summaries too, so all entries count.
    partitions: fieldSummaries(
      type,
      entries.map((entry) => entry.dataFile.partition),
    ),
  }
}
