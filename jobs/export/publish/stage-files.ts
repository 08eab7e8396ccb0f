import { tableText } from '../../iceberg/catalog/catalog.ts'
import type { TablePlan } from '../../postgres/source/plan.ts'
import { renamesOf } from '../target/own-renames.ts'
import { fileColumns } from '../target/columns.ts'
import { readerOf, type ExportRun, type TableExport } from '../export-run.ts'
import { assertOwnFolder } from './own-folder.ts'
import { intervalOf } from '../../provenance/intervals.ts'
import { partitionSources } from '../read/read-table.ts'
import type { ReadTotals } from '../read/pool.ts'
import type { Scope } from '../target/scope.ts'
import type { TableTarget } from '../target/table-target.ts'
import type { WriteSettings } from '../../iceberg/writer/write-settings.ts'
import { createPlainFiles } from '../write/plain-files.ts'
import { icebergSink } from './iceberg-sink.ts'
import { plainSink } from './plain-sink.ts'
import type { Sink } from './sink.ts'

/** Opens what the formats ask for, in the order in which they are published; nothing is visible yet. */
export async function openSinks(
  run: ExportRun,
  { pair, plan }: TableExport,
  target: TableTarget,
  scope: Scope,
  settings: WriteSettings,
  operationId: string,
): Promise<readonly Sink[]> {
  const { options, context, parquetIO } = run
  const { columns } = fileColumns(plan.columns, target.schema)
  const sinks: Sink[] = []
  if (options.formats.has('iceberg'))
    sinks.push(
      icebergSink(run, target, scope, { columns, targetBytes: settings.targetFileBytes, operationId }),
    )
  if (options.formats.has('parquet')) {
    const files = await createPlainFiles(
      {
        io: parquetIO,
        folder: options.parquetLocation,
        table: pair.folder,
        scope: options.scope,
        scratch: options.scratch,
        columns,
        schema: target.schema,
        signal: context.signal,
      },
      plan.dayColumn,
    )
    try {
      await assertOwnFolder(parquetIO, options.parquetLocation, pair, options.scope)
      const renames = renamesOf(options.renames, pair.source)
      const table = tableText(target.table.identifier)
      sinks.push(await plainSink(run, table, readerOf(run, pair, plan), plan, renames, files))
    } catch (error) {
      await files.discard()
      throw error
    }
  }
  return sinks
}

/** Reads the table into the sinks. Throws unless every row that was read is written. */
export async function readInto(
  { options, context, pool, access }: ExportRun,
  plan: TablePlan,
  target: TableTarget,
  scope: Scope,
  settings: WriteSettings,
  sinks: readonly Sink[],
): Promise<ReadTotals> {
  const { columns, types } = fileColumns(plan.columns, target.schema)
  const { codec, level, pages, groupBytes } = settings
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
        scratch: options.scratch,
        maxRowBytes: options.maxRowBytes,
      },
      { columns, types, codec, level, pages },
      async ({ partition, rowGroup }) => {
        context.signal.throwIfAborted()
        const interval = intervalOf(partition, scope.dayField)
        const rows = { partition: partition.slice(0, scope.own), interval, rowGroup }
        await Promise.all(sinks.map((sink) => sink.add(rows)))
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
