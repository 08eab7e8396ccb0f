import type { Catalog, Table } from '../../iceberg/catalog/catalog.ts'
import { dataFolder, metadataFolder } from '../../iceberg/metadata/locations.ts'
import { mainBranch, type Snapshot } from '../../iceberg/metadata/metadata.ts'
import { isFolderInside, isInside, locationKey } from '../../lake/location-set.ts'
import {
  metadataFiles,
  nothingReached,
  snapshotFiles,
  type FileKind,
  type ReachableFile,
} from '../../lake/reachable.ts'
import type { UnpublishedWrite } from '../../storage/file-io.ts'
import { canonicalLocation } from '../../storage/place.ts'
import { expirable } from '../../lake/upkeep/due.ts'

/**
 * Who needs an object: what main is now (`live`), other refs, snapshots and metadata files that are still kept (`kept`), of
 * these only snapshots that are past their time (`expirable`), or nobody.
 */
export type ObjectState = 'live' | 'kept' | 'expirable' | 'unreferenced'

/** One object of the store below a table's folders. */
export interface StoredObject {
  readonly location: string
  readonly bytes: number
  readonly modifiedMs: number
  readonly state: ObjectState
  /** Undefined: nothing refers to it. */
  readonly kind: FileKind | undefined
  /** The newest snapshot that needs it; undefined: the metadata do, or nobody. */
  readonly snapshot: Snapshot | undefined
}

/** Everything that the store has in a table's folders, and what the table needs of it and elsewhere. */
export interface Survey {
  readonly table: Table
  /** Canonical; none is inside another. */
  readonly folders: readonly string[]
  readonly objects: readonly StoredObject[]
  readonly unfinished: readonly UnpublishedWrite[]
  /** Files that are needed and not there. */
  readonly missing: readonly ReachableFile[]
  /** Files that are there with another size than what refers to them says. */
  readonly otherSize: readonly ReachableFile[]
  /** Files that are needed and lie outside of the folders; whether they are there was not looked up. */
  readonly elsewhere: readonly ReachableFile[]
}

/** A table that commits faster than it is listed is told as it was. */
const mostAttempts = 3

/**
 * Lists a table's folders and goes through what all of its snapshots need. The pointer is looked at again where something is
 * missing: another commit may have removed it meanwhile. Errors: `JobError` data for a manifest that cannot be read.
 */
export async function survey(
  catalog: Catalog,
  first: Table,
  nowMs: number,
  signal: AbortSignal,
): Promise<Survey> {
  for (let table = first, attempt = 1; ; attempt++) {
    const found = await surveyOnce(table, nowMs, signal)
    if (found.missing.length === 0 || attempt === mostAttempts) return found
    const now = await catalog.load(table.identifier)
    if (now.metadataLocation === table.metadataLocation) return found
    table = now
  }
}

interface Seen {
  readonly location: string
  readonly size: number
  readonly modifiedMs: number
  needed: Pick<StoredObject, 'state' | 'kind' | 'snapshot'> | undefined
}

async function surveyOnce(table: Table, nowMs: number, signal: AbortSignal): Promise<Survey> {
  const { io } = table
  const folders = foldersOf(table)
  const seen = new Map<string, Seen[]>()
  for (const folder of folders)
    for await (const { location, size, modifiedMs } of io.list(folder)) {
      signal.throwIfAborted()
      const key = locationKey(location)
      const one = { location, size, modifiedMs, needed: undefined }
      const others = seen.get(key)
      if (others === undefined) seen.set(key, [one])
      else others.push(one)
    }
  const missing: ReachableFile[] = []
  const otherSize: ReachableFile[] = []
  const elsewhere: ReachableFile[] = []
  for await (const { file, state } of neededFiles(table, nowMs)) {
    signal.throwIfAborted()
    const objects = seen.get(locationKey(file.location))
    for (const object of objects ?? []) object.needed = { state, kind: file.kind, snapshot: file.snapshot }
    if (objects === undefined) {
      if (!folders.some((folder) => isInside(file.location, folder))) elsewhere.push(file)
      else if (isDemanded(file, table)) missing.push(file)
    } else if (file.size !== undefined && objects.every(({ size }) => size !== file.size))
      otherSize.push(file)
  }
  const unfinished: UnpublishedWrite[] = []
  for (const folder of folders) for await (const one of io.unpublished(folder)) unfinished.push(one)
  const objects = [...seen.values()].flat().map(({ location, size, modifiedMs, needed }) => ({
    ...{ location, bytes: size, modifiedMs },
    ...(needed ?? { state: 'unreferenced' as const, kind: undefined, snapshot: undefined }),
  }))
  return { table, folders, objects, unfinished, missing, otherSize, elsewhere }
}

/** Where the table's files lie, as it says: its location, and where its properties put data and metadata. */
function foldersOf({ metadata }: Table): string[] {
  const all = [metadata.location, dataFolder(metadata), metadataFolder(metadata)].map((folder) =>
    canonicalLocation(folder).replace(/(?<=[^/])\/+$/, ''),
  )
  const folders = [...new Set(all)]
  return folders.filter(
    (folder) => !folders.some((other) => other !== folder && isFolderInside(folder, other)),
  )
}

/** Each file that the table needs once, with who needs it most: main first. */
async function* neededFiles(
  table: Table,
  nowMs: number,
): AsyncGenerator<{ readonly file: ReachableFile; readonly state: ObjectState }> {
  const { metadata, metadataLocation = '' } = table
  const reached = nothingReached()
  const current = canonicalLocation(metadataLocation)
  const head = metadata.refs[mainBranch]?.['snapshot-id']
  const late = new Set(expirable(metadata, nowMs).map((snapshot) => snapshot['snapshot-id']))
  const newestFirst = [...metadata.snapshots].reverse()
  const isHead = (snapshot: Snapshot): boolean => snapshot['snapshot-id'] === head
  const isLate = (snapshot: Snapshot): boolean => late.has(snapshot['snapshot-id'])
  const groups = [
    { state: 'live', snapshots: newestFirst.filter(isHead) },
    { state: 'kept', snapshots: newestFirst.filter((one) => !isHead(one) && !isLate(one)) },
    { state: 'expirable', snapshots: newestFirst.filter((one) => !isHead(one) && isLate(one)) },
  ] as const
  for (const file of metadataFiles(table, reached))
    yield { file, state: file.location === current || file.kind === 'version-hint' ? 'live' : 'kept' }
  for (const { state, snapshots } of groups)
    for await (const file of snapshotFiles(table, snapshots, reached)) yield { file, state }
}

/** Earlier metadata files and the hint need not be there. */
const isDemanded = ({ kind, location }: ReachableFile, { metadataLocation = '' }: Table): boolean =>
  kind !== 'version-hint' && (kind !== 'metadata' || location === canonicalLocation(metadataLocation))
