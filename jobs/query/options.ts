import type { Catalog } from '../iceberg/catalog/catalog.ts'
import type { Predicate } from '../iceberg/expression/predicate.ts'
import type { Schema } from '../iceberg/schema/schema.ts'
import type { SnapshotChoice } from '../lake/snapshot-choice.ts'
import type { OutputFormat, QueryEngine, StoreAccess } from './protocol.ts'

/** Rows that are in no catalog, as SQL. */
export interface ExtraRows {
  /** A query whose columns are those of the table's schema. */
  readonly sql: string
  /** What it reads. */
  readonly paths: readonly string[]
  /** What there is to say of it in an explained plan. */
  readonly note: string
}

/** A table beside those of the catalog. */
export interface ExtraTable {
  /** Its columns; their ids mean nothing outside. */
  readonly schema: Schema
  /** Makes its rows, those at least that `wanted` lets through, readable below `scratch`, a local folder. */
  readonly open: (wanted: Predicate, scratch: string) => Promise<ExtraRows>
}

export interface QueryOptions {
  readonly sql: string
  readonly choice: SnapshotChoice
  readonly format: OutputFormat
  /** Columns of the terminal; undefined: there is none. */
  readonly width: number | undefined
  readonly timeoutMs: number
  readonly threads: number
  readonly memoryLimit: number
  readonly scratch: string
  readonly maxDownload: number
}

export interface QueryStores {
  /** Started, and closed by its owner. */
  readonly engine: QueryEngine
  /** Opened when a statement names a table of it, or seems to (foreseen.ts), once. */
  readonly catalog: () => Promise<Catalog>
  /** By their names. */
  readonly extras: ReadonlyMap<string, ExtraTable>
  /** How the engine reads these buckets itself; undefined: it does not. */
  readonly storeAccess: (buckets: readonly string[]) => Promise<StoreAccess | undefined>
}
