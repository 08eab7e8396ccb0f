import { canonicalLocation } from '../storage/place.ts'
import type { FileIO } from '../storage/file-io.ts'
import { entryStatus, type ManifestEntry, type ManifestFile } from './data-file.ts'
import { decodeManifest } from './manifest.ts'
import { decodeManifestList } from './manifest-list.ts'
import { schemasByAge, type Snapshot, type TableMetadata } from './metadata.ts'
import { partitionType, type PartitionColumnType, type PartitionSpec } from './partition-spec.ts'
import { dataError } from '../errors.ts'

/** The manifests of a snapshot; none when there is no snapshot. */
export async function readManifestList(io: FileIO, snapshot: Snapshot | undefined): Promise<ManifestFile[]> {
  if (snapshot === undefined) return []
  const location = snapshot['manifest-list'] as string | undefined
  if (location === undefined)
    throw dataError(`snapshot ${snapshot['snapshot-id']} has no manifest list (an early version 1 table)`, {
      fix: 'rewrite its manifests with Spark first',
    })
  return decodeManifestList(location, await io.read(canonicalLocation(location)))
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

/** Whether an entry's file belongs to the snapshots that list the manifest. */
export const isLive = ({ status }: ManifestEntry): boolean => status !== entryStatus.deleted

/** Whether a manifest lists any live file. */
export const hasLiveEntries = (manifest: ManifestFile): boolean =>
  manifest.addedFilesCount + manifest.existingFilesCount > 0

/** `metadata/`, or where `write.metadata.path` puts it; a location without trailing slash. */
export const metadataFolder = (metadata: TableMetadata): string =>
  (metadata.properties['write.metadata.path'] ?? `${metadata.location}/metadata`).replace(/\/+$/, '')

/** `data/`, or where `write.data.path` puts it; a location without trailing slash. */
export const dataFolder = ({
  location,
  properties,
}: Pick<TableMetadata, 'location' | 'properties'>): string =>
  (properties['write.data.path'] ?? `${location}/data`).replace(/\/+$/, '')
