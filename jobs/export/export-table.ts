import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { JobContext } from '../context.ts'
import { JobError } from '../errors.ts'
import { tableText, type Catalog, type Table } from '../iceberg/catalog/catalog.ts'
import { commitSnapshot, type CommitResult } from '../iceberg/commit.ts'
import type { DataFile } from '../iceberg/data-file.ts'
import { mainBranch } from '../iceberg/metadata.ts'
import { partitionType, type PartitionColumnType } from '../iceberg/partition-spec.ts'
import type { RowFilter } from '../iceberg/row-filter.ts'
import { fieldByName } from '../iceberg/schema.ts'
import { dataFolder } from '../iceberg/table-files.ts'
import { formatTable } from '../postgres/identifiers.ts'
import type { SnapshotAccess } from '../postgres/snapshot.ts'
import type { TablePlan } from '../postgres/source/plan.ts'
import type { FileIO } from '../storage/file-io.ts'
import type { TableSummary } from '../summary.ts'
import { fileColumns, wantedColumns } from './columns.ts'
import { dayRange } from './day-range.ts'
import { describePlan } from './describe-plan.ts'
import { fingerprintText, intervalsOf } from './intervals.ts'
import type { TablePair } from './names.ts'
import type { ExportOptions } from './options.ts'
import type { ReaderPool, ReadTotals } from './read/pool.ts'
import { provenanceEntries, compareReads } from './provenance.ts'
import { partitionSources } from './read/read-table.ts'
import { assertNoShrink, scopeSize } from './shrink-guard.ts'
import { assertPartitionable, prepareTarget, type TableTarget } from './table-target.ts'
import { createDataFiles, type DataFilesWriter } from './write/data-files.ts'
import { createPlainFiles, type PlainFiles } from './write/plain-files.ts'

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
}

/** Reads one table, writes its files and commits them: stage first, then one swap. */
export async function exportTable(
  run: ExportRun,
  { pair, plan, existing }: TableExport,
): Promise<TableSummary> {
  const { options, context } = run
  const target = await prepareTarget(
    run.catalog,
    existing,
    {
      identifier: pair.target,
      // A new table's columns are optional; one that has required columns keeps them while the source does.
      columns: wantedColumns(plan.columns, options.required || existing !== undefined),
      partitionBy: options.formats.has('iceberg') ? options.partitionBy : undefined,
      dayColumn: plan.dayColumn,
      properties: { 'write.parquet.compression-codec': parquetCodecName(options.codec) },
    },
    context.now().getTime(),
  )
  assertPartitionable(target, plan)
  const scope = scopeOf(target, plan, options)
  const before = target.isNew ? { rows: 0, files: 0 } : await scopeSize(target.table, scope.filter)
  const table = tableText(pair.target)
  if (options.dryRun) {
    const planned = describePlan({ plan, target, before, options })
    return { table, status: 'ok', mode: options.scope.mode, plan: planned }
  }
  // A killed run leaves files that only its log names.
  const operationId = randomUUID()
  if (options.formats.has('iceberg')) {
    const fields = { table, operation: operationId, folder: target.table.metadata.location }
    context.logger.info(fields, 'data files and manifests of this run have the operation in their names')
  }
  const files = await openFiles(run, pair, plan, target, scope, operationId)
  let isCommitted = false
  try {
    const totals = await readInto(run, plan, target, scope, files)
    if (files.data !== undefined) assertNoShrink(table, before.rows, totals.rows, options.maxShrink)
    const dataFiles = (await files.data?.finish()) ?? []
    context.signal.throwIfAborted()
    const committed =
      files.data === undefined
        ? undefined
        : await commit(run, { pair, plan }, target, scope, totals, dataFiles, operationId)
    isCommitted = committed !== undefined && committed.kind !== 'superseded'
    if (committed?.kind === 'superseded') {
      context.logger.info(
        { table, snapshot: String(committed.by['snapshot-id']) },
        'a later read is in the table',
      )
      await discard(run, table, files)
      return { table, status: 'superseded', mode: options.scope.mode, rows: totals.rows }
    }
    const plain = await files.plain?.publish()
    return summarise(run, table, totals, dataFiles, committed, plain)
  } catch (error) {
    const mayBeNeeded = isCommitted || (error instanceof JobError && error.code === 'unknownCommit')
    await discard(run, table, mayBeNeeded ? { ...files, data: undefined } : files)
    throw error
  }
}

/** Whatever goes wrong between the source and the files, other rows than were read are never published. */
function assertAllWritten({ table }: TableTarget, read: number, written: number): void {
  if (written === read) return
  throw new Error(`${tableText(table.identifier)}: ${read} rows were read, the files have ${written}`)
}

/** Tables written by other engines call the codecs otherwise (Iceberg's `write.parquet.compression-codec`). */
const parquetCodecName = (codec: ExportOptions['codec']): string =>
  codec === 'none' ? 'uncompressed' : codec

interface Scope {
  readonly filter: RowFilter
  /** The fields by which rows are told apart: the table's, and the day when it is not among them. */
  readonly fields: readonly PartitionColumnType[]
  /** How many of them are the table's. */
  readonly own: number
  /** Which of them is the day. */
  readonly dayField: number | undefined
}

function scopeOf(target: TableTarget, { dayColumn }: TablePlan, { scope }: ExportOptions): Scope {
  const own = partitionType(target.spec, [target.schema])
  const source = dayColumn === undefined ? undefined : fieldByName(target.schema, dayColumn)
  const existing = own.findIndex(
    ({ transform, sourceId }) => transform.kind === 'day' && (source === undefined || sourceId === source.id),
  )
  if (scope.mode === 'full') {
    return {
      filter: { kind: 'all' },
      fields: own,
      own: own.length,
      dayField: existing < 0 ? undefined : existing,
    }
  }
  if (source === undefined) throw new TypeError(`the schema lacks the day column ${String(dayColumn)}`)
  const filter = dayRange(source, scope.from, scope.to)
  if (existing >= 0) return { filter, fields: own, own: own.length, dayField: existing }
  const day: PartitionColumnType = {
    id: 0,
    name: `${source.name}_day`,
    sourceId: source.id,
    transform: { kind: 'day' },
    type: { kind: 'date' },
  }
  return { filter, fields: [...own, day], own: own.length, dayField: own.length }
}

interface Files {
  readonly data: DataFilesWriter | undefined
  readonly plain: PlainFiles | undefined
}

async function openFiles(
  { options, context, parquetIO }: ExportRun,
  { folder }: TablePair,
  plan: TablePlan,
  target: TableTarget,
  scope: Scope,
  operationId: string,
): Promise<Files> {
  const { metadata, io } = target.table
  const { columns } = fileColumns(plan.columns, target.schema)
  const common = { columns, schema: target.schema, signal: context.signal }
  const data = options.formats.has('iceberg')
    ? createDataFiles({
        ...common,
        io,
        folder: dataFolder(metadata),
        specId: target.spec['spec-id'],
        fields: scope.fields.slice(0, scope.own),
        properties: metadata.properties,
        targetBytes: options.targetFileBytes,
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
          dayField: scope.dayField,
        },
        plan.dayColumn,
      )
    : undefined
  return { data, plain }
}

async function discard({ context }: ExportRun, table: string, { data, plain }: Files): Promise<void> {
  const [left = []] = await Promise.all([data?.discard(), plain?.discard()])
  if (left.length > 0) context.logger.warn({ table, files: left }, 'data files could not be removed')
}

async function readInto(
  { options, context, pool, access }: ExportRun,
  plan: TablePlan,
  target: TableTarget,
  scope: Scope,
  files: Files,
): Promise<ReadTotals> {
  const { columns, types } = fileColumns(plan.columns, target.schema)
  const bar = context.progress.start(`export ${plan.table.name}`, plan.estimatedRows, 'rows')
  let written = 0
  try {
    const totals = await pool.read(
      {
        access,
        plan,
        partition: partitionSources(scope.fields, columns, types),
        groupRows: options.groupRows,
        groupBytes: options.groupBytes,
        maxRowBytes: options.maxRowBytes,
      },
      { columns, types, codec: options.codec },
      async ({ partition, rowGroup }) => {
        context.signal.throwIfAborted()
        const own = { partition: partition.slice(0, scope.own), rowGroup }
        await Promise.all([files.data?.add(own), files.plain?.add({ partition, rowGroup })])
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

async function commit(
  { options, context, catalog, sourceTime }: ExportRun,
  { pair, plan }: Pick<TableExport, 'pair' | 'plan'>,
  target: TableTarget,
  scope: Scope,
  totals: ReadTotals,
  addFiles: readonly DataFile[],
  operationId: string,
): Promise<CommitResult> {
  const { metadata } = target.table
  const fieldIds = fileColumns(plan.columns, target.schema).columns.map(({ fieldId }) => fieldId)
  const read = {
    runId: context.runId,
    source: formatTable(pair.source),
    sourceTime,
    scope: options.scope,
    fingerprint: fingerprintText(intervalsOf(totals.fingerprints, scope.dayField), fieldIds),
  }
  return commitSnapshot(
    catalog,
    target.table,
    {
      startingSnapshotId: metadata.refs[mainBranch]?.['snapshot-id'],
      branch: mainBranch,
      operation: 'overwrite',
      addFiles,
      removeFiles: { kind: 'rows', filter: scope.filter },
      conflictFilter: scope.filter,
      compareWith: (summary) => compareReads(read, summary),
      summary: provenanceEntries(read),
      tableUpdates: target.updates,
      tableRequirements: target.requirements,
    },
    {
      now: context.now,
      uuid: () => operationId,
      randomBytes,
      random: Math.random,
      sleep: (ms) => setTimeout(ms, undefined, { signal: context.signal }),
      log: (level, fields, message) => {
        context.logger[level](fields, message)
      },
    },
  )
}

function summarise(
  { options }: ExportRun,
  table: string,
  totals: ReadTotals,
  dataFiles: readonly DataFile[],
  committed: Exclude<CommitResult, { kind: 'superseded' }> | undefined,
  plain: { readonly locations: readonly string[]; readonly bytes: number } | undefined,
): TableSummary {
  const dataBytes = dataFiles.reduce((sum, { fileSizeInBytes }) => sum + fileSizeInBytes, 0)
  const snapshotId = committed?.kind === 'committed' ? String(committed.snapshot['snapshot-id']) : undefined
  const metadataLocation = committed?.table.metadataLocation
  const [parquetLocation] = plain?.locations ?? []
  return {
    table,
    status: 'ok',
    mode: options.scope.mode,
    rows: totals.rows,
    bytes: dataBytes + (plain?.bytes ?? 0),
    files: dataFiles.length + (plain?.locations.length ?? 0),
    ...(snapshotId === undefined ? {} : { snapshotId }),
    ...(metadataLocation === undefined ? {} : { metadataLocation }),
    ...(parquetLocation === undefined ? {} : { parquetLocation }),
  }
}
