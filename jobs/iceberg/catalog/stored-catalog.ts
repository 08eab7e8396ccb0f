import { JobError, usageError } from '../../errors.ts'
import { canonicalLocation } from '../../storage/place.ts'
import {
  NameIsViewError,
  NamespaceAlreadyExistsError,
  NoSuchNamespaceError,
  NoSuchTableError,
  TableAlreadyExistsError,
} from '../errors.ts'
import { checkRequirements } from '../requirements.ts'
import { applyUpdates, logPrevious, type TableUpdate } from '../updates.ts'
import {
  namespaceText,
  tableText,
  type Catalog,
  type Namespace,
  type Table,
  type TableIdentifier,
} from './catalog.ts'
import type { CatalogEffects, CatalogStore } from './catalog-store.ts'
import type { PointerChange } from './arrival.ts'
import { makeDefinite } from './definite-commit.ts'
import { nextMetadataLocation, readMetadataFile, removeUnlogged, writeMetadataFile } from './metadata-file.ts'
import { newTableMetadata } from './table-creation.ts'

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
    const io = await effects.openIO(canonicalLocation(metadataLocation))
    const metadata = await readMetadataFile(io, metadataLocation)
    const loaded = { identifier, metadata, metadataLocation, config: {}, io }
    seen.set(tableText(identifier), loaded)
    return loaded
  }

  const existing = async (namespace: Namespace): Promise<Record<string, string>> => {
    const properties = await store.properties(namespace)
    if (properties === undefined) throw new NoSuchNamespaceError(namespaceText(namespace))
    return properties
  }

  /** Writes the file, makes the change; a file that lost for certain is removed again. */
  const publish = async (table: Table, change: PointerChange): Promise<Table> => {
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
    const published = { ...table, metadata: change.metadata, metadataLocation: change.location }
    seen.set(tableText(change.identifier), published)
    return published
  }

  return {
    name: store.name,
    load,

    async stageCreate(identifier, creation) {
      checkNames(identifier)
      const { location: folder } = await existing(identifier.namespace)
      const parent = folder ?? `${warehouse}/${namespaceText(identifier.namespace)}`
      const location = creation.location ?? `${parent.replace(/\/+$/, '')}/${identifier.name}`
      const io = await effects.openIO(canonicalLocation(location))
      const metadata = newTableMetadata(creation, location, effects.uuid(), effects.now().getTime())
      return { identifier, metadata, metadataLocation: undefined, config: {}, io }
    },

    async create(staged, updates) {
      const { identifier } = staged
      await existing(identifier.namespace)
      if ((await store.pointer(identifier)) !== undefined)
        throw new TableAlreadyExistsError(tableText(identifier))
      const metadata = applyUpdates(staged.metadata, updates, effects.now().getTime())
      const location = nextMetadataLocation(metadata, undefined, effects.uuid())
      return publish(staged, {
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
      const committed = await publish(table, {
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

    async drop(identifier) {
      if (!(await store.remove(identifier))) throw new NoSuchTableError(tableText(identifier))
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
