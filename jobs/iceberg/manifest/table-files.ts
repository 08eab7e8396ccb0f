import { canonicalLocation } from '../../storage/place.ts'
import type { FileIO } from '../../storage/file-io.ts'
import { entryStatus, type ManifestEntry, type ManifestFile } from './data-file.ts'
import { decodeManifest } from './manifest.ts'
import { decodeManifestList } from './manifest-list.ts'
import { schemasByAge, type Snapshot, type TableMetadata } from '../metadata/metadata.ts'
import { partitionType, type PartitionColumnType, type PartitionSpec } from '../partition/partition-spec.ts'
import { dataError } from '../../errors.ts'

/** The manifests of a snapshot; none when there is no snapshot. */
export const readManifestList = async (
  io: FileIO,
  snapshot: Snapshot | undefined,
): Promise<ManifestFile[]> =>
  snapshot === undefined ? [] : (await readWholeManifestList(io, snapshot)).manifests

/** The manifests of a snapshot, and the bytes of their list, which nothing else tells. */
export async function readWholeManifestList(
  io: FileIO,
  snapshot: Snapshot,
): Promise<{ readonly manifests: ManifestFile[]; readonly size: number }> {
  const location = snapshot['manifest-list'] as string | undefined
  if (location === undefined)
    throw dataError(`snapshot ${snapshot['snapshot-id']} has no manifest list (an early version 1 table)`, {
      fix: 'rewrite its manifests with Spark first',
    })
  const bytes = await io.read(canonicalLocation(location))
  return { manifests: decodeManifestList(location, bytes), size: bytes.length }
}

/** All entries of a manifest, DELETED ones included, with what they inherit filled in. */
export const readManifest = async (
  io: FileIO,
  metadata: TableMetadata,
  manifest: ManifestFile,
): Promise<ManifestEntry[]> =>
  decodeManifest(
    manifest,
    await io.read(canonicalLocation(manifest.manifestPath)),
    specTypeOf(metadata, manifest.partitionSpecId).type,
  )

interface SpecType {
  readonly spec: PartitionSpec
  readonly type: readonly PartitionColumnType[]
}

/** Each state's specs by their ids: every manifest and file of thousands asks for its own. */
const specTypes = new WeakMap<TableMetadata, Map<number, SpecType>>()

/** A spec of the table and its partition type. Errors: `JobError` data for an id that the table lacks. */
export function specTypeOf(metadata: TableMetadata, specId: number): SpecType {
  const known = specTypes.get(metadata) ?? new Map<number, SpecType>()
  specTypes.set(metadata, known)
  const found = known.get(specId)
  if (found !== undefined) return found
  const spec = metadata['partition-specs'].find((one) => one['spec-id'] === specId)
  if (spec === undefined) throw dataError(`the table has no partition spec ${specId}`)
  const made = { spec, type: partitionType(spec, schemasByAge(metadata)) }
  known.set(specId, made)
  return made
}

/** Whether files of a spec are in no partition: equality deletes of such a spec apply to all (spec "Scan Planning"). */
export const isUnpartitionedSpec = (metadata: TableMetadata, specId: number): boolean =>
  specTypeOf(metadata, specId).type.every(({ transform }) => transform.kind === 'void')

/** Whether an entry's file belongs to the snapshots that list the manifest. */
export const isLive = ({ status }: ManifestEntry): boolean => status !== entryStatus.deleted

/** Whether a manifest lists any live file. */
export const hasLiveEntries = (manifest: ManifestFile): boolean =>
  manifest.addedFilesCount + manifest.existingFilesCount > 0
