import { gunzipSync } from 'node:zlib'
import { mapConcurrently } from '../concurrency.ts'
import {
  isEntryOf,
  type Catalog,
  type CatalogEntry,
  type Table,
  type TableIdentifier,
} from '../iceberg/catalog/catalog.ts'
import { readMetadataFile } from '../iceberg/catalog/stored/metadata-file.ts'
import { nothingReached, snapshotFiles } from '../lake/reachable.ts'
import { dataFolder, metadataFolder } from '../iceberg/metadata/locations.ts'
import type { TableMetadata } from '../iceberg/metadata/metadata.ts'
import { locationKey } from '../lake/location-set.ts'
import { canonicalLocation } from '../storage/place.ts'
import type { FileIO } from '../storage/file-io.ts'

/** Where a table's files lie: its location, and where its properties put data and metadata. Canonical. */
export const ownFolders = (metadata: Pick<TableMetadata, 'location' | 'properties'>): string[] => [
  ...new Set(
    [metadata.location, dataFolder(metadata), metadataFolder(metadata)].map((folder) =>
      canonicalLocation(folder).replace(/(?<=[^/])\/+$/, ''),
    ),
  ),
]

/** By whole path segments, whatever the spelling: `s1/x` is inside `s1`, `s1_old/x` is not. */
export const isInside = (location: string, folder: string): boolean =>
  `${locationKey(location)}/`.startsWith(`${locationKey(folder)}/`)

export const isInsideAny = (location: string, folders: readonly string[]): boolean =>
  folders.some((folder) => isInside(location, folder))

/** Another entry of the catalog's store, and where its files may lie. */
export interface Neighbour {
  readonly entry: CatalogEntry
  readonly folders: readonly string[]
  /** Its data and delete files. Reads all of its manifests. Errors: where it cannot be read. */
  readonly data: () => Promise<readonly string[]>
  /** Those outside of its folders, taken from another table as PyIceberg's `add_files` does; read once, however many ask. */
  readonly strays: () => Promise<readonly string[]>
}

/** Finds a table's neighbours, of one without a name all entries; each entry's metadata is read once, however many ask. */
export type Neighbourhood = (
  table: Pick<Table, 'io'> & { readonly identifier?: TableIdentifier },
) => Promise<readonly Neighbour[]>

const readAtOnce = 8

/** Errors: the catalog's. An entry whose metadata cannot be read has the folder of its metadata file alone. */
export function neighbourhood(catalog: Catalog): Neighbourhood {
  const known = new Map<string, Promise<readonly string[]>>()
  const strays = new Map<string, Promise<readonly string[]>>()
  const foldersOf = (io: FileIO, location: string): Promise<readonly string[]> => {
    const folders = known.get(location) ?? foldersFrom(io, location)
    known.set(location, folders)
    return folders
  }
  return async ({ identifier, io }) => {
    const isOwn = (entry: CatalogEntry): boolean =>
      identifier !== undefined && isEntryOf(entry, catalog.name, identifier)
    const straysOf = (entry: CatalogEntry): Promise<readonly string[]> => {
      const files = strays.get(entry.metadataLocation) ?? dataOf(io, entry, isOutside)
      strays.set(entry.metadataLocation, files)
      return files
    }
    const others = (await catalog.entries()).filter((entry) => !isOwn(entry))
    return mapConcurrently(others, readAtOnce, async (entry) => ({
      entry,
      folders: await foldersOf(io, entry.metadataLocation),
      data: () => dataOf(io, entry, () => true),
      strays: () => straysOf(entry),
    }))
  }
}

const isOutside = (location: string, own: readonly string[]): boolean => !isInsideAny(location, own)

/** Of all snapshots that the metadata lists, each manifest read once; no more is remembered than what is wanted. */
async function dataOf(
  io: FileIO,
  { metadataLocation }: CatalogEntry,
  isWanted: (location: string, own: readonly string[]) => boolean,
): Promise<readonly string[]> {
  const metadata = await readMetadataFile(io, metadataLocation)
  const own = ownFolders(metadata)
  const wanted: string[] = []
  const table = { metadata, metadataLocation, io }
  for await (const { kind, location } of snapshotFiles(table, metadata.snapshots, nothingReached()))
    if ((kind === 'data' || kind === 'deletes') && isWanted(location, own)) wanted.push(location)
  return wanted
}

/** Tables and views alike have `location` and `properties`. */
async function foldersFrom(io: FileIO, metadataLocation: string): Promise<readonly string[]> {
  const location = canonicalLocation(metadataLocation)
  const beside = location.slice(0, location.lastIndexOf('/'))
  const usual = beside.endsWith('/metadata') ? beside.slice(0, -'/metadata'.length) : beside
  try {
    const bytes = await io.read(location)
    const text = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString()
    const document = JSON.parse(text) as { readonly location?: string; readonly properties?: object }
    if (typeof document.location !== 'string') return [usual]
    const properties = (document.properties ?? {}) as Readonly<Record<string, string>>
    return [...ownFolders({ location: document.location, properties }), usual]
  } catch {
    return [usual]
  }
}

/** Whether some of one's folders and of another's are the same, or within each other. */
export const overlap = (ours: readonly string[], theirs: readonly string[]): boolean =>
  theirs.some((folder) => ours.some((own) => isInside(folder, own) || isInside(own, folder)))

export const entryText = ({ catalog, namespace, name }: CatalogEntry): string =>
  `${namespace}.${name} of catalog ${catalog}`
