import { dataError } from '../../errors.ts'
import type { FileIO } from '../../storage/file-io.ts'
import type { DataFile, ManifestFile } from '../manifest/data-file.ts'
import { ValidationError } from '../errors.ts'
import { hasLiveEntries, readManifestList, specTypeOf } from '../manifest/table-files.ts'
import { metadataFolder } from '../metadata/locations.ts'
import { syncSize } from '../avro/header.ts'
import { encodeManifestList } from '../manifest/manifest-list.ts'
import { addedManifests } from './added-manifests.ts'
import {
  writeTableFile,
  type FilteredManifest,
  type ProducerState,
  type WrittenManifest,
} from './producer-state.ts'
import { filteredManifest, isUntouched } from './filtered-manifest.ts'
import { mergedManifest } from './merged-manifests.ts'
import { planMerge } from '../manifest/merging.ts'
import type { FileSelection, SnapshotRequest } from './snapshot-request.ts'
import { branchSnapshot, refOf, type Snapshot, type TableMetadata } from '../metadata/metadata.ts'
import type { TableRequirement } from '../metadata/requirements.ts'
import { positionOf } from '../expression/position.ts'
import { actualOperation, snapshotSummary } from './snapshot-summary.ts'
import { applyUpdates, type TableUpdate } from '../metadata/updates.ts'

export interface StagedSnapshot {
  /** Undefined when nothing is added or removed: then there may still be table updates. */
  readonly snapshot: Snapshot | undefined
  readonly requirements: readonly TableRequirement[]
  readonly updates: readonly TableUpdate[]
  /** The manifests and the manifest list that the snapshot refers to and this commit wrote. */
  readonly writtenFiles: readonly string[]
}

/**
 * Writes the manifests and the manifest list of one attempt upon `base`, and says what to commit. Manifests
 * of earlier attempts are reused where they still hold. `nowMs` is the time; a snapshot is never older than
 * what came before it. Errors: `JobError` data when a file straddles the filter, when an added file lies outside of it,
 * or when the branch is a tag; `ValidationError` when a file to be removed is gone.
 */
export async function stageSnapshot(
  table: string,
  io: FileIO,
  base: TableMetadata,
  request: SnapshotRequest,
  state: ProducerState,
  attempt: number,
  nowMs: number,
): Promise<StagedSnapshot> {
  const metadata = applyUpdates(base, request.tableUpdates, nowMs)
  assertBranch(table, metadata, request.branch)
  assertNoneOutside(table, metadata, request)
  const parent = branchSnapshot(metadata, request.branch)
  const sequenceNumber = metadata['last-sequence-number'] + 1
  const { removeFiles: selection } = request
  const carried: ManifestFile[] = []
  const filtered: FilteredManifest[] = []
  for (const manifest of (await readManifestList(io, parent)).filter(hasLiveEntries)) {
    // Of thousands nearly all are carried on: they cost no promise.
    const result =
      selection === undefined || isUntouched(metadata, manifest, selection)
        ? undefined
        : await filteredManifest(table, io, metadata, manifest, selection, state)
    if (result === undefined) carried.push(manifest)
    else filtered.push(result)
  }
  const removed = filtered.flatMap((manifest) => manifest.removedFiles)
  assertAllFound(table, selection, removed)
  const requirements: TableRequirement[] = [
    { type: 'assert-table-uuid', uuid: metadata['table-uuid'] },
    ...request.tableRequirements,
  ]
  const groups = request.mergeManifests === true ? planMerge(metadata.properties, carried) : []
  const operation = actualOperation(request.operation, request.addFiles, removed)
  if (operation === undefined && groups.length === 0)
    return { snapshot: undefined, requirements, updates: request.tableUpdates, writtenFiles: [] }

  const { snapshotId } = state
  const ownUpdates = (await request.updatesUpon?.({ io, metadata, parent, snapshotId })) ?? []
  state.added ??= await addedManifests(io, metadata, request, state)
  const merged: WrittenManifest[] = []
  for (const group of groups) merged.push(await mergedManifest(table, io, metadata, group, state))
  const replaced = new Set(groups.flat())
  const kept = carried.filter((manifest) => !replaced.has(manifest))
  const own = [...state.added, ...filtered, ...merged].map((written) => listed(written, sequenceNumber))
  const manifestList = `${metadataFolder(metadata)}/snap-${state.snapshotId}-${attempt}-${state.commitUuid}.avro`
  const parentId = parent?.['snapshot-id']
  const list = { snapshotId: state.snapshotId, parentSnapshotId: parentId, sequenceNumber }
  await writeTableFile(
    io,
    state,
    manifestList,
    await encodeManifestList(list, [...own, ...kept], state.randomBytes(syncSize)),
  )

  const removesAll = selection?.kind === 'rows' && selection.filter.kind === 'true'
  const snapshot: Snapshot = {
    'snapshot-id': state.snapshotId,
    ...(parentId === undefined ? {} : { 'parent-snapshot-id': parentId }),
    'sequence-number': sequenceNumber,
    'timestamp-ms': metadata['last-updated-ms'],
    'manifest-list': manifestList,
    summary: {
      ...request.summary,
      ...snapshotSummary(operation ?? 'replace', request.addFiles, removed, parent?.summary, removesAll),
      ...(groups.length > 0 && mergeSummary(groups, kept)),
    },
    'schema-id': metadata['current-schema-id'],
  }
  return {
    snapshot,
    requirements: [
      ...requirements,
      { type: 'assert-ref-snapshot-id', ref: request.branch, 'snapshot-id': parentId ?? null },
    ],
    updates: [
      ...request.tableUpdates,
      ...ownUpdates,
      { action: 'add-snapshot', snapshot },
      {
        // A branch keeps its own retention settings.
        ...refOf(metadata, request.branch),
        action: 'set-snapshot-ref',
        'ref-name': request.branch,
        type: 'branch',
        'snapshot-id': state.snapshotId,
      },
    ],
    writtenFiles: [manifestList, ...own.map((manifest) => manifest.manifestPath)],
  }
}

/** Under the names that Java's rewrite of manifests has. */
const mergeSummary = (
  groups: readonly (readonly ManifestFile[])[],
  kept: readonly ManifestFile[],
): Record<string, string> => ({
  'manifests-created': String(groups.length),
  'manifests-replaced': String(groups.flat().length),
  'manifests-kept': String(kept.length),
})

/** The list's entry for a manifest of this commit: the sequence number is known only now. */
const listed = ({ manifest, minSequenceNumber }: WrittenManifest, sequenceNumber: number): ManifestFile => ({
  ...manifest,
  sequenceNumber,
  minSequenceNumber: minSequenceNumber ?? sequenceNumber,
})

/** A tag names one snapshot for good (spec "Snapshot References"). */
function assertBranch(table: string, metadata: TableMetadata, branch: string): void {
  if (refOf(metadata, branch)?.type === 'tag')
    throw dataError(`${branch} of table ${table} is a tag: nothing can be committed to it`, { field: table })
}

/** What comes in place of some rows is of those rows: otherwise a repeated run would add it again and again. */
function assertNoneOutside(
  table: string,
  metadata: TableMetadata,
  { addFiles, removeFiles }: SnapshotRequest,
): void {
  if (removeFiles?.kind !== 'rows') return
  const { filter } = removeFiles
  const outside = addFiles.find(
    (file) =>
      file.recordCount > 0 && positionOf(filter, file, specTypeOf(metadata, file.specId).type) === 'outside',
  )
  if (outside !== undefined)
    throw dataError(`a file for table ${table} lies outside of what is replaced: ${outside.filePath}`, {
      field: table,
    })
}

function assertAllFound(
  table: string,
  selection: FileSelection | undefined,
  removed: readonly DataFile[],
): void {
  if (selection?.kind !== 'paths') return
  const found = new Set(removed.map((file) => file.filePath))
  const lost = [...selection.paths].find((path) => !found.has(path))
  if (lost !== undefined) throw new ValidationError(table, `${lost} is not in table ${table} any more`)
}
