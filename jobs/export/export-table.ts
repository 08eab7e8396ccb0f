import { randomUUID } from 'node:crypto'
import { listed } from '../errors.ts'
import { tableText } from '../iceberg/catalog/catalog.ts'
import { daysFolder } from '../lake/plain-places.ts'
import { ownOptions } from '../postgres/source/own-options.ts'
import type { TablePlan } from '../postgres/source/plan.ts'
import { hashKeyId, type HashedColumns } from '../provenance/hash-key.ts'
import { intervalsOf } from '../provenance/intervals.ts'
import type { SourceRead } from '../provenance/provenance.ts'
import { join } from '../storage/place.ts'
import type { TableSummary } from '../summary.ts'
import { describePlan } from './describe-plan.ts'
import { readerOf, type ExportRun, type TableExport } from './export-run.ts'
import { replacedSize } from './publish/iceberg-sink.ts'
import type { Sink, SinkOutcome, StagedSink } from './publish/sink.ts'
import { openSinks, readInto } from './publish/stage-files.ts'
import { summarise } from './publish/summarise.ts'
import type { ReadTotals } from './read/pool.ts'
import { fileColumns, wantedColumns } from './target/columns.ts'
import { scopeOf, type Scope } from './target/scope.ts'
import { prepareTarget, type TableTarget } from './target/table-target.ts'
import { standingInTheWay } from './standing.ts'
import { targetRequest } from './target/target-request.ts'
import { writeSettings } from '../iceberg/writer/write-settings.ts'

/** Reads one table, writes its files and, when those before it are through, commits them: stage first, then one swap. */
export async function exportTable(run: ExportRun, work: TableExport): Promise<TableSummary> {
  const { options } = run
  const { pair, plan, existing } = work
  // A new table's columns are optional; one that has required columns keeps them while the source does.
  const wanted = wantedColumns(plan.columns, options.required || existing !== undefined)
  const target = await prepareTarget(
    run.catalog,
    existing,
    targetRequest(options, pair, plan, wanted),
    run.context.now().getTime(),
  )
  const scope = scopeOf(target, plan, options)
  if (options.dryRun) {
    const fault = await standingInTheWay(run, { pair, planned: { table: plan.table, plan }, existing })
    if (fault !== undefined) throw fault
    const before = await replacedSize(target, scope)
    const planned = describePlan({ plan, target, before, options })
    return { table: tableText(pair.target), status: 'ok', mode: options.scope.mode, plan: planned }
  }
  for (const warning of target.warnings) run.context.logger.warn({ table: tableText(pair.target) }, warning)
  if (!target.isNew && target.changes.length > 0)
    run.context.logger.warn(
      { table: tableText(pair.target), changes: target.changes },
      `the table changes: ${listed(target.changes, '; ')}`,
    )
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
  const settings = writeSettings(options, target.table.metadata.properties, (level, line) => {
    run.context.logger[level]({ table: tableText(pair.target) }, line)
  })
  notes(run, work, target)
  const sinks = await openSinks(run, work, target, scope, settings, operationId)
  work.onPrepared()
  try {
    const totals = await run.context.during('read', () => readInto(run, plan, target, scope, settings, sinks))
    await work.onRead()
    const read = sourceRead(run, work, target, scope, totals)
    const outcomes = await run.context.during('commit', () => publish(sinks, read, run.context.signal))
    const asText = Object.keys(textsOf(plan))
    const summary = summarise(
      tableText(pair.target),
      options,
      scope,
      read,
      outcomes,
      totals.changed,
      target.warnings,
    )
    return { ...summary, ...(asText.length > 0 && { asText }) }
  } finally {
    await Promise.all(sinks.map((sink) => sink.discard()))
  }
}

/** All are staged before the first is visible. */
async function publish(
  sinks: readonly Sink[],
  read: SourceRead,
  signal: AbortSignal,
): Promise<readonly SinkOutcome[]> {
  const staged: StagedSink[] = []
  for (const sink of sinks) staged.push(await sink.stage(read))
  signal.throwIfAborted()
  const outcomes: SinkOutcome[] = []
  for (const sink of staged) outcomes.push(await sink.publish())
  return outcomes
}

/** What is written, for whoever draws lineage: the folder of plain Parquet too. */
function notes(
  { options, context }: ExportRun,
  { pair }: TableExport,
  { table: { metadata }, schema }: TableTarget,
): void {
  const table = tableText(pair.target)
  const { location } = metadata
  const { parquetLocation: folder, scope } = options
  const plain = scope.mode === 'day' ? daysFolder(folder, pair.folder) : join(folder, pair.folder)
  if (options.formats.has('iceberg'))
    context.touches?.({ role: 'output', kind: 'lake', table, location, fields: schema.fields })
  if (options.formats.has('parquet'))
    context.touches?.({ role: 'output', kind: 'files', table, location: plain })
}

/** What is read as text without a flag is read so again, whatever the next version makes of its type. */
const textsOf = ({ columns }: TablePlan): Record<string, string> =>
  Object.fromEntries(columns.flatMap(({ name, readAs }) => (readAs === undefined ? [] : [[name, readAs]])))

function hashedIn(
  { columns, hashKey }: TablePlan,
  written: readonly { readonly fieldId: number }[],
): HashedColumns | undefined {
  const ids = written.flatMap(({ fieldId }, at) => (columns[at]?.hashed === true ? [fieldId] : []))
  if (hashKey === undefined || ids.length === 0) return undefined
  return { key: hashKeyId(hashKey), columns: ids.sort((a, b) => a - b) }
}

function sourceRead(
  run: ExportRun,
  { pair, plan }: TableExport,
  { schema }: TableTarget,
  { dayField, fields }: Scope,
  { fingerprints }: ReadTotals,
): SourceRead {
  const { columns } = fileColumns(plan.columns, schema)
  const { casts, lossyCasts, decimals, outOfRange } = ownOptions(run.options, {
    table: plan.table,
    names: columns.map(({ name }) => name),
  })
  const byId = <Value>(values: Readonly<Record<string, Value>> = {}): Map<number, Value> =>
    new Map(
      columns.flatMap(({ name, fieldId }) => (Object.hasOwn(values, name) ? [[fieldId, values[name]!]] : [])),
    )
  return {
    runId: run.context.runId,
    ...readerOf(run, pair, plan),
    fieldIds: columns.map(({ fieldId }) => fieldId),
    readAs: {
      day: dayField === undefined ? undefined : fields[dayField]?.sourceId,
      casts: byId({ ...textsOf(plan), ...casts }),
      lossyCasts: byId(lossyCasts),
      decimals: byId(decimals),
      hash: hashedIn(plan, columns),
      outOfRange: plan.columns.some(({ check }) => check?.to === outOfRange) ? outOfRange : undefined,
      rowSecurity: run.options.rowSecurity,
      where: run.options.where,
    },
    intervals: intervalsOf(fingerprints, dayField),
  }
}
