import type { FileIO } from '../storage/file-io.ts'
import { entryStatus, type DataFile, type ManifestFile } from './data-file.ts'
import { ValidationError } from './errors.ts'
import type { PartitionColumnType } from './partition-spec.ts'
import { branchSnapshot, snapshotById, type Snapshot, type TableMetadata } from './metadata.ts'
import { mayMatch, positionOf, type RowFilter } from './row-filter.ts'
import { readManifest, readManifestList, specTypeOf } from './table-files.ts'

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
  filter: RowFilter,
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
  filter: RowFilter,
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
export async function* touchedFiles(
  io: FileIO,
  metadata: TableMetadata,
  snapshot: Snapshot,
  filter: RowFilter,
): AsyncGenerator<TouchedFile> {
  const own = (manifest: ManifestFile): boolean =>
    manifest.addedSnapshotId === snapshot['snapshot-id'] &&
    manifest.addedFilesCount + manifest.deletedFilesCount > 0
  for (const manifest of (await readManifestList(io, snapshot)).filter(own)) {
    const { type } = specTypeOf(metadata, manifest.partitionSpecId)
    if (!mayMatch(filter, manifest.partitions, type)) continue
    for (const { status, snapshotId, dataFile } of await readManifest(io, metadata, manifest)) {
      const isOwn = status !== entryStatus.existing && snapshotId === snapshot['snapshot-id']
      if (isOwn && positionOf(filter, dataFile, type) !== 'outside') yield { dataFile, type }
    }
  }
}
