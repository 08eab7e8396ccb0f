import { randomUUID } from 'node:crypto'
import { JobError, shellWord } from '../../errors.ts'
import {
  isEntryOf,
  tableText,
  type Catalog,
  type Table,
  type TableIdentifier,
} from '../../iceberg/catalog/catalog.ts'
import { NoSuchTableError } from '../../iceberg/errors.ts'
import { placeText } from '../../storage/place.ts'
import {
  droppedProperty,
  entryNote,
  forgottenEntryProperty,
  forgottenProperty,
  unreadProperty,
} from '../forgotten.ts'

/** What is to be forgotten. */
interface Known {
  /** The properties that tell of it, and the one that a drop may have left. */
  readonly notes: Readonly<Record<string, string>>
  readonly dropped: readonly string[]
  readonly location: string
  readonly pointer: string | undefined
}

/**
 * Takes a table out of the catalog and leaves its files (lake-spec §4.8). First it is noted in the namespace where they lie, so
 * that no orphans are looked for there and no new table is made there: killed in between, the table is still there, and a
 * second run goes on. A table whose metadata is gone or damaged can be forgotten, too. Phrases of what was done. Errors:
 * `NoSuchTableError`; `CommitFailedError` where others commit at the same time; `CommitStateUnknownError`.
 */
export async function forgetTable(
  identifier: TableIdentifier,
  dryRun: boolean,
  catalog: Catalog,
): Promise<string[]> {
  const { notes, dropped, location, pointer } = await lookAt(identifier, catalog)
  if (!dryRun) {
    await catalog.updateNamespace(identifier.namespace, notes, dropped)
    await catalog.drop(identifier, pointer)
  }
  return [
    `the entry goes, the files stay at ${location}`,
    pointer === undefined
      ? 'its metadata cannot be read'
      : `to have it back: lakejobs maintain register --table ${shellWord(tableText(identifier))} --metadata ${shellWord(placeText(pointer))}`,
  ]
}

async function lookAt(identifier: TableIdentifier, catalog: Catalog): Promise<Known> {
  let table: Table
  try {
    table = await catalog.load(identifier)
  } catch (error) {
    const isUnreadable = error instanceof JobError && error.code === 'data'
    if (!isUnreadable || error instanceof NoSuchTableError) throw error
    const location = await folderOf(identifier, catalog)
    return { notes: { [unreadProperty(randomUUID())]: location }, dropped: [], location, pointer: undefined }
  }
  const { metadata, metadataLocation } = table
  const uuid = metadata['table-uuid']
  return {
    notes: {
      [forgottenProperty(uuid)]: metadata.location,
      [forgottenEntryProperty(uuid)]: entryNote(identifier.name, metadataLocation!),
    },
    dropped: [droppedProperty(uuid)],
    location: metadata.location,
    pointer: metadataLocation,
  }
}

/** Where its metadata should be tells where the table lies. */
async function folderOf(identifier: TableIdentifier, catalog: Catalog): Promise<string> {
  const entry = (await catalog.entries()).find((one) => isEntryOf(one, catalog.name, identifier))
  return (entry?.metadataLocation ?? '').replace(/\/+(metadata\/+)?[^/]*$/, '')
}
