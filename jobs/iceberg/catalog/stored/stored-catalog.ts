import { JobError, usageError } from '../../../errors.ts'
import { canonicalLocation } from '../../../storage/place.ts'
import {
  CommitFailedError,
  CommitStateUnknownError,
  NameIsViewError,
  NamespaceAlreadyExistsError,
  NoSuchNamespaceError,
  NoSuchTableError,
  TableAlreadyExistsError,
} from '../../errors.ts'
import { checkRequirements } from '../../metadata/requirements.ts'
import { applyUpdates, logPrevious, type TableUpdate } from '../../metadata/updates.ts'
import {
  namespaceText,
  tableText,
  type Catalog,
  type Namespace,
  type Table,
  type TableIdentifier,
} from '../catalog.ts'
import type { CatalogEffects, CatalogStore } from './catalog-store.ts'
import type { PointerChange } from './arrival.ts'
import { currentMetadata } from './current-metadata.ts'
import { makeDefinite } from './definite-commit.ts'
import { nextMetadataLocation, readMetadataFile, removeUnlogged, writeMetadataFile } from './metadata-file.ts'
import { isTaken, keptFolderPrefix, ownLocation, pointerIn } from './own-location.ts'
import { newTableMetadata } from './table-creation.ts'
import { writeVersionHint } from './version-hint.ts'

/** Marks a namespace without properties as existing; PyIceberg and Java write the same. */
const existsProperty = 'exists'

/**
 * A catalog over a store of pointers: reads and writes the metadata files itself, below `warehouse` (a canonical
 * location without trailing slash) unless a namespace's `location` property says otherwise.
 */
export function storedCatalog(store: CatalogStore, warehouse: string, effects: CatalogEffects): Catalog {
  /** Each table as it was last seen, by its name: metadata files never change, so its location says if it did. */
  const seen = new Map<string, LoadedTable>()

  const load = async (identifier: TableIdentifier): Promise<LoadedTable> => {
    const metadataLocation = await store.pointer(identifier)
    if (metadataLocation === undefined) {
      const isView = await store.isView(identifier)
      throw new (isView ? NameIsViewError : NoSuchTableError)(tableText(identifier))
    }
    const known = seen.get(tableText(identifier))
    if (known?.metadataLocation === metadataLocation) return known
    const { metadata, io } = await currentMetadata(identifier, metadataLocation, warehouse, effects.openIO)
    const loaded = { identifier, metadata, metadataLocation, config: {}, io }
    seen.set(tableText(identifier), loaded)
    return loaded
  }

  const existing = async (namespace: Namespace): Promise<Record<string, string>> => {
    const properties = await store.properties(namespace)
    if (properties === undefined) throw new NoSuchNamespaceError(namespaceText(namespace))
    return properties
  }

  /** Of all entries, and of folders whose files stay without one. */
  const pointers = async (): Promise<string[]> => [
    ...(await store.entries()).map((entry) => entry.metadataLocation),
    ...(await store.everyProperty())
      .filter(({ key }) => key.startsWith(keptFolderPrefix))
      .map(({ value }) => pointerIn(value)),
  ]

  /** Writes the file, makes the change; a file that lost for certain is removed again. */
  const writeAndSwap = async (table: Table, change: PointerChange): Promise<Table> => {
    const { io } = table
    const fields = { table: tableText(change.identifier), metadata: change.location }
    effects.log?.('info', fields, 'committing')
    try {
      await writeMetadataFile(io, change.location, change.metadata)
      await makeDefinite(store, effects, io, change)
    } catch (error) {
      if (!(error instanceof JobError && error.code === 'unknownCommit'))
        await io.delete(canonicalLocation(change.location)).catch(() => {
          effects.log?.('warn', fields, 'the metadata file of a commit that failed could not be removed')
        })
      throw error
    }
    if (effects.versionHint === true) await writeVersionHint(io, change.location)
    const swapped = { ...table, metadata: change.metadata, metadataLocation: change.location }
    seen.set(tableText(change.identifier), swapped)
    return swapped
  }

  return {
    name: store.name,
    sibling: (name) => storedCatalog(store.sibling(name), warehouse, effects),
    load,

    async stageCreate(identifier, creation) {
      checkNames(identifier)
      const { location: folder = '' } = await existing(identifier.namespace)
      // An empty one says nothing, as to PyIceberg: the table would lie at the root of the file system.
      const usualParent = `${warehouse}/${folderName(namespaceText(identifier.namespace))}`
      const parent = folder === '' ? usualParent : folder
      const usual = `${parent.replace(/\/+$/, '')}/${folderName(identifier.name)}`
      const uuid = effects.uuid()
      // An entry of the name itself is of a run that made the table meanwhile: files for one are as good for the other.
      const own = await store.pointer(identifier)
      const others = (await pointers()).filter((pointer) => pointer !== own)
      const location = creation.location ?? ownLocation(usual, uuid, others)
      const io = await effects.openIO(canonicalLocation(location))
      const metadata = newTableMetadata(creation, location, uuid, effects.now().getTime())
      return { identifier, metadata, metadataLocation: undefined, config: {}, io }
    },

    async create(staged, updates) {
      const { identifier } = staged
      await existing(identifier.namespace)
      // Asked first: whoever makes this very table meanwhile has its folder, too.
      const isElsewhere = isTaken(staged.metadata.location, await pointers())
      if ((await store.pointer(identifier)) !== undefined)
        throw new TableAlreadyExistsError(tableText(identifier))
      if (isElsewhere)
        throw new JobError('conflict', `another table was made in ${staged.metadata.location} meanwhile`, {
          field: tableText(identifier),
          fix: 'run again: the table gets a folder of its own',
        })
      const metadata = applyUpdates(staged.metadata, updates, effects.now().getTime())
      const location = nextMetadataLocation(metadata, undefined, effects.uuid())
      return writeAndSwap(staged, {
        identifier,
        base: undefined,
        location,
        metadata,
        snapshotId: snapshotOf(updates),
      })
    },

    async commit(identifier, requirements, updates) {
      const table = await load(identifier)
      checkRequirements(table.metadata, requirements)
      if (updates.length === 0) return table
      const next = applyUpdates(table.metadata, updates, effects.now().getTime())
      const metadata = logPrevious(next, table.metadata, table.metadataLocation)
      const location = nextMetadataLocation(metadata, table.metadataLocation, effects.uuid())
      const committed = await writeAndSwap(table, {
        identifier,
        base: table.metadataLocation,
        location,
        metadata,
        snapshotId: snapshotOf(updates),
      })
      await removeUnlogged(table.io, table.metadata, metadata)
      return committed
    },

    inTurn: (identifier, attempt, signal) => store.inTurn(identifier, attempt, signal),

    async register(identifier, metadataLocation) {
      checkNames(identifier)
      await existing(identifier.namespace)
      if ((await store.pointer(identifier)) !== undefined || (await store.isView(identifier)))
        throw new TableAlreadyExistsError(tableText(identifier))
      const io = await effects.openIO(canonicalLocation(metadataLocation))
      const metadata = await readMetadataFile(io, metadataLocation)
      const change = {
        identifier,
        base: undefined,
        location: metadataLocation,
        metadata,
        snapshotId: undefined,
      }
      await makeDefinite(store, effects, io, change)
      return load(identifier)
    },

    async alone(identifier, work, signal) {
      const done = await store.alone(identifier, work, signal)
      if (done !== undefined) return done.result
      const name = tableText(identifier)
      throw new JobError('conflict', `another maintenance works on table ${name}`, {
        field: name,
        fix: 'wait until it has ended, then run again',
      })
    },

    async drop(identifier, from) {
      const name = tableText(identifier)
      const isGone = await store.remove(identifier, from).catch((error: unknown) => {
        if (store.outcomeOf(error) !== 'unknown') throw error
        throw new CommitStateUnknownError(name, from ?? 'its metadata', 'nothing: it has no entry', error)
      })
      if (isGone) return
      if (from === undefined || (await store.pointer(identifier)) === undefined)
        throw new NoSuchTableError(name)
      throw new CommitFailedError(`another commit to table ${name} came first`)
    },

    async rename(from, to) {
      checkNames(to)
      await existing(to.namespace)
      if (!(await store.rename(from, to))) throw new NoSuchTableError(tableText(from))
    },

    async listTables(namespace) {
      await existing(namespace)
      return (await store.tables(namespace)).sort().map((name) => ({ namespace, name }))
    },

    entries: () => store.entries(),

    everyProperty: () => store.everyProperty(),

    async createNamespace(namespace, properties = {}) {
      checkNames({ namespace, name: 'a' })
      if ((await store.properties(namespace)) !== undefined)
        throw new NamespaceAlreadyExistsError(namespaceText(namespace))
      const isEmpty = Object.keys(properties).length === 0
      await store.setProperties(namespace, isEmpty ? { [existsProperty]: 'true' } : properties)
    },

    async listNamespaces() {
      return (await store.namespaces()).sort().map((text) => text.split('.'))
    },

    namespaceProperties: existing,

    async updateNamespace(namespace, updates, removals) {
      const before = await existing(namespace)
      const remaining = Object.keys({ ...before, ...updates }).some((key) => !removals.includes(key))
      await store.setProperties(namespace, remaining ? updates : { ...updates, [existsProperty]: 'true' })
      await store.removeProperties(
        namespace,
        removals.filter((key) => remaining || key !== existsProperty),
      )
    },

    async dropNamespace(namespace) {
      await existing(namespace)
      const text = namespaceText(namespace)
      const children = (await store.namespaces()).filter((other) => other.startsWith(`${text}.`))
      if (children.length > 0 || (await store.tables(namespace)).length > 0)
        throw new JobError('conflict', `namespace ${text} is not empty`, {
          field: text,
          fix: 'drop or rename its tables and namespaces first',
        })
      await store.removeNamespace(namespace)
    },
  }
}

/** PyIceberg takes `#` and `?` of a location for the beginning of a URI's fragment or query, and opens another path. */
const folderName = (text: string): string => text.replace(/[#?]/g, '_')

type LoadedTable = Table & { readonly metadataLocation: string }

/** The id of the snapshot that the updates add, if they add one. */
const snapshotOf = (updates: readonly TableUpdate[]): bigint | undefined =>
  updates.find((update) => update.action === 'add-snapshot')?.snapshot['snapshot-id']

/** The columns of the SQL catalog's tables hold 255 characters; levels are joined by dots. */
function checkNames({ namespace, name }: TableIdentifier): void {
  const isBad = (level: string): boolean => level === '' || level.includes('.')
  if (namespace.length === 0 || namespace.some(isBad) || name === '')
    throw usageError(`bad table name ${tableText({ namespace, name })}`, {
      field: namespaceText(namespace),
      fix: 'use namespace.table; no part may be empty, no namespace may contain a dot',
    })
  if (name.length > 255 || namespaceText(namespace).length > 255)
    throw usageError(`table name ${tableText({ namespace, name })} is longer than the catalog holds`, {
      field: name,
      fix: 'use names of at most 255 characters',
    })
}
