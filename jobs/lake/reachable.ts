import { mapConcurrently } from '../concurrency.ts'
import { fileContent, type ManifestFile } from '../iceberg/manifest/data-file.ts'
import { isLive, readManifest, readWholeManifestList } from '../iceberg/manifest/table-files.ts'
import type { Snapshot, TableMetadata } from '../iceberg/metadata/metadata.ts'
import type { FileIO } from '../storage/file-io.ts'
import { FileNotFound } from '../storage/errors.ts'
import { canonicalLocation } from '../storage/place.ts'
import { createLocationSet, type LocationSet } from './location-set.ts'

/** What a file of a table is for. */
export type FileKind =
  /** The metadata file that the catalog points to, and those of its log. */
  | 'metadata'
  | 'version-hint'
  /** Of a table or of its partitions, most often Puffin. */
  | 'statistics'
  | 'manifest-list'
  | 'manifest'
  | 'data'
  /** Position and equality deletes, and the Puffin files of deletion vectors. */
  | 'deletes'

export interface ReachableFile {
  readonly kind: FileKind
  /** Canonical: as `FileIO` takes it. */
  readonly location: string
  /** Bytes, where what refers to it says so. */
  readonly size: number | undefined
  /** The first of the snapshots asked for that needs it; undefined for what the metadata itself needs. */
  readonly snapshot: Snapshot | undefined
}

/** A table as its catalog knows it: a catalog's `Table`. */
export interface ReachableTable {
  readonly metadata: TableMetadata
  /** Undefined: no file has it yet. */
  readonly metadataLocation: string | undefined
  readonly io: FileIO
}

/** What was reached so far. */
export interface Reached {
  readonly locations: LocationSet
  /** Manifests whose files are among the locations: exact, as one that is taken for another would leave its files out. */
  readonly manifests: Set<string>
  /**
   * Told of a manifest list or manifest that is not there; what it names does not come then. Undefined: that is an error, as
   * nobody knows what is needed.
   */
  readonly missing?: ((location: string) => void) | undefined
}

export const nothingReached = (): Reached => ({ locations: createLocationSet(), manifests: new Set() })

/** Manifest lists, then manifests, that are read at once. */
const readAtOnce = 8

/**
 * Every file that the table still needs (lake-spec §4.3): of every snapshot that the metadata lists, with or without a ref,
 * whatever snapshot added it, and what the metadata itself refers to. Each file once; `reached` has what was given already and
 * takes what is given now. Errors: `JobError` data, when a manifest list or manifest is not there or cannot be read: then
 * nobody knows what is needed.
 */
export async function* reachableFiles(
  table: ReachableTable,
  reached: Reached = nothingReached(),
): AsyncGenerator<ReachableFile> {
  yield* metadataFiles(table, reached)
  yield* snapshotFiles(table, table.metadata.snapshots, reached)
}

/** What the metadata refers to beside snapshots: its own file, its log, the version hint; statistics of no snapshot. */
export function* metadataFiles(
  { metadata, metadataLocation }: ReachableTable,
  reached: Reached = nothingReached(),
): Generator<ReachableFile> {
  const logged = metadata['metadata-log'].map((entry) => entry['metadata-file'])
  const files = metadataLocation === undefined ? logged : [metadataLocation, ...logged]
  for (const location of files)
    if (reached.locations.add(location)) yield found('metadata', location, undefined, undefined)
  for (const location of new Set(files.map(hintBeside)))
    if (reached.locations.add(location)) yield found('version-hint', location, undefined, undefined)
  const ids = new Set(metadata.snapshots.map((snapshot) => snapshot['snapshot-id']))
  for (const { path, size, snapshotId } of statisticsFiles(metadata))
    if (!ids.has(snapshotId) && reached.locations.add(path)) yield found('statistics', path, size, undefined)
}

const hintBeside = (location: string): string =>
  `${location.slice(0, location.lastIndexOf('/') + 1)}version-hint.text`

/**
 * Every file that some of the table's snapshots need, in the order of these: statistics first, then, of eight snapshots at a time, each
 * manifest with the live files in it, and their manifest lists. Each manifest is read once, however many snapshots share it, and not
 * at all where `reached` has it: with one that has been through the snapshots to be kept, it gives what *only* the others need. In
 * memory are the lists of manifests that are new and the entries of eight manifests. Errors: as `reachableFiles`.
 */
export async function* snapshotFiles(
  { metadata, io }: ReachableTable,
  snapshots: readonly Snapshot[],
  reached: Reached = nothingReached(),
): AsyncGenerator<ReachableFile> {
  const wanted = new Map(snapshots.map((snapshot) => [snapshot['snapshot-id'], snapshot]))
  for (const { path, size, snapshotId } of statisticsFiles(metadata)) {
    const snapshot = wanted.get(snapshotId)
    if (snapshot !== undefined && reached.locations.add(path)) yield found('statistics', path, size, snapshot)
  }
  for (const some of inGroups(snapshots)) {
    const lists = await mapConcurrently(some, readAtOnce, (snapshot) =>
      readWholeManifestList(io, snapshot).catch(ifMissing(reached, undefined)),
    )
    // Most snapshots have one manifest of their own: those of several are read at once.
    const fresh = new Map<string, OwnManifest>()
    for (const [index, snapshot] of some.entries())
      for (const manifest of lists[index]?.manifests ?? []) {
        const { manifestPath: path } = manifest
        if (!reached.manifests.has(path) && !fresh.has(path)) fresh.set(path, { manifest, snapshot })
      }
    yield* manifestFiles({ metadata, io }, [...fresh.values()], reached)
    // Behind what they name, so that a walk that fails in the middle can begin again.
    for (const [index, snapshot] of some.entries()) {
      const list = snapshot['manifest-list']
      if (reached.locations.add(list)) yield found('manifest-list', list, lists[index]?.size, snapshot)
    }
  }
}

/** A manifest, and the first of the snapshots that has it. */
interface OwnManifest {
  readonly manifest: ManifestFile
  readonly snapshot: Snapshot
}

async function* manifestFiles(
  { metadata, io }: Pick<ReachableTable, 'metadata' | 'io'>,
  manifests: readonly OwnManifest[],
  reached: Reached,
): AsyncGenerator<ReachableFile> {
  for (const some of inGroups(manifests)) {
    const read = await mapConcurrently(some, readAtOnce, ({ manifest }) =>
      readManifest(io, metadata, manifest).catch(ifMissing(reached, [])),
    )
    for (const { manifest } of some) reached.manifests.add(manifest.manifestPath)
    for (const [index, { manifest, snapshot }] of some.entries()) {
      const { manifestPath, manifestLength } = manifest
      if (reached.locations.add(manifestPath)) yield found('manifest', manifestPath, manifestLength, snapshot)
      for (const { dataFile } of read[index]!.filter(isLive)) {
        const kind = dataFile.content === fileContent.data ? 'data' : 'deletes'
        if (reached.locations.add(dataFile.filePath))
          yield found(kind, dataFile.filePath, dataFile.fileSizeInBytes, snapshot)
      }
    }
  }
}

const ifMissing =
  <T>({ missing }: Reached, instead: T) =>
  (error: unknown): T => {
    if (missing === undefined || !(error instanceof FileNotFound)) throw error
    missing(error.location)
    return instead
  }

const found = (
  kind: FileKind,
  location: string,
  size: number | undefined,
  snapshot: Snapshot | undefined,
): ReachableFile => ({ kind, location: canonicalLocation(location), size, snapshot })

function* inGroups<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += readAtOnce) yield all.slice(at, at + readAtOnce)
}

/** A statistics file as both lists of the metadata have it (spec "Table Statistics", "Partition Statistics"). */
interface StatisticsFile {
  readonly path: string
  readonly size: number | undefined
  readonly snapshotId: bigint
}

/** Those lists belong to other writers: ids come as they were parsed. */
function statisticsFiles(metadata: TableMetadata): StatisticsFile[] {
  const lists = metadata as unknown as Readonly<
    Partial<Record<'statistics' | 'partition-statistics', readonly StatisticsEntry[]>>
  >
  return [...(lists.statistics ?? []), ...(lists['partition-statistics'] ?? [])].map((entry) => ({
    path: entry['statistics-path'],
    size: entry['file-size-in-bytes'],
    snapshotId: BigInt(entry['snapshot-id']),
  }))
}

interface StatisticsEntry {
  readonly 'snapshot-id': number | bigint
  readonly 'statistics-path': string
  readonly 'file-size-in-bytes'?: number
}
