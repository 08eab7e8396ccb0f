import type { JobContext } from '../context.ts'
import type { Catalog, Table } from '../iceberg/catalog/catalog.ts'
import type { SnapshotAccess, SourceServer } from '../postgres/snapshot.ts'
import type { TablePlan } from '../postgres/source/plan.ts'
import type { FileIO } from '../storage/file-io.ts'
import { demoMark } from '../postgres/demo-table.ts'
import { formatTable } from '../postgres/identifiers.ts'
import type { SourceRead } from '../provenance/provenance.ts'
import type { TablePair } from './target/names.ts'
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
  /** Where the source is. */
  readonly server: SourceServer
}

/** Of which table, and at which time, a run reads. */
export const readerOf = (
  { server, sourceTime }: Pick<ExportRun, 'server' | 'sourceTime'>,
  { source }: TablePair,
  { comment }: Pick<TablePlan, 'comment'>,
): Pick<SourceRead, 'source' | 'sourceTime'> => ({
  source: {
    table: formatTable(source),
    ...server,
    ...(comment?.includes(demoMark) === true ? { isDemo: true } : {}),
  },
  sourceTime,
})

export interface TableExport {
  readonly pair: TablePair
  readonly plan: TablePlan
  /** As it was loaded before the source's snapshot was taken; undefined when there was none. */
  readonly existing: Table | undefined
  /** Called when nothing that was known before stands in its way any more, before the first row. */
  readonly onPrepared: () => void
  /** Called when all of its rows are read; resolves when the tables before it are through. */
  readonly onRead: () => Promise<void>
}
