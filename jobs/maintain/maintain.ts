import type { JobContext } from '../context.ts'
import { asError, decisive, JobError, listed, shellWord } from '../errors.ts'
import { tableText, type Catalog, type Table, type TableIdentifier } from '../iceberg/catalog/catalog.ts'
import { currentSchema } from '../iceberg/metadata/metadata.ts'
import { allTables } from '../iceberg/catalog/all-tables.ts'
import { isManaged } from '../provenance/managed.ts'
import { failedTable, withOutcome, type Maintained, type Outcome, type TableSummary } from '../summary.ts'
import { maintainAll, type AllOptions } from './all.ts'
import { compactTable, type CompactOptions } from './compact/compact.ts'
import { expireTable, type MaintainStores } from './expire.ts'
import { removeOrphans, type OrphanOptions } from './orphans.ts'
import {
  commitRefs,
  planAdoption,
  planRollback,
  planTag,
  type RefPlan,
  type RollbackOptions,
  type TagOptions,
} from './refs.ts'
import { neighbourhood } from './ownership.ts'
import { retainDays, type RetainOptions } from './retain.ts'
import type { Retention } from '../lake/upkeep/retention.ts'

export type Operation =
  | ({ readonly kind: 'compact' } & CompactOptions)
  | ({ readonly kind: 'all' } & AllOptions)
  | { readonly kind: 'expire'; readonly retention: Retention }
  | ({ readonly kind: 'orphans' } & OrphanOptions)
  | { readonly kind: 'adopt' }
  | ({ readonly kind: 'tag' } & TagOptions)
  | ({ readonly kind: 'rollback' } & RollbackOptions)
  | ({ readonly kind: 'retain' } & RetainOptions)

/** What is done to tables, and how. */
export interface MaintainOptions {
  readonly operation: Operation
  /** Undefined: all tables of the catalog. */
  readonly tables: readonly TableIdentifier[] | undefined
  /** Each is asked for by itself: also those that are not managed. */
  readonly isByName: boolean
  readonly dryRun: boolean
}

/**
 * Maintains tables of a catalog, one after the other (lake-spec §4); a failure of one never stops the others, and decides the
 * exit. What is not asked for by name it acts on where it is
 * managed, and names the rest.
 */
export async function maintainTables(
  options: MaintainOptions,
  catalog: Catalog,
  context: JobContext,
): Promise<Outcome> {
  const { signal, logger } = context
  const stores: MaintainStores = { catalog, neighbours: neighbourhood(catalog) }
  const summaries: TableSummary[] = []
  const failures: Error[] = []
  const left: string[] = []
  for (const identifier of options.tables ?? (await allTables(catalog))) {
    const name = tableText(identifier)
    try {
      const table = await catalog.load(identifier)
      if (!options.isByName && !isManaged(table.metadata)) {
        left.push(name)
        continue
      }
      notes(table, options, context)
      const work = (): ReturnType<typeof maintainTable> => maintainTable(table, options, stores, context)
      const { changes, stopped, ...maintained } = await (isReport(options)
        ? work()
        : catalog.alone(identifier, work, signal))
      const failure = stopped ?? failureOf(name, maintained)
      if (failure !== undefined) failures.push(failure)
      summaries.push({
        table: name,
        status: failure === undefined ? 'ok' : 'failed',
        ...rowsOf(maintained),
        maintained,
        ...(changes !== undefined && { changes: [...changes] }),
        ...(failure !== undefined && { error: failure.message }),
      })
    } catch (thrown) {
      signal.throwIfAborted()
      const error = asError(thrown)
      failures.push(error)
      summaries.push(failedTable(name, error))
    }
  }
  if (left.length > 0)
    logger.warn(
      `left alone, as lakejobs did not make them: ${listed(left)}; name one with --table, or let all runs have it: lakejobs maintain adopt --table ${shellWord(left[0]!)}`,
    )
  const outcome: Outcome = { tables: summaries, ...totals(summaries) }
  if (failures.length > 0) throw withOutcome(decisive(failures), outcome)
  return outcome
}

/** For whoever draws lineage: a report reads the table, all else writes it, and what rewrites rows does both. */
function notes({ metadata, identifier }: Table, options: MaintainOptions, { touches }: JobContext): void {
  const table = tableText(identifier)
  const { location } = metadata
  const { fields } = currentSchema(metadata)
  const { kind } = options.operation
  if (isReport(options) || kind === 'compact' || kind === 'all')
    touches?.({ role: 'input', kind: 'lake', table, location, fields })
  if (!isReport(options)) touches?.({ role: 'output', kind: 'lake', table, location, fields })
}

/** It changes nothing: others need not wait. */
const isReport = ({ operation, dryRun }: MaintainOptions): boolean =>
  dryRun || (operation.kind === 'orphans' && !operation.isDelete)

/** What was done to a table; `stopped`: all that was, as this came in between. */
type Done = Maintained & { readonly changes?: readonly string[]; readonly stopped?: Error | undefined }

async function maintainTable(
  table: Table,
  { operation, dryRun }: MaintainOptions,
  stores: MaintainStores,
  context: JobContext,
): Promise<Done> {
  const committed = async (
    plan: (current: Table) => RefPlan | Promise<RefPlan>,
  ): Promise<Maintained & { readonly changes: readonly string[] }> => ({
    operation: operation.kind,
    dryRun,
    files: [],
    changes: await commitRefs(table, plan, dryRun, stores.catalog, context),
  })
  switch (operation.kind) {
    case 'all': {
      const { maintained, failure } = await maintainAll(table, operation, dryRun, stores, context)
      return { ...maintained, stopped: failure }
    }
    case 'compact':
      return compactTable(table, operation, dryRun, stores.catalog, context)
    case 'expire':
      return expireTable(table, operation.retention, dryRun, stores, context)
    case 'orphans':
      return removeOrphans(table, { ...operation, isDelete: operation.isDelete && !dryRun }, stores, context)
    case 'adopt':
      return committed(planAdoption)
    case 'tag':
      return committed((current) => planTag(current, operation))
    case 'retain':
      return retainDays(table, operation, dryRun, stores.catalog, context)
    case 'rollback':
      return committed((current) => planRollback(current, operation))
  }
}

/** Of the commit all went well; of the files not all are gone. */
function failureOf(table: string, { operation, dryRun, notRemoved, steps }: Maintained): Error | undefined {
  const [failure] = steps?.flatMap((step) => failureOf(table, step) ?? []) ?? []
  if (failure !== undefined) return failure
  if (notRemoved === undefined) return undefined
  const { files, errors } = notRemoved
  return new JobError(
    'failed',
    `${table}: ${operation === 'expire' && !dryRun ? 'the commit is made, but ' : ''}${files === 0 ? 'some files are not known' : `${files} files could not be removed`}: ${errors[0]}`,
    { field: table, fix: 'mend that, then let `lakejobs maintain orphans --delete` find them' },
  )
}

/** Each of several, or the one. */
const stepsOf = (maintained: Maintained | undefined): readonly Maintained[] =>
  maintained === undefined ? [] : (maintained.steps ?? [maintained])

/** That were rewritten. */
function rowsOf(maintained: Maintained): Pick<TableSummary, 'rows'> {
  const rewritten = stepsOf(maintained).find((step) => step.rewritten)?.rewritten
  return rewritten === undefined || maintained.dryRun ? {} : { rows: rewritten.rows }
}

/** What all of them freed, and the rows that were rewritten. */
function totals(tables: readonly TableSummary[]): Pick<Outcome, 'files' | 'bytes' | 'rows'> {
  const freed = tables.flatMap(({ maintained }) =>
    stepsOf(maintained).flatMap(({ files }) => files.map((kind) => kind.freed)),
  )
  const rows = tables.reduce((sum, table) => sum + (table.rows ?? 0), 0)
  return {
    ...(rows > 0 && { rows }),
    files: freed.reduce((sum, { files }) => sum + files, 0),
    bytes: freed.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}
