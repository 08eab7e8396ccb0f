import type { Catalog, CatalogEntry, TableIdentifier } from '../iceberg/catalog/catalog.ts'
import { namespaceText } from '../iceberg/catalog/catalog.ts'
import type { TableMetadata } from '../iceberg/metadata/metadata.ts'
import { keptFolderPrefix } from '../iceberg/catalog/stored/own-location.ts'
import { canonicalLocation } from '../storage/place.ts'

export interface ForgottenTable {
  readonly uuid: string
  readonly location: string
  /** The entry that it had; undefined where its metadata could not be read, or an older version took it out. */
  readonly entry: CatalogEntry | undefined
}

/** Tables, of every catalog name, that `forget` took out of the catalog and whose files are still there. */
export async function forgottenTables(catalog: Catalog): Promise<ForgottenTable[]> {
  const all = await catalog.everyProperty()
  return all
    .filter(({ key }) => key.startsWith(keptFolderPrefix))
    .map(({ key, value: location, ...at }) => {
      const uuid = key.slice(keptFolderPrefix.length)
      const note = all.find(
        (one) =>
          one.key === forgottenEntryProperty(uuid) &&
          one.catalog === at.catalog &&
          one.namespace === at.namespace,
      )
      return { uuid, location, entry: note && { ...at, ...noted(note.value), isView: false } }
    })
}

function noted(value: string): Pick<CatalogEntry, 'name' | 'metadataLocation'> {
  const { table, metadata } = JSON.parse(value) as { readonly table: string; readonly metadata: string }
  return { name: `${table} (forgotten)`, metadataLocation: metadata }
}

/** Property of a namespace: where a table lies that was forgotten; its uuid is in the name. */
export const forgottenProperty = (uuid: string): string => `${keptFolderPrefix}${uuid}`

/** Property beside it: the name that the table had, and its newest metadata file (`entryNote`). */
export const forgottenEntryProperty = (uuid: string): string => `lakejobs.forgotten-entry.${uuid}`

/** The same of a table whose metadata could not be read, so that its uuid is not known. */
const unreadPrefix = `${keptFolderPrefix}unread-`
export const unreadProperty = (id: string): string => `${unreadPrefix}${id}`

const droppedPrefix = 'lakejobs.dropped.'

/** Property of a namespace: a table whose entry and files `drop --purge` removes; its uuid is in the name. */
export const droppedProperty = (uuid: string): string => `${droppedPrefix}${uuid}`

/** What tells where the files of a table are that has no entry any more. */
export const entryNote = (name: string, metadataLocation: string): string =>
  JSON.stringify({ table: name, metadata: metadataLocation })

/** A drop with `--purge` that did not come to its end: the table's newest metadata file, and the property that tells so. */
export async function unfinishedDrop(
  catalog: Catalog,
  { namespace, name }: TableIdentifier,
): Promise<{ readonly key: string; readonly metadataLocation: string } | undefined> {
  for (const { key, value, ...at } of await catalog.everyProperty()) {
    const isHere = at.catalog === catalog.name && at.namespace === namespaceText(namespace)
    if (!key.startsWith(droppedPrefix) || !isHere) continue
    const { table, metadata } = JSON.parse(value) as { readonly table: string; readonly metadata: string }
    if (table === name) return { key, metadataLocation: metadata }
  }
  return undefined
}

/**
 * Takes back what tells that a table was forgotten or is being dropped: `here`, wherever it is told in this catalog, or `everywhere`,
 * in those of other names, too, of which one may have had it before. Of one whose metadata could not be read, by its folder.
 */
export async function clearRecords(
  catalog: Catalog,
  { 'table-uuid': uuid, location }: Pick<TableMetadata, 'table-uuid' | 'location'>,
  where: 'here' | 'everywhere',
): Promise<void> {
  const keys = [forgottenProperty(uuid), forgottenEntryProperty(uuid), droppedProperty(uuid)]
  for (const { key, value, namespace, ...entry } of await catalog.everyProperty()) {
    const isUnread = key.startsWith(unreadPrefix) && folderKey(value) === folderKey(location)
    const isMeant = where === 'everywhere' || entry.catalog === catalog.name
    if ((keys.includes(key) || isUnread) && isMeant)
      await catalog.sibling(entry.catalog).updateNamespace(namespace.split('.'), {}, [key])
  }
}

const folderKey = (location: string): string => canonicalLocation(location).replace(/\/+$/, '')
