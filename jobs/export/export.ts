import { setTimeout } from 'node:timers/promises'
import type { JobContext } from '../context.ts'
import { daysBetween } from '../calendar.ts'
import { asError, decisive, JobError, withOutcome } from '../errors.ts'
import { tableText, type Catalog, type Table } from '../iceberg/catalog/catalog.ts'
import { ensureNamespace } from '../iceberg/catalog/ensure-namespace.ts'
import { openSource, type SourceConnection } from '../postgres/snapshot.ts'
import type { FileIO } from '../storage/file-io.ts'
import type { Outcome, TableSummary } from '../summary.ts'
import type { ExportRun } from './export-run.ts'
import { exportTable } from './export-table.ts'
import type { TablePair } from './names.ts'
import type { ExportOptions } from './options.ts'
import { createReaderPool } from './read/pool.ts'
import type { ReaderThreads } from './read/thread.ts'
import { columnTypes } from './columns.ts'
import { dayPartitionColumn, loadTable } from './table-target.ts'

export interface ExportStores {
  /** Connects to the source, whose tables are those of the options; each attempt has a connection of its own. */
  readonly connectSource: () => Promise<SourceConnection>
  readonly catalog: Catalog
  /** A catalog in memory over the same warehouse, for dry runs. */
  readonly scratch: Catalog
  /** The store of plain Parquet. */
  readonly parquetIO: FileIO
  /** The caller ends them. */
  readonly threads: ReaderThreads
}

/** A standby that replays changes may cancel a long read more than once. */
const maxAttempts = 3
const pauseMs = 1000

/**
 * Exports tables to plain Parquet and Iceberg (design §5): all of them under one snapshot of the source, committed
 * one by one; one that fails does not stop the others. A snapshot that is lost restarts all of it under another
 * one (export-spec §1.3). Throws the failure that decides the exit status: the first of 2, 3, 4, 1 that occurred
 * (operations-spec §1.4), with what the others did as its outcome.
 */
export async function exportTables(
  options: ExportOptions,
  stores: ExportStores,
  context: JobContext,
): Promise<Outcome> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await exportOnce(options, stores, context)
    } catch (error) {
      if (!isSnapshotLost(error) || attempt === maxAttempts) throw error
      context.logger.warn({ attempt }, `${asError(error).message}: starting again under another one`)
      await setTimeout(attempt * pauseMs, undefined, { signal: context.signal })
    }
  }
}

const isSnapshotLost = (error: unknown): boolean => error instanceof JobError && error.code === 'snapshotLost'

async function exportOnce(
  options: ExportOptions,
  stores: ExportStores,
  context: JobContext,
): Promise<Outcome> {
  const catalog = options.dryRun ? stores.scratch : stores.catalog
  const existing = new Map<TablePair, Table | Error | undefined>()
  for (const pair of options.tables) {
    existing.set(pair, await loadTable(stores.catalog, pair.target).catch(asError))
    await ensureNamespace(catalog, pair.target.namespace)
  }

  const source = await openSource(
    await stores.connectSource(),
    options.tables.map((pair) => request(pair, options, existing.get(pair))),
    {
      workers: options.connections,
      rowSecurity: options.rowSecurity,
      lockTimeoutMs: options.lockTimeoutMs,
    },
  )
  const pool = createReaderPool(options.connections, stores.threads, context.signal)
  const run: ExportRun = {
    options,
    context,
    catalog,
    parquetIO: stores.parquetIO,
    pool,
    access: source.access,
    sourceTime: source.sourceTime,
  }
  let closing: Promise<unknown> | undefined
  // Once the last table is read the commit need not wait for it, nor it for the commit.
  const close = (): Promise<unknown> => (closing ??= Promise.all([source.close(), stores.threads.close()]))
  try {
    const tables: TableSummary[] = []
    const failures: Error[] = []
    for (const [index, pair] of options.tables.entries()) {
      const planned = source.tables[index]!
      const table = tableText(pair.target)
      try {
        const loaded = existing.get(pair)
        if (loaded instanceof Error) throw loaded
        if ('error' in planned) throw planned.error
        const onRead = (): void => {
          if (index === options.tables.length - 1) void close()
        }
        tables.push(await exportTable(run, { pair, plan: planned.plan, existing: loaded, onRead }))
      } catch (error) {
        const isUnknown = error instanceof JobError && error.code === 'unknownCommit'
        if (!isUnknown) context.signal.throwIfAborted()
        if (isSnapshotLost(error)) throw error
        failures.push(asError(error))
        tables.push({ table, status: 'failed', error: asError(error).message })
        if (options.tables.length > 1) context.logger.error({ table }, asError(error).message)
        if (context.signal.aborted) break
      }
    }
    const outcome = outcomeOf(options, tables)
    if (failures.length > 0) throw withOutcome(decisive(failures), outcome)
    return outcome
  } finally {
    await close()
  }
}

function request(
  { source }: TablePair,
  options: ExportOptions,
  existing: Table | Error | undefined,
): Parameters<typeof openSource>[1][number] {
  const { columns, casts, decimals, scope, renames } = options
  const lake = existing instanceof Error ? undefined : existing
  const byDay = lake && dayPartitionColumn(lake)
  const column = options.dayColumn ?? (byDay && (renames[byDay] ?? byDay))
  return {
    table: source,
    ...(columns === undefined ? {} : { columns }),
    ...(casts === undefined ? {} : { casts }),
    ...(decimals === undefined ? {} : { decimals }),
    ...(lake === undefined ? {} : { wider: columnTypes(lake, renames) }),
    ...(scope.mode === 'full' ? {} : { days: { column, days: daysBetween(scope.from, scope.to) } }),
  }
}

function outcomeOf({ scope }: ExportOptions, tables: readonly TableSummary[]): Outcome {
  const sum = (value: (table: TableSummary) => number | undefined): number =>
    tables.reduce((total, table) => total + (value(table) ?? 0), 0)
  return {
    ...(scope.mode === 'day' ? { from: scope.from, to: scope.to } : {}),
    rows: sum(({ rows }) => rows),
    bytes: sum(({ bytes }) => bytes),
    files: sum(({ files }) => files),
    tables: [...tables],
  }
}
