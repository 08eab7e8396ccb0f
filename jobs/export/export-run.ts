import type { JobContext } from '../context.ts'
import type { Catalog, Table } from '../iceberg/catalog/catalog.ts'
import type { SnapshotAccess } from '../postgres/snapshot.ts'
import type { TablePlan } from '../postgres/source/plan.ts'
import type { FileIO } from '../storage/file-io.ts'
import type { TablePair } from './names.ts'
import type { ExportOptions } from './options.ts'
import type { ReaderPool } from './read/pool.ts'

/** What the tables of one run share. */
export interface ExportRun {
  readonly options: ExportOptions
  readonly context: JobContext
  readonly catalog: Catalog
  readonly parquetIO: FileIO
  readonly pool: ReaderPool
  readonly access: SnapshotAccess
  /** When the source's snapshot was taken. */
  readonly sourceTime: string
}

export interface TableExport {
  readonly pair: TablePair
  readonly plan: TablePlan
  /** As it was loaded before the source's snapshot was taken; undefined when there was none. */
  readonly existing: Table | undefined
  /** Called when all of its rows are read. */
  readonly onRead: () => void
}
