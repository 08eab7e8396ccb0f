import { tableText } from '../iceberg/catalog/catalog.ts'
import type { TablePlan } from '../postgres/source/plan.ts'
import { fileColumns } from './columns.ts'
import type { ExportRun, TableExport } from './export-run.ts'
import { intervalOf } from './intervals.ts'
import { partitionSources } from './read/read-table.ts'
import type { ReadTotals } from './read/pool.ts'
import type { Scope } from './scope.ts'
import type { TableTarget } from './table-target.ts'
import { createDataFiles, type DataFilesWriter } from './write/data-files.ts'
import { writeSettings, type WriteSettings } from './write-settings.ts'
import { createPlainFiles, type PlainFiles } from './write/plain-files.ts'

/** The files that an export of one table writes. */
export interface Files {
  readonly data: DataFilesWriter | undefined
  readonly plain: PlainFiles | undefined
  /** In the names of data files and manifests. */
  readonly operationId: string
  readonly settings: WriteSettings
}

/** Opens what the formats ask for; nothing is visible yet. */
export async function openFiles(
  { options, context, parquetIO }: ExportRun,
  { pair: { folder }, plan }: TableExport,
  target: TableTarget,
  scope: Scope,
  operationId: string,
): Promise<Files> {
  const { metadata, io } = target.table
  const { columns } = fileColumns(plan.columns, target.schema)
  const settings = writeSettings(options, metadata.properties, (level, line) => {
    context.logger[level]({ table: tableText(target.table.identifier) }, line)
  })
  const common = { columns, schema: target.schema, signal: context.signal }
  const data = options.formats.has('iceberg')
    ? createDataFiles({
        ...common,
        io,
        location: metadata.location,
        properties: metadata.properties,
        specId: target.spec['spec-id'],
        fields: scope.fields.slice(0, scope.own),
        targetBytes: settings.targetFileBytes,
        operationId,
      })
    : undefined
  const plain = options.formats.has('parquet')
    ? await createPlainFiles(
        {
          ...common,
          io: parquetIO,
          folder: options.parquetLocation,
          table: folder,
          scope: options.scope,
          scratch: options.scratch,
        },
        plan.dayColumn,
      )
    : undefined
  return { data, plain, operationId, settings }
}

/** Reads the table into the files. Throws unless every row that was read is written. */
export async function readInto(
  { options, context, pool, access }: ExportRun,
  plan: TablePlan,
  target: TableTarget,
  scope: Scope,
  files: Files,
): Promise<ReadTotals> {
  const { columns, types } = fileColumns(plan.columns, target.schema)
  const { codec, level, pages, groupBytes } = files.settings
  const bar = context.progress.start(`export ${plan.table.name}`, plan.estimatedRows, 'rows')
  let written = 0
  try {
    const totals = await pool.read(
      {
        access,
        plan,
        partition: partitionSources(scope.fields, columns, types),
        groupRows: options.groupRows,
        groupBytes,
        maxRowBytes: options.maxRowBytes,
      },
      { columns, types, codec, level, pages },
      async ({ partition, rowGroup }) => {
        context.signal.throwIfAborted()
        const own = { partition: partition.slice(0, scope.own), rowGroup }
        const interval = intervalOf(partition, scope.dayField)
        await Promise.all([files.data?.add(own, interval), files.plain?.add(rowGroup, interval)])
        bar.add(rowGroup.rowCount)
        written += rowGroup.rowCount
      },
    )
    assertAllWritten(target, totals.rows, written)
    return totals
  } finally {
    bar.done()
  }
}

/** Whatever goes wrong between the source and the files, other rows than were read are never published. */
function assertAllWritten({ table }: TableTarget, read: number, written: number): void {
  if (written === read) return
  throw new Error(`${tableText(table.identifier)}: ${read} rows were read, the files have ${written}`)
}
