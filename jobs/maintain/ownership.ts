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
import { reachableFiles } from '../lake/reachable.ts'
import { dataFolder, metadataFolder } from '../iceberg/metadata/locations.ts'
import type { TableMetadata } from '../iceberg/metadata/metadata.ts'
import { isFolderInside, isInside } from '../lake/location-set.ts'
import { canonicalLocation } from '../storage/place.ts'
import { FileNotFound } from '../storage/errors.ts'
import type { FileIO } from '../storage/file-io.ts'
import { forgottenEntryProperty, forgottenTables, type ForgottenTable } from './forgotten.ts'

/** Where a table's files lie: its location, and where its properties put data and metadata. Canonical. */
export const ownFolders = (metadata: Pick<TableMetadata, 'location' | 'properties'>): string[] => [
  ...new Set(
    [metadata.location, dataFolder(metadata), metadataFolder(metadata)].map((folder) =>
      canonicalLocation(folder).replace(/(?<=[^/])\/+$/, ''),
    ),
  ),
]

export const isInsideAny = (location: string, folders: readonly string[]): boolean =>
  folders.some((folder) => isInside(location, folder))

/** Another entry of the catalog's store, and where its files may lie. */
export interface Neighbour {
  readonly entry: CatalogEntry
  /** What is known of it where it has no entry any more, and its files are to stay. */
  readonly forgotten: ForgottenTable | undefined
  readonly folders: readonly string[]
  /** Every file that it needs. Reads all of its manifests. Errors: where it cannot be read. */
  readonly files: () => Promise<readonly string[]>
  /**
   * Those outside of its folders: taken from another table as PyIceberg's `add_files` does, or from when it lay elsewhere; read
   * once, however many ask.
   */
  readonly strays: () => Promise<readonly string[]>
}

/** Finds a table's neighbours, of one without a name all entries; each entry's metadata is read once, however many ask. */
export type Neighbourhood = (
  table: Pick<Table, 'io'> & { readonly identifier?: TableIdentifier },
) => Promise<readonly Neighbour[]>

const readAtOnce = 8

/** Errors: the catalog's. An entry whose metadata cannot be read has the folder of its metadata file alone. */
export function neighbourhood(catalog: Catalog): Neighbourhood {
  const known = new Map<string, Promise<Whereabouts>>()
  const strays = new Map<string, Promise<readonly string[]>>()
  const whereaboutsOf = (io: FileIO, location: string): Promise<Whereabouts> => {
    const found = known.get(location) ?? readWhereabouts(io, location)
    known.set(location, found)
    return found
  }
  const straysOf = (io: FileIO, entry: CatalogEntry): Promise<readonly string[]> => {
    const files = strays.get(entry.metadataLocation) ?? filesOf(io, entry, isOutside)
    strays.set(entry.metadataLocation, files)
    return files
  }
  /** Those whose metadata are there still, and which nobody has registered since. */
  const forgotten = async (io: FileIO, entries: readonly CatalogEntry[]): Promise<ForgottenTable[]> => {
    const all = await forgottenTables(catalog)
    if (all.every(({ entry }) => entry === undefined)) return []
    const present = await mapConcurrently(entries, readAtOnce, (entry) =>
      whereaboutsOf(io, entry.metadataLocation),
    )
    const lived = new Set(present.flatMap(({ pointers }) => pointers))
    const isThere = await mapConcurrently(
      all,
      readAtOnce,
      async ({ entry }) =>
        entry !== undefined &&
        !lived.has(entry.metadataLocation) &&
        !(await whereaboutsOf(io, entry.metadataLocation)).isGone,
    )
    return all.filter((_, at) => isThere[at])
  }
  return async ({ identifier, io }) => {
    const isOwn = (entry: CatalogEntry): boolean =>
      identifier !== undefined && isEntryOf(entry, catalog.name, identifier)
    const entries = await catalog.entries()
    const others = [
      ...entries.filter((entry) => !isOwn(entry)).map((entry) => ({ entry, forgotten: undefined })),
      ...(await forgotten(io, entries)).map((one) => ({ entry: one.entry!, forgotten: one })),
    ]
    return mapConcurrently(others, readAtOnce, async (other) => ({
      ...other,
      folders: (await whereaboutsOf(io, other.entry.metadataLocation)).folders,
      files: () => filesOf(io, other.entry, () => true),
      strays: () => straysOf(io, other.entry),
    }))
  }
}

const isOutside = (location: string, own: readonly string[]): boolean => !isInsideAny(location, own)

/** Of all snapshots that the metadata lists, each manifest read once; no more is remembered than what is wanted. */
async function filesOf(
  io: FileIO,
  { metadataLocation }: CatalogEntry,
  isWanted: (location: string, own: readonly string[]) => boolean,
): Promise<readonly string[]> {
  const metadata = await readMetadataFile(io, metadataLocation)
  const own = ownFolders(metadata)
  const wanted: string[] = []
  for await (const { location } of reachableFiles({ metadata, metadataLocation, io }))
    if (isWanted(location, own)) wanted.push(location)
  return wanted
}

/** What a metadata file tells of where its table lies. */
interface Whereabouts {
  readonly folders: readonly string[]
  /** The file itself, and those of its log. */
  readonly pointers: readonly string[]
  readonly isGone: boolean
}

/** Tables and views alike have `location` and `properties`. */
async function readWhereabouts(io: FileIO, metadataLocation: string): Promise<Whereabouts> {
  const location = canonicalLocation(metadataLocation)
  const beside = location.slice(0, location.lastIndexOf('/'))
  const usual = beside.endsWith('/metadata') ? beside.slice(0, -'/metadata'.length) : beside
  try {
    const bytes = await io.read(location)
    const text = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString()
    const document = JSON.parse(text) as Readonly<Partial<Record<string, unknown>>>
    const pointers = [metadataLocation, ...loggedIn(document)]
    if (typeof document['location'] !== 'string') return { folders: [usual], pointers, isGone: false }
    const properties = (document['properties'] ?? {}) as Readonly<Record<string, string>>
    const folders = [...ownFolders({ location: document['location'], properties }), usual]
    return { folders, pointers, isGone: false }
  } catch (error) {
    return { folders: [usual], pointers: [metadataLocation], isGone: error instanceof FileNotFound }
  }
}

const loggedIn = (document: Readonly<Partial<Record<string, unknown>>>): string[] =>
  ((document['metadata-log'] ?? []) as TableMetadata['metadata-log']).map((entry) => entry['metadata-file'])

/** What lets others go on where it cannot be read what an entry needs. */
export const wayOut = ({ forgotten }: Neighbour): string =>
  forgotten === undefined
    ? 'take its entry out of its catalog (lakejobs maintain forget)'
    : `remove the namespace property ${forgottenEntryProperty(forgotten.uuid)}`

/** Whether some of the inner folders are some of the outer ones, or lie in them. */
export const anyInside = (inner: readonly string[], outer: readonly string[]): boolean =>
  inner.some((folder) => outer.some((one) => isFolderInside(folder, one)))

/** Whether some of one's folders and of another's are the same, or within each other. */
export const overlap = (ours: readonly string[], theirs: readonly string[]): boolean =>
  anyInside(ours, theirs) || anyInside(theirs, ours)

export const entryText = ({ catalog, namespace, name }: CatalogEntry): string =>
  `${namespace}.${name} of catalog ${catalog}`
