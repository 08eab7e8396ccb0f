import type { FileIO } from '../../storage/file-io.ts'
import { entryStatus, type DataFile, type ManifestEntry, type ManifestFile } from '../manifest/data-file.ts'
import { ValidationError } from '../errors.ts'
import type { PartitionColumnType } from '../partition/partition-spec.ts'
import { branchSnapshot, snapshotById, type Snapshot, type TableMetadata } from '../metadata/metadata.ts'
import { mayMatch, positionOf } from '../expression/position.ts'
import type { Predicate } from '../expression/predicate.ts'
import { readManifest, readManifestList, specTypeOf } from '../manifest/table-files.ts'

/**
 * The snapshots of a branch after `startingSnapshotId`, newest first. Errors: `ValidationError` when the branch
 * does not descend from it any more (it was rolled back, or history expired).
 */
export function snapshotsSince(
  table: string,
  metadata: TableMetadata,
  branch: string,
  startingSnapshotId: bigint | undefined,
): Snapshot[] {
  const since: Snapshot[] = []
  let snapshot = branchSnapshot(metadata, branch)
  while (snapshot !== undefined && snapshot['snapshot-id'] !== startingSnapshotId) {
    since.push(snapshot)
    const parent = snapshot['parent-snapshot-id']
    if (parent === undefined && startingSnapshotId === undefined) return since
    snapshot = snapshotById(metadata, parent)
  }
  if (snapshot === undefined && startingSnapshotId !== undefined)
    throw new ValidationError(
      table,
      `branch ${branch} of table ${table} does not descend from snapshot ${startingSnapshotId} any more`,
    )
  return since
}

/** Those of `snapshots` that added or removed a file which `filter` touches, in the order given. */
export async function* conflictsAmong(
  io: FileIO,
  metadata: TableMetadata,
  snapshots: readonly Snapshot[],
  filter: Predicate,
): AsyncGenerator<Snapshot> {
  for (const snapshot of snapshots) {
    // Compaction moves rows between files and changes none.
    if (snapshot.summary['operation'] === 'replace') continue
    if (await touches(io, metadata, snapshot, filter)) yield snapshot
  }
}

async function touches(
  io: FileIO,
  metadata: TableMetadata,
  snapshot: Snapshot,
  filter: Predicate,
): Promise<boolean> {
  const { done } = await touchedFiles(io, metadata, snapshot, filter).next()
  return done !== true
}

/** A file with the partition type of its spec. */
export interface TouchedFile {
  readonly dataFile: DataFile
  readonly type: readonly PartitionColumnType[]
}

/** The files that a snapshot added or removed and that `filter` touches. */
async function* touchedFiles(
  io: FileIO,
  metadata: TableMetadata,
  snapshot: Snapshot,
  filter: Predicate,
): AsyncGenerator<TouchedFile> {
  const changed = ({
    addedFilesCount,
    deletedFilesCount,
    partitions,
    partitionSpecId,
  }: ManifestFile): boolean =>
    addedFilesCount + deletedFilesCount > 0 &&
    mayMatch(filter, partitions, specTypeOf(metadata, partitionSpecId).type)
  for await (const { dataFile } of ownEntries(io, metadata, snapshot, changed)) {
    const { type } = specTypeOf(metadata, dataFile.specId)
    if (positionOf(filter, dataFile, type) !== 'outside') yield { dataFile, type }
  }
}

/** The entries of files that a snapshot added or removed, of those of its manifests that are asked for. */
export async function* ownEntries(
  io: FileIO,
  metadata: TableMetadata,
  snapshot: Snapshot,
  isWanted: (manifest: ManifestFile) => boolean,
): AsyncGenerator<ManifestEntry> {
  const id = snapshot['snapshot-id']
  for (const manifest of await readManifestList(io, snapshot)) {
    if (manifest.addedSnapshotId !== id || !isWanted(manifest)) continue
    for (const entry of await readManifest(io, metadata, manifest))
      if (entry.status !== entryStatus.existing && entry.snapshotId === id) yield entry
  }
}
