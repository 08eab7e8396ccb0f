import type { Day } from '../calendar.ts'
import type { CodecName } from '../parquet/codec.ts'
import type { PartitionExpression } from '../iceberg/transforms.ts'
import type { ColumnOptions } from '../postgres/source/columns.ts'
import type { TablePair } from './names.ts'

export const exportFormats = ['parquet', 'iceberg'] as const
export type ExportFormat = (typeof exportFormats)[number]

/** What a run replaces: everything, or the days `from` … `to`. */
export type ExportScope =
  { readonly mode: 'full' } | { readonly mode: 'day'; readonly from: Day; readonly to: Day }

export interface ExportOptions extends ColumnOptions {
  readonly tables: readonly TablePair[]
  readonly formats: ReadonlySet<ExportFormat>
  readonly scope: ExportScope
  /** `--lookback`: days that are in the lake as they were read are left out. */
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
  /** Local folder where the rows of plain Parquet of many days wait, a path. */
  readonly scratch: string
  readonly dryRun: boolean
}
