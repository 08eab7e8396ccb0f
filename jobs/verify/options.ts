import type { KeyObject } from 'node:crypto'
import type { DayRange } from '../calendar.ts'
import type { Catalog, TableIdentifier } from '../iceberg/catalog/catalog.ts'
import type { FileIO } from '../storage/file-io.ts'
import type { SourceConnection } from '../postgres/snapshot.ts'
import type { TableName } from '../postgres/identifiers.ts'
import type { GroupHasher } from './pages/group-threads.ts'

/** A table of the lake, and where its rows are of. */
export interface VerifiedTable {
  readonly target: TableIdentifier
  /** Its name among the folders of plain Parquet. */
  readonly folder: string
  /** Undefined: as its newest export says; without one it is compared with what was written alone. */
  readonly source: TableName | undefined
}

export interface VerifyOptions {
  /** Undefined: all tables of the catalog that are ours (`isManaged`). */
  readonly tables: readonly VerifiedTable[] | undefined
  /** Nobody named tables: one that cannot tell days apart is left out where days are asked for. */
  readonly isAll: boolean
  /** What `lakejobs.yaml` calls the tables' source; '': the main one. */
  readonly source: string
  /** Names of plain Parquet's folders are without it. */
  readonly namespace: string
  readonly formats: ReadonlySet<'iceberg' | 'parquet'>
  /** Undefined: all days, and rows without one. */
  readonly days: DayRange | undefined
  /** With what the lake is compared: the source as it is now, too, or what the exports wrote alone. */
  readonly against: 'source' | 'written'
  /** Of hashed columns, to read the source's alike; `none`: it is not set. Undefined where the source is not read. */
  readonly hashKey?: KeyObject | 'none' | undefined
  /** Numbers of rows only, by metadata and footers. */
  readonly counts: boolean
  /** Where an interval differs from the source: which rows do. */
  readonly deep: boolean
  /** `--key`: columns by which `deep` tells rows apart; undefined: the primary key, else all columns. */
  readonly key: readonly string[] | undefined
  /** What could not be verified, and a source that has changed since, fail the run. */
  readonly strict: boolean
  readonly rowSecurity: boolean
  readonly connections: number
  readonly lockTimeoutMs: number
  readonly maxRowBytes: number
  readonly memoryLimit: number
  /** A local folder, a path. */
  readonly scratch: string
  readonly maxDownload: number
}

export interface VerifyStores {
  readonly catalog: Catalog
  readonly parquetIO: FileIO
  /** The folder of all tables' plain files, a location. */
  readonly parquetLocation: string
  readonly connectSource: (tables: readonly TableName[]) => Promise<SourceConnection>
  /** Where rows are compared with what was written alone; the caller closes it. */
  readonly hasher: GroupHasher | undefined
}
