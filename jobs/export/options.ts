import type { Day } from '../calendar.ts'
import type { CodecName } from '../parquet/codec.ts'
import type { PartitionExpression } from '../iceberg/partition/transforms.ts'
import type { Catalog } from '../iceberg/catalog/catalog.ts'
import type { ColumnOptions } from '../postgres/source/columns.ts'
import type { Sections } from '../postgres/source/own-options.ts'
import type { FileIO } from '../storage/file-io.ts'
import type { TablePair } from './target/names.ts'

export const exportFormats = ['parquet', 'iceberg'] as const
export type ExportFormat = (typeof exportFormats)[number]

/** What a run replaces: everything, or the days `from` … `to`. */
export type ExportScope =
  { readonly mode: 'full' } | { readonly mode: 'day'; readonly from: Day; readonly to: Day }

/** A table of a call. */
export interface ExportedTable {
  readonly pair: TablePair
  readonly options: ExportOptions
  /** Who gave its flags' values. */
  readonly sections?: Sections
  readonly stores: TableStores
}

/** Where a table is written to. */
export interface TableStores {
  readonly catalog: Catalog
  /** A catalog in memory over the same warehouse, for dry runs. */
  readonly inMemory: Catalog
  /** The store of plain Parquet. */
  readonly parquetIO: FileIO
}

/** What is asked of one table. */
export interface ExportOptions extends ColumnOptions {
  /** `--where`: SQL of the source that rows have to meet. */
  readonly where?: string
  /** `--new-columns`: what becomes of columns that the lake's table has not. */
  readonly newColumns?: 'add' | 'warn' | 'fail'
  /** `--new-tables`: whether the table is exported if the lake has it not. */
  readonly newTables?: 'export' | 'warn' | 'fail'
  /** `--replace-table`: columns whose type cannot follow are made anew. */
  readonly replaceTable?: boolean
  /** `--drop-columns`: what `--columns` may leave out of targets that have it. */
  readonly dropColumns?: readonly string[]
  readonly formats: ReadonlySet<ExportFormat>
  readonly scope: ExportScope
  /** `--skip-unchanged`, `--lookback`: what is in the lake as it was read is left as it is. */
  readonly onlyChanged: boolean
  /** `--day-column`; undefined: the table's day() source, else the only date or timestamp column. */
  readonly dayColumn: string | undefined
  /** `--partition-by`; undefined: not said. Changes a table that exists, too. */
  readonly partitionBy: readonly PartitionExpression[] | undefined
  /** `EXPORT_PARTITION_BY`: of tables that full exports make (operations-spec §1.4). */
  readonly newTablesBy: readonly PartitionExpression[]
  /** `--rename`: old name → new name of columns that keep their ids. */
  readonly renames: Readonly<Record<string, string>>
  /** `--upgrade`: make a table of format version 1 version 2. */
  readonly upgrade: boolean
  /** Keep NOT NULL where a new table is made. */
  readonly required: boolean
  readonly rowSecurity: boolean
  /** Share of a replaced scope's rows that may go (0–1). */
  readonly maxShrink: number
  /** Undefined, this and the next: as the table's properties say (write-settings.ts). */
  readonly codec: CodecName | undefined
  readonly targetFileBytes: number | undefined
  readonly groupRows: number
  readonly groupBytes: number | undefined
  readonly maxRowBytes: number
  /** Connections that read. */
  readonly connections: number
  readonly lockTimeoutMs: number
  /** Where plain Parquet goes, a location. */
  readonly parquetLocation: string
  /** Local folder, a path: rows wait there for their file, of plain Parquet of many days and of many partitions. */
  readonly scratch: string
  readonly dryRun: boolean
}
