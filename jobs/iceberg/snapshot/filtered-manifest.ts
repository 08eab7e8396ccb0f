import { dataError, listed } from '../../errors.ts'
import type { FileIO } from '../../storage/file-io.ts'
import { writeManifests } from './added-manifests.ts'
import {
  entryStatus,
  fileContent,
  type DataFile,
  type ManifestEntry,
  type ManifestFile,
} from '../manifest/data-file.ts'
import type { TableMetadata } from '../metadata/metadata.ts'
import type { PartitionColumnType } from '../partition/partition-spec.ts'
import { mayMatch, positionOf } from '../expression/position.ts'
import { columnsOf } from '../expression/predicate.ts'
import type { FilteredManifest, ProducerState } from './producer-state.ts'
import type { FileSelection } from './snapshot-request.ts'
import { isLive, readManifest, specTypeOf } from '../manifest/table-files.ts'

/** Whether no selected file can be in a manifest, judged without reading it. */
export const isUntouched = (metadata: TableMetadata, base: ManifestFile, selection: FileSelection): boolean =>
  selection.kind === 'rows' &&
  !mayMatch(selection.filter, base.partitions, specTypeOf(metadata, base.partitionSpecId).type)

/**
 * The manifest without the selected files, or undefined when none of them is in it: then the base manifest
 * is carried on unchanged. Survivors become EXISTING with explicit sequence numbers and their own snapshot
 * id, removed files DELETED with this snapshot's id, older DELETED entries are dropped (export-spec §3.4). Of delete
 * files those go that can apply to removed files only; others may stay behind without effect.
 */
export async function filteredManifest(
  table: string,
  io: FileIO,
  metadata: TableMetadata,
  base: ManifestFile,
  selection: FileSelection,
  state: ProducerState,
): Promise<FilteredManifest | undefined> {
  const known = state.filtered.get(base.manifestPath)
  if (known !== undefined) return known
  const { type } = specTypeOf(metadata, base.partitionSpecId)
  const live = (await readManifest(io, metadata, base)).filter(isLive)
  const isRemoved = ({ dataFile }: ManifestEntry): boolean =>
    selection.kind === 'paths'
      ? selection.paths.has(dataFile.filePath)
      : isInside(table, selection, dataFile, type)
  const removed = new Set(live.filter(isRemoved))
  if (removed.size === 0) return undefined
  const entries = live.map((entry): ManifestEntry =>
    removed.has(entry)
      ? { ...entry, status: entryStatus.deleted, snapshotId: state.snapshotId }
      : { ...entry, status: entryStatus.existing },
  )
  const survivors = live.filter((entry) => !removed.has(entry))
  const kind = { specId: base.partitionSpecId, content: base.content }
  // One for one: it is hardly larger than the one that it replaces.
  const [manifest] = await writeManifests(io, metadata, state, kind, entries, Infinity)
  const filtered = {
    manifest: manifest!,
    minSequenceNumber: survivors.reduce<number | undefined>(
      (least, { sequenceNumber }) => Math.min(least ?? Infinity, sequenceNumber ?? 0),
      undefined,
    ),
    removedFiles: [...removed].map((entry) => entry.dataFile),
  }
  state.filtered.set(base.manifestPath, filtered)
  return filtered
}

function isInside(
  table: string,
  { filter, fix }: Extract<FileSelection, { kind: 'rows' }>,
  file: DataFile,
  type: readonly PartitionColumnType[],
): boolean {
  const position = positionOf(filter, file, type)
  // A delete file that stays applies to nothing that this snapshot adds: its sequence number is lower.
  if (position !== 'straddles' || file.content !== fileContent.data) return position === 'inside'
  const names = columnsOf(filter).map(({ name }) => name)
  throw dataError(
    `table ${table} has a file with rows inside and outside of what is replaced, by ${listed(names)}: ${file.filePath}`,
    { field: table, ...(fix !== undefined && { fix }) },
  )
}
