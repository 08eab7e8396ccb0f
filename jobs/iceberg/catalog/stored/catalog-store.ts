import type { FileIO } from '../../../storage/file-io.ts'
import type { CatalogEntry, CommitLog, Namespace, NamespaceProperty, TableIdentifier } from '../catalog.ts'

/**
 * What differs between catalogs whose metadata files this process writes: where the pointers are kept and how
 * they are swapped. Texts are compared byte by byte.
 */
export interface CatalogStore {
  readonly name: string
  /** Pointers of the catalog of that name in the same store. */
  sibling(name: string): CatalogStore
  /** The table's metadata location; undefined for no such table (a view is none). */
  pointer(identifier: TableIdentifier): Promise<string | undefined>
  /** Whether the name is a view's, which takes it from tables. */
  isView(identifier: TableIdentifier): Promise<boolean>
  /** False when the name is taken. */
  insert(identifier: TableIdentifier, location: string): Promise<boolean>
  /** The compare-and-set: false when the pointer is not `from`. */
  swap(identifier: TableIdentifier, from: string, to: string): Promise<boolean>
  /** False for no such table, or one whose pointer is not `from`. */
  remove(identifier: TableIdentifier, from?: string): Promise<boolean>
  /** False for no such table. Errors: `TableAlreadyExistsError`. */
  rename(from: TableIdentifier, to: TableIdentifier): Promise<boolean>
  /** All entries, views and those of other catalogs in the same store among them. */
  entries(): Promise<CatalogEntry[]>
  /** Properties of all namespaces, those of other catalogs in the same store among them. */
  everyProperty(): Promise<NamespaceProperty[]>
  tables(namespace: Namespace): Promise<string[]>
  namespaces(): Promise<string[]>
  /** Undefined for no such namespace. */
  properties(namespace: Namespace): Promise<Record<string, string> | undefined>
  setProperties(namespace: Namespace, updates: Readonly<Record<string, string>>): Promise<void>
  removeProperties(namespace: Namespace, keys: readonly string[]): Promise<void>
  /** The namespace's properties, all of them: what makes an empty one exist. */
  removeNamespace(namespace: Namespace): Promise<void>
  /** Runs `work` when no other writer of ours works on the table, or after a bounded wait; `signal` ends the wait. */
  inTurn<T>(identifier: TableIdentifier, work: () => Promise<T>, signal?: AbortSignal): Promise<T>
  /** Runs `work` when nobody else does so on the table; undefined, and not at all, when somebody does. */
  alone<T>(
    identifier: TableIdentifier,
    work: () => Promise<T>,
    signal?: AbortSignal,
  ): Promise<{ readonly result: T } | undefined>
  /**
   * What a failed `insert`, `swap` or `remove` means: `refused` did not happen and will not, `unsent` never reached the
   * store, `unknown` may have happened or may do so yet.
   */
  outcomeOf(error: unknown): 'refused' | 'unsent' | 'unknown'
}

/** The effects of a catalog. */
export interface CatalogEffects {
  readonly now: () => Date
  readonly uuid: () => string
  readonly sleep: (ms: number) => Promise<void>
  /** The store of a canonical location. */
  readonly openIO: (location: string) => Promise<FileIO>
  readonly log?: CommitLog
  /** Whether each commit leaves the newest metadata file's name in `version-hint.text` (version-hint.ts). */
  readonly versionHint?: boolean
}
