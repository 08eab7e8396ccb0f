import { setTimeout } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { JobContext } from '../context.ts'
import { own } from '../postgres/own.ts'
import { daysBetween } from '../calendar.ts'
import { inTwoSteps } from '../concurrency.ts'
import { asError, decisive, JobError } from '../errors.ts'
import { tableText, type Catalog, type Table } from '../iceberg/catalog/catalog.ts'
import { ensureNamespace } from '../iceberg/catalog/ensure-namespace.ts'
import { allFaults } from '../postgres/faults.ts'
import { openSource, type PlannedTable, type Source, type SourceConnection } from '../postgres/snapshot.ts'
import { inSections } from '../postgres/source/own-options.ts'
import type { TablePlan, TableRequest } from '../postgres/source/plan.ts'
import { failedTable, withOutcome, type Outcome, type TableSummary } from '../summary.ts'
import type { ExportRun } from './export-run.ts'
import { exportTable } from './export-table.ts'
import { isFault, standingInTheWay } from './standing.ts'
import type { TablePair } from './target/names.ts'
import type { ExportedTable, ExportOptions, TableStores } from './options.ts'
import { createReaderPool } from './read/pool.ts'
import type { ReaderThreads } from './read/thread.ts'
import { isLeftOut, newTableText, policyFaults } from './target/new-tables.ts'
import { notLeftOut, notNamed } from './target/left-out.ts'
import { columnTypes, namesOf } from './target/columns.ts'
import { renamesOf, unknownRenames } from './target/own-renames.ts'
import { dayPartitionColumn, loadTable } from './target/table-target.ts'

/** What the tables of a call share. */
export interface ExportCall {
  /** Connects to the source of these tables; each attempt has a connection of its own. */
  readonly connectSource: () => Promise<SourceConnection>
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
  tables: readonly ExportedTable[],
  call: ExportCall,
  context: JobContext,
): Promise<Outcome> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await exportOnce(tables, call, context)
    } catch (error) {
      if (!isSnapshotLost(error) || attempt === maxAttempts) throw error
      context.logger.warn({ attempt }, `${asError(error).message}: starting again under another one`)
      await setTimeout(attempt * pauseMs, undefined, { signal: context.signal })
    }
  }
}

const isUnknownCommit = (error: unknown): boolean =>
  error instanceof JobError && error.code === 'unknownCommit'

const isSnapshotLost = (error: unknown): boolean => error instanceof JobError && error.code === 'snapshotLost'

async function exportOnce(
  asked: readonly ExportedTable[],
  call: ExportCall,
  context: JobContext,
): Promise<Outcome> {
  const { existing, source } = await context.during('plan', () => openAll(asked, call))
  const runOf = ({ options, stores }: ExportedTable): ExportRun => ({
    options,
    context,
    catalog: catalogOf(options, stores),
    parquetIO: stores.parquetIO,
    pool: createReaderPool(options.connections, call.threads, context.signal),
    access: { ...source.access, rowSecurity: options.rowSecurity },
    sourceTime: source.sourceTime,
    server: source.server,
  })
  let closing: Promise<unknown> | undefined
  // Once the last table is read the commit need not wait for it, nor it for the commit.
  const close = (): Promise<unknown> => (closing ??= Promise.all([source.close(), call.threads.close()]))
  try {
    const unknown = unknownNames(asked, source.tables)
    const tables = new Map<number, TableSummary>()
    const failures = new Map<number, Error>()
    const standing = new Map<number, JobError>()
    const exportOne = async (
      one: ExportedTable,
      index: number,
      isReadNow: () => Promise<void>,
    ): Promise<void> => {
      const { pair } = one
      const run = runOf(one)
      const planned = source.tables[index]!
      const table = tableText(pair.target)
      const state = { isPrepared: false }
      const loaded = existing.get(pair)
      const faults = [...(unknown.get(one) ?? []), ...policyFaults(one, loaded)]
      try {
        if (faults.length > 0) throw allFaults(faults)
        if (loaded instanceof Error) throw loaded
        if (isLeftOut(one.options, loaded)) {
          const warning = newTableText(pair, 'is not exported')
          context.logger.warn({ table }, warning)
          tables.set(index, { table, status: 'skipped', warnings: [warning] })
          return
        }
        if ('error' in planned) throw planned.error
        const onRead = (): Promise<void> => {
          if (index === asked.length - 1) void close()
          return isReadNow()
        }
        const onPrepared = (): void => {
          state.isPrepared = true
        }
        const work = { pair, plan: planned.plan, existing: loaded, onPrepared, onRead }
        tables.set(index, await exportTable(run, work))
      } catch (thrown) {
        const error =
          state.isPrepared || faults.length > 0 || !isFault(thrown)
            ? thrown
            : ((await standingInTheWay(quiet(run), { pair, planned, existing: existing.get(pair) })) ??
              thrown)
        if (!isUnknownCommit(error)) context.signal.throwIfAborted()
        if (isSnapshotLost(error)) throw error
        failures.set(index, asError(error))
        if (!state.isPrepared && isFault(error)) standing.set(index, error)
        const failed = failedTable(table, error)
        tables.set(index, failed)
        if (asked.length > 1)
          context.logger.error({ table, ...(failed.fix !== undefined && { fix: failed.fix }) }, failed.error)
      }
    }
    // What is committed leaves the processors idle: the next table is read meanwhile.
    await inTwoSteps(asked, exportOne).catch((error: unknown) => {
      // That a table may be committed has to be told, whatever stopped the reading of the next one.
      if (!context.signal.aborted || ![...failures.values()].some(isUnknownCommit)) throw error
    })
    const outcome = outcomeOf(asked, inOrder(tables))
    if (failures.size > 0)
      throw withOutcome(decisive(withAllFaults(inOrder(failures), inOrder(standing))), outcome)
    return outcome
  } finally {
    await close()
  }
}

/** As the tables were asked for, whichever was through first. */
const inOrder = <Value>(byIndex: ReadonlyMap<number, Value>): Value[] =>
  [...byIndex].sort(([a], [b]) => a - b).map(([, value]) => value)

/** The tables of the lake, which are not there yet or cannot be loaded, and the source that they are read from at one instant. */
async function openAll(
  asked: readonly ExportedTable[],
  call: ExportCall,
): Promise<{
  readonly existing: ReadonlyMap<TablePair, Table | Error | undefined>
  readonly source: Source
}> {
  const existing = new Map<TablePair, Table | Error | undefined>()
  for (const { pair, options, stores } of asked) {
    existing.set(pair, await loadTable(stores.catalog, pair.target).catch(asError))
    if (existing.get(pair) !== undefined || (options.newTables ?? 'export') === 'export')
      await ensureNamespace(catalogOf(options, stores), pair.target.namespace)
  }
  const source = await openSource(
    await call.connectSource(),
    asked.map((table) => tableRequest(table, existing.get(table.pair))),
    {
      workers: 1,
      rowSecurity: asked.some(({ options }) => options.rowSecurity),
      lockTimeoutMs: Math.max(...asked.map(({ options }) => options.lockTimeoutMs)),
    },
  )
  return { existing, source }
}

const catalogOf = ({ dryRun }: ExportOptions, { catalog, inMemory }: TableStores): Catalog =>
  dryRun ? inMemory : catalog

/** Options to which each place adds. */
const adding: Readonly<Record<string, (options: ExportOptions) => readonly string[] | undefined>> = {
  '--exclude-columns': ({ excluded }) => excluded,
  '--hash': ({ hashed }) => hashed,
}

/** What `--rename`, `--drop-columns`, `--exclude-columns` and `--hash` name and none of the tables has for which they are meant. */
function unknownNames(
  asked: readonly ExportedTable[],
  planned: readonly PlannedTable[],
): ReadonlyMap<ExportedTable, readonly JobError[]> {
  const faults = new Map<ExportedTable, JobError[]>()
  const checks = {
    '--rename': (options: ExportOptions, plans: readonly TablePlan[]) =>
      unknownRenames(options.renames, plans),
    '--drop-columns': (options: ExportOptions, plans: readonly TablePlan[]) =>
      notLeftOut(options.dropColumns ?? [], plans),
  }
  const look = (
    together: readonly ExportedTable[],
    check: (plans: readonly TablePlan[]) => JobError[],
  ): void => {
    const plans = together.flatMap((table) => {
      const one = planned[asked.indexOf(table)]!
      return 'plan' in one ? [one.plan] : []
    })
    if (plans.length < together.length) return
    const found = check(plans)
    for (const table of together) faults.set(table, [...(faults.get(table) ?? []), ...found])
  }
  for (const [flag, check] of Object.entries(checks))
    for (const together of inSections(asked, flag))
      look(together, (plans) => check(together[0]!.options, plans))
  // What several places exclude or hash adds up: a name is meant for every table that has it among its own.
  for (const [flag, listOf] of Object.entries(adding))
    for (const text of new Set(asked.flatMap(({ options }) => listOf(options) ?? []))) {
      const together = asked.filter(({ options }) => listOf(options)?.includes(text))
      look(together, (plans) => notNamed(flag, text, plans))
    }
  return faults
}

/** What stands in the way of several tables is one failure with all the flags (export-spec §6.7). */
function withAllFaults(failures: readonly Error[], standing: readonly JobError[]): Error[] {
  if (standing.length < 2) return [...failures]
  return [allFaults(standing), ...failures.filter((error) => !standing.some((fault) => fault === error))]
}

/** The same for a second look, which says nothing twice. */
const quiet = (run: ExportRun): ExportRun => ({
  ...run,
  context: { ...run.context, logger: run.context.logger.child({}, { level: 'silent' }) },
})

/** Those of the options that the source is asked for as they are. */
function said(options: ExportOptions): Partial<TableRequest> {
  const { columns, excluded, excludedHere, hashed, hashedHere, hashKey, where } = options
  const { casts, lossyCasts, decimals, outOfRange } = options
  const all = {
    ...{ columns, excluded, excludedHere, hashed, hashedHere, hashKey, where },
    ...{ casts, lossyCasts, decimals, outOfRange },
  }
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
}

/** What is asked of the source for one table of a call. */
export function tableRequest(
  { pair: { source }, options, sections }: Pick<ExportedTable, 'pair' | 'options' | 'sections'>,
  existing: Table | Error | undefined,
): TableRequest {
  const { scope, dayColumn, newColumns = 'add' } = options
  const renames = renamesOf(options.renames, source)
  const lake = existing instanceof Error ? undefined : existing
  const byDay = lake && dayPartitionColumn(lake)
  const usual = byDay && (own(renames, byDay) ?? byDay)
  return {
    table: source,
    sections,
    workers: options.connections,
    rowSecurity: options.rowSecurity,
    ...said(options),
    ...(lake === undefined || newColumns === 'add'
      ? {}
      : { known: { names: namesOf(lake, renames), newColumns } }),
    ...(lake === undefined ? {} : { wider: columnTypes(lake, renames) }),
    ...(scope.mode === 'full'
      ? {}
      : { days: { column: dayColumn, usual, days: daysBetween(scope.from, scope.to) } }),
  }
}

function outcomeOf(asked: readonly ExportedTable[], tables: readonly TableSummary[]): Outcome {
  const [first, ...others] = asked.map(({ options }) => options.scope)
  const isDays = first?.mode === 'day' && others.every((scope) => isDeepStrictEqual(scope, first))
  return { ...(isDays ? { from: first.from, to: first.to } : {}), ...totals(tables) }
}

/** What all tables of a run come to. */
export function totals(tables: readonly TableSummary[]): Outcome {
  const sum = (value: (table: TableSummary) => number | undefined): number =>
    tables.reduce((total, table) => total + (value(table) ?? 0), 0)
  return {
    rows: sum(({ rows }) => rows),
    bytes: sum(({ bytes }) => bytes),
    files: sum(({ files }) => files),
    tables: [...tables],
  }
}
