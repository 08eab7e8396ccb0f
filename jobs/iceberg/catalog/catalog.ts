import type { FileIO } from '../../storage/file-io.ts'
import type { TableMetadata } from '../metadata/metadata.ts'
import type { PartitionSpec } from '../partition/partition-spec.ts'
import type { TableRequirement } from '../metadata/requirements.ts'
import type { Schema } from '../schema/schema.ts'
import type { TableUpdate } from '../metadata/updates.ts'

/** The levels of a namespace, at least one; no level contains a dot (other SQL catalogs cannot tell them apart). */
export type Namespace = readonly string[]

export interface TableIdentifier {
  readonly namespace: Namespace
  readonly name: string
}

/** A table as its catalog knows it now. Data and metadata are reached through `io` only. */
export interface Table {
  readonly identifier: TableIdentifier
  readonly metadata: TableMetadata
  /** Undefined for a staged table, which no reader can see yet. */
  readonly metadataLocation: string | undefined
  /** What the catalog says beside the metadata (a REST catalog's credentials and overrides). */
  readonly config: Readonly<Record<string, string>>
  readonly io: FileIO
}

/** What a new table starts with. */
export interface TableCreation {
  /** Field ids are assigned anew. */
  readonly schema: Schema
  /** Its `source-id`s refer to the ids of `schema` as given. */
  readonly spec?: PartitionSpec
  /** The catalog's default location without. */
  readonly location?: string
  readonly properties?: Readonly<Record<string, string>>
}

/**
 * Names of tables and the atomic swap of their metadata. Requirement-based, as the REST catalog is: how the
 * swap is made is the implementation's own. Implementations: memory.ts, sql.ts; one behaviour suite runs over
 * both (tests/iceberg/catalog/behaviour.ts).
 */
export interface Catalog {
  readonly name: string

  /** The catalog of that name in the same store; a store of one catalog has but that. */
  sibling(name: string): Catalog

  /** Errors: `NoSuchTableError`, `NameIsViewError`. */
  load(identifier: TableIdentifier): Promise<Table>

  /** A table that only this process knows, to write files for; `create` makes it visible. */
  stageCreate(identifier: TableIdentifier, creation: TableCreation): Promise<Table>

  /**
   * Creates a staged table, with `updates` (its first snapshot) if there are any, in one step. Errors:
   * `TableAlreadyExistsError`, `NoSuchNamespaceError`, `CommitStateUnknownError`.
   */
  create(staged: Table, updates: readonly TableUpdate[]): Promise<Table>

  /** Errors: `NoSuchTableError`, `CommitFailedError` (refresh, try again), `CommitStateUnknownError`. */
  commit(
    identifier: TableIdentifier,
    requirements: readonly TableRequirement[],
    updates: readonly TableUpdate[],
  ): Promise<Table>

  /**
   * Runs one attempt, from refresh to commit, while no other writer of ours makes one on this table; after a
   * bounded wait it runs anyway, unless `signal` ends the wait with its reason. Writers of others are never held up.
   */
  inTurn<T>(identifier: TableIdentifier, attempt: () => Promise<T>, signal?: AbortSignal): Promise<T>

  /** Runs `work` while no other maintenance of ours works on the table. Errors: `JobError` conflict, where another does. */
  alone<T>(identifier: TableIdentifier, work: () => Promise<T>, signal?: AbortSignal): Promise<T>

  /**
   * Makes an entry for a table whose metadata file is there already. Errors: `TableAlreadyExistsError`,
   * `NoSuchNamespaceError`; `JobError` data for a file that is not there or no metadata.
   */
  register(identifier: TableIdentifier, metadataLocation: string): Promise<Table>

  /**
   * Forgets a table; its files stay. `from`: only while the pointer is there. Errors: `NoSuchTableError`;
   * `CommitFailedError`, where the pointer is another one; `CommitStateUnknownError`.
   */
  drop(identifier: TableIdentifier, from?: string): Promise<void>

  /** Errors: `NoSuchTableError`, `TableAlreadyExistsError`, `NoSuchNamespaceError`. */
  rename(from: TableIdentifier, to: TableIdentifier): Promise<void>

  /** Sorted by name; views are not listed. Errors: `NoSuchNamespaceError`. */
  listTables(namespace: Namespace): Promise<TableIdentifier[]>

  /**
   * Everything that the catalog's store has, of every catalog name, views too: whoever removes files must know whose they
   * may be.
   */
  entries(): Promise<CatalogEntry[]>

  /** Properties of all namespaces, of every catalog name in the store. */
  everyProperty(): Promise<NamespaceProperty[]>

  /** Errors: `NamespaceAlreadyExistsError`. */
  createNamespace(namespace: Namespace, properties?: Readonly<Record<string, string>>): Promise<void>

  /** All namespaces, sorted. */
  listNamespaces(): Promise<Namespace[]>

  /** Errors: `NoSuchNamespaceError`. */
  namespaceProperties(namespace: Namespace): Promise<Readonly<Record<string, string>>>

  /** Sets some properties and removes others. Errors: `NoSuchNamespaceError`. */
  updateNamespace(
    namespace: Namespace,
    updates: Readonly<Record<string, string>>,
    removals: readonly string[],
  ): Promise<void>

  /** Errors: `NoSuchNamespaceError`; `JobError` conflict while it has tables or child namespaces. */
  dropNamespace(namespace: Namespace): Promise<void>
}

/** A table or view as a catalog's store has it. */
export interface CatalogEntry {
  /** The catalog's name. */
  readonly catalog: string
  /** `a.b` */
  readonly namespace: string
  readonly name: string
  readonly isView: boolean
  readonly metadataLocation: string
}

/** Whether an entry is that of a table in the catalog of that name. */
export const isEntryOf = (
  entry: Pick<CatalogEntry, 'catalog' | 'namespace' | 'name'>,
  catalog: string,
  { namespace, name }: TableIdentifier,
): boolean => entry.catalog === catalog && entry.namespace === namespaceText(namespace) && entry.name === name

/** A property of a namespace as a catalog's store has it. */
export interface NamespaceProperty {
  /** The catalog's name. */
  readonly catalog: string
  /** `a.b` */
  readonly namespace: string
  readonly key: string
  readonly value: string
}

/** `a.b`, as SQL catalogs store it. */
export const namespaceText = (namespace: Namespace): string => namespace.join('.')

/** `a.b.table`, as messages show it. */
export const tableText = ({ namespace, name }: TableIdentifier): string => [...namespace, name].join('.')

/** Takes what the log must say of a commit: the files that an attempt writes, and those that stay behind. */
export type CommitLog = (
  level: 'info' | 'warn',
  fields: Readonly<Record<string, unknown>>,
  message: string,
) => void
