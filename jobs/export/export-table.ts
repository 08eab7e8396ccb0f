import { randomUUID } from 'node:crypto'
import type { Day } from '../calendar.ts'
import { JobError } from '../errors.ts'
import { tableText } from '../iceberg/catalog/catalog.ts'
import type { RowFilter } from '../iceberg/row-filter.ts'
import { formatTable } from '../postgres/identifiers.ts'
import type { TableSummary } from '../summary.ts'
import { fileColumns, wantedColumns } from './columns.ts'
import { commitTable, type StagedTable } from './commit-table.ts'
import { rangesOf } from './day-range.ts'
import { describePlan } from './describe-plan.ts'
import type { ExportRun, TableExport } from './export-run.ts'
import { intervalsOf } from './intervals.ts'
import { unchangedDays } from './lookback.ts'
import { isIn, rowsOf, type Replaced, type SourceRead } from './provenance.ts'
import { decidePlain, plainRows, publishPlain } from './publish-plain.ts'
import type { ReadTotals } from './read/pool.ts'
import { filterOf, scopeOf, type Scope } from './scope.ts'
import { assertNoShrink, scopeSize, type ScopeSize } from './shrink-guard.ts'
import { openFiles, readInto, type Files } from './stage-files.ts'
import { summarise } from './summarise.ts'
import { assertPartitionable, loadTable, prepareTarget, type TableTarget } from './table-target.ts'
import type { DataFilesWriter } from './write/data-files.ts'
import { codecProperties } from './write-settings.ts'

/** Reads one table, writes its files and commits them: stage first, then one swap. */
export async function exportTable(run: ExportRun, work: TableExport): Promise<TableSummary> {
  const { options } = run
  const { pair, plan, existing } = work
  const target = await prepareTarget(
    run.catalog,
    existing,
    {
      identifier: pair.target,
      // A new table's columns are optional; one that has required columns keeps them while the source does.
      columns: wantedColumns(plan.columns, options.required || existing !== undefined),
      partitionBy: options.formats.has('iceberg') ? options.partitionBy : undefined,
      newTablesBy: options.formats.has('iceberg') ? options.newTablesBy : [],
      dayColumn: plan.dayColumn,
      renames: options.renames,
      upgrade: options.upgrade,
      properties: codecProperties(options.codec),
    },
    run.context.now().getTime(),
  )
  assertPartitionable(target, plan)
  const scope = scopeOf(target, plan, options)
  if (options.dryRun) {
    const before = await sizeOf(target, filterOf(scope, replacedBy(scope, [])))
    const planned = describePlan({ plan, target, before, options })
    return { table: tableText(pair.target), status: 'ok', mode: options.scope.mode, plan: planned }
  }
  // A killed run leaves files that only its log names.
  const operationId = randomUUID()
  if (options.formats.has('iceberg')) {
    const fields = {
      table: tableText(pair.target),
      operation: operationId,
      folder: target.table.metadata.location,
      ...(target.changes.length > 0 && { changes: target.changes }),
    }
    run.context.logger.info(fields, 'data files and manifests of this run have the operation in their names')
  }
  const files = await openFiles(run, work, target, scope, operationId)
  try {
    return await writeTable(run, work, target, scope, files)
  } finally {
    await files.plain?.discard()
  }
}

async function writeTable(
  run: ExportRun,
  work: TableExport,
  target: TableTarget,
  scope: Scope,
  files: Files,
): Promise<TableSummary> {
  const { options, context } = run
  const table = tableText(work.pair.target)
  let isCommitted = false
  try {
    const totals = await readInto(run, work.plan, target, scope, files)
    work.onRead()
    const read = sourceRead(run, work, target, scope, totals)
    const plain = files.plain && (await decidePlain(files.plain, read, options.onlyChanged))
    if (plain !== undefined)
      assertNoShrink(`${table} (Parquet)`, ...plainRows(plain, read), options.maxShrink)
    const staged = files.data && (await stageTable(run, target, scope, read, files.data))
    context.signal.throwIfAborted()
    const committed = staged && (await commitTable(run, target, scope, read, staged, files.operationId))
    isCommitted = committed !== undefined && committed.kind !== 'superseded'
    if (committed?.kind === 'superseded') {
      context.logger.info(
        { table, snapshot: String(committed.by['snapshot-id']) },
        'a later read is in the table',
      )
      await discard(run, table, files)
      return { table, status: 'superseded', mode: options.scope.mode, rows: totals.rows }
    }
    const published = files.plain && plain && (await publishPlain(files.plain, read, plain))
    if (published !== undefined && published.superseded.length > 0)
      context.logger.info({ table, files: published.superseded }, 'a later read is in the Parquet files')
    return summarise(table, options, scope, read, { staged, committed, plain, published })
  } catch (error) {
    const mayBeNeeded = isCommitted || (error instanceof JobError && error.code === 'unknownCommit')
    if (!mayBeNeeded) await discard(run, table, files)
    throw error
  }
}

async function discard({ context }: ExportRun, table: string, { data }: Files): Promise<void> {
  const left = (await data?.discard()) ?? []
  if (left.length > 0) context.logger.warn({ table, files: left }, 'data files could not be removed')
}

/** Decides what is replaced, and finishes the files that come in its place. */
async function stageTable(
  run: ExportRun,
  target: TableTarget,
  scope: Scope,
  read: SourceRead,
  data: DataFilesWriter,
): Promise<StagedTable> {
  const replaced = replacedBy(scope, await unchangedIn(run, target, scope, read))
  const { rows } = await sizeOf(target, filterOf(scope, replaced))
  assertNoShrink(tableText(target.table.identifier), rows, rowsOf(read, replaced), run.options.maxShrink)
  return { replaced, addFiles: await data.finish((interval) => isIn(replaced, interval)) }
}

/** What is replaced of the table when some days are left as they are. */
const replacedBy = ({ days }: Scope, unchanged: readonly Day[]): Replaced =>
  days === undefined ? 'full' : rangesOf(days.all.filter((day) => !unchanged.includes(day)))

/** `--lookback`: days that are in the table as they were read, by the table as it is now. */
async function unchangedIn(
  { options, catalog }: ExportRun,
  { table, isNew }: TableTarget,
  { days }: Scope,
  read: SourceRead,
): Promise<Day[]> {
  if (!options.onlyChanged || isNew || days === undefined) return []
  const now = await loadTable(catalog, table.identifier)
  if (now?.metadata['table-uuid'] !== table.metadata['table-uuid']) return []
  return unchangedDays(now, days.column, days.all, read)
}

const sizeOf = async ({ isNew, table }: TableTarget, filter: RowFilter): Promise<ScopeSize> =>
  isNew ? { rows: 0, files: 0 } : scopeSize(table, filter)

function sourceRead(
  { context, sourceTime }: ExportRun,
  { pair, plan }: TableExport,
  { schema }: TableTarget,
  { dayField }: Scope,
  { fingerprints }: ReadTotals,
): SourceRead {
  return {
    runId: context.runId,
    source: formatTable(pair.source),
    sourceTime,
    fieldIds: fileColumns(plan.columns, schema).columns.map(({ fieldId }) => fieldId),
    intervals: intervalsOf(fingerprints, dayField),
  }
}
