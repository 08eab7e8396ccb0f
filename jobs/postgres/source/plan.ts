import type { KeyObject } from 'node:crypto'
import type { Day } from '../../calendar.ts'
import { dataError, JobError, listed, usageError } from '../../errors.ts'
import type { Connection } from '../connection/connect.ts'
import { allFaults, flagText } from '../faults.ts'
import { settle } from '../isolated.ts'
import { formatTable, quoteTable, type TableName } from '../identifiers.ts'
import {
  findLeaves,
  hasLeadingIndex,
  type CatalogColumn,
  type Relation,
  type RelationKind,
} from './catalog.ts'
import { castCheck } from './casts.ts'
import { fitsColumn, newColumns, planColumns, unreadable, type ColumnOptions } from './columns.ts'
import { columnFlag, type ColumnContext } from './mapping.ts'
import { columnCalled, ownOptions, type Sections } from './own-options.ts'
import {
  ctidConditions,
  dayConditions,
  daysCondition,
  fromTable,
  type CopyRange,
  type DayColumn,
} from './ranges.ts'
import type { CastCheck, SourceColumn } from './types.ts'
import { both, calledAs, checkWhere, whereTerm } from './where.ts'

/** Names of columns are those of the call's flags: bare, or `table.column`. */
export interface TableRequest extends ColumnOptions {
  readonly table: TableName
  /** Who gave its flags' values. */
  readonly sections?: Sections | undefined
  /** In the place of the call's: `SourceOptions`. */
  readonly workers?: number
  readonly rowSecurity?: boolean
  /** `--where`: SQL that rows have to meet. */
  readonly where?: string
  /** Day mode: only rows whose day column lies in one of the days, [D, D+1) UTC; NULLs in none. */
  readonly days?: {
    /** `--day-column`. */
    readonly column: string | undefined
    /** The column by which the lake has days, when no flag names one; undefined: the only date or timestamp column. */
    readonly usual?: string | undefined
    readonly days: readonly Day[]
  }
}

/** How a table is read. Plain data, may cross threads. */
export interface TablePlan {
  readonly table: TableName
  readonly kind: RelationKind
  /** Whether a reader locks it by LOCK TABLE. */
  readonly lockable: boolean
  readonly comment: string | undefined
  readonly columns: readonly SourceColumn[]
  /** Names of columns that the table has and `--columns` does not name, or `--exclude-columns` names. */
  readonly leftOut: readonly string[]
  /** Of these those that `--exclude-columns` names. */
  readonly excluded: readonly string[]
  /** Of those that are left out the ones that are new, which `--new-columns warn` leaves out. */
  readonly newColumns: readonly string[]
  /** Day mode: the column by which days are chosen. */
  readonly dayColumn: string | undefined
  readonly estimatedRows: number | undefined
  /** Disjoint; together they are every row wanted. */
  readonly ranges: readonly CopyRange[]
  /** Reading it may run functions of the source's, which may change the session: a view's, a policy's, a cast's, another server's. */
  readonly runsFunctions: boolean
  /** The database does not guarantee UTF-8. */
  readonly checkUtf8: boolean
  /** Of its hashed columns. */
  readonly hashKey: KeyObject | undefined
  /** How flags name its columns. */
  readonly flagTable: Pick<ColumnContext, 'table' | 'isOneOfSeveral'>
}

/** What is known of a table with faults: enough to look at what it is written to. */
export interface KnownTable extends Pick<
  TablePlan,
  'table' | 'comment' | 'leftOut' | 'excluded' | 'newColumns' | 'dayColumn' | 'flagTable'
> {
  /** Those that can be read. */
  readonly columns: readonly SourceColumn[]
  /** Names of those that are wanted and cannot. */
  readonly faulty: readonly string[]
}

export interface PlanOptions {
  readonly workers: number
  /** Read what row-level security lets through instead of refusing (`--row-security`). */
  readonly rowSecurity: boolean
  readonly checkUtf8: boolean
  /** ctid ranges are index lookups there (PostgreSQL 14 and later). */
  readonly tidRangeScan: boolean
  /** The call has other tables, too. */
  readonly isOneOfSeveral: boolean
  /** What stands in the way of the whole call. */
  readonly faults: readonly JobError[]
  /** Told what is known of a table before its faults are thrown. */
  readonly onFaults: (known: KnownTable) => void
}

/** A relation that is locked, with its columns. */
export interface Described {
  readonly relation: Relation
  readonly catalog: readonly CatalogColumn[]
}

/** Plans the read of a locked relation, under the snapshot. Throws all that stands in its way (`allFaults`). */
export async function planTable(
  connection: Connection,
  { relation, catalog }: Described,
  request: TableRequest,
  options: PlanOptions,
): Promise<TablePlan> {
  const shown = formatTable(relation.table)
  const faults: JobError[] = [...options.faults]
  const attempt = <T>(work: () => T): T | undefined => {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof JobError)) throw error
      faults.push(error)
      return undefined
    }
  }
  if (relation.rowSecurity && !options.rowSecurity) faults.push(filtered(shown))
  if (catalog.length === 0)
    faults.push(dataError(`${shown} has no columns`, { field: shown, fix: 'leave it out of --table' }))
  const own = { table: relation.table, names: catalog.map(({ name }) => name) }
  const context = {
    table: shown,
    isOneOfSeveral: options.isOneOfSeveral,
    // A child of an inherited table may lack its parent's NOT NULL; a partition cannot.
    optional: relation.kind !== 'partitioned' && (relation.kind !== 'table' || relation.hasChildren),
  }
  const wanted = ownOptions(request, own)
  const excluded = own.names.filter((name) => fitsColumn(shown, name, request.excluded))
  const news = newColumns(shown, own.names, wanted)
  const planned = planColumns(context, catalog, wanted)
  faults.push(...planned.faults)
  const { days } = request
  const called = days?.column === undefined ? undefined : columnCalled(days.column, own)
  const day = days && attempt(() => dayColumn(shown, catalog, called ?? days.usual))
  const checks = new Map<string, CastCheck | undefined>()
  for (const cast of planned.casts) {
    const { name } = cast.column
    const asText = columnFlag(context, '--cast', name, 'text')
    const check = await settle(
      castCheck(connection, quoteTable(relation.table), cast, { shown: `${shown}.${name}`, asText }),
    )
    if (check instanceof Error) faults.push(asFault(check))
    else checks.set(name, check)
  }
  if (request.where !== undefined) {
    const fault = await settle(checkWhere(connection, relation.table, request.where))
    if (fault instanceof Error) faults.push(asFault(fault))
  }
  const isRead = (name: string): boolean => planned.columns.some((column) => column.name === name)
  const flagTable = { table: shown, isOneOfSeveral: options.isOneOfSeveral }
  if (faults.length > 0) {
    const names = (wanted.columns ?? own.names).filter(
      (name) => !excluded.includes(name) && !news.includes(name),
    )
    options.onFaults({
      table: relation.table,
      comment: relation.comment,
      columns: planned.columns,
      faulty: names.filter((name) => !isRead(name)),
      leftOut: own.names.filter((name) => !names.includes(name)),
      excluded,
      newColumns: news,
      dayColumn: day?.name,
      flagTable,
    })
    throw allFaults(faults)
  }
  if (relation.kind === 'view' || relation.kind === 'foreign table') {
    // What lies behind it may be out of reach: that shows now, not in the middle of the run.
    const list = planned.columns.map(({ expression }) => expression).join(', ')
    await connection.query(`SELECT ${list} FROM ${quoteTable(relation.table)} LIMIT 0`, [], shown)
  }
  const columns = planned.columns.map((column) => {
    const check = checks.get(column.name)
    return check === undefined ? column : { ...column, check }
  })
  const parts = await readableParts(connection, relation, catalog)
  const ranges: CopyRange[] = []
  const { where } = request
  const meeting = ({ from, ...range }: CopyRange): CopyRange =>
    where === undefined
      ? { from, ...range }
      : { ...range, from: calledAs(from, relation.table), where: both(range.where, whereTerm(where)) }
  const chosen = day && chosenDays(day, days.days, columns, options)
  for (const part of parts ?? [relation]) {
    const from = parts === undefined ? quoteTable(part.table) : fromTable(part.table)
    for (const range of await partRanges(connection, part, from, parts !== undefined, chosen, options))
      ranges.push(range)
  }
  return {
    table: relation.table,
    kind: relation.kind,
    lockable: relation.lockable,
    comment: relation.comment,
    columns,
    leftOut: own.names.filter((name) => !isRead(name)),
    excluded,
    newColumns: news,
    dayColumn: day?.name,
    estimatedRows: total((parts ?? [relation]).map(({ estimatedRows }) => estimatedRows)),
    ranges: ranges.map(meeting),
    runsFunctions:
      relation.rowSecurity ||
      where !== undefined ||
      planned.casts.length > 0 ||
      (parts === undefined
        ? relation.kind !== 'materialized view'
        : parts.some(({ kind }) => kind === 'foreign table')),
    checkUtf8: options.checkUtf8,
    hashKey: request.hashKey,
    flagTable,
  }
}

/**
 * The tables that hold the rows; undefined when the relation has to be read through its own name (export-spec §6.1):
 * views, foreign tables, parents whose privileges or row security are not their children's, and those with virtual
 * columns, which a child may compute otherwise.
 */
async function readableParts(
  connection: Connection,
  relation: Relation,
  catalog: readonly CatalogColumn[],
): Promise<Relation[] | undefined> {
  if (relation.kind === 'table' && !relation.hasChildren) return [relation]
  if (relation.kind !== 'table' && relation.kind !== 'partitioned') return undefined
  if (relation.rowSecurity || catalog.some(({ virtual }) => virtual)) return undefined
  const leaves = await findLeaves(connection, relation.oid)
  return leaves.every(({ readable }) => readable) ? leaves : undefined
}

/** The days that are read, as one condition and as several. */
interface ChosenDays {
  readonly column: string
  readonly together: string
  readonly apart: readonly string[]
}

function chosenDays(
  day: DayColumn,
  days: readonly Day[],
  columns: readonly SourceColumn[],
  { workers }: PlanOptions,
): ChosenDays {
  const isClamped = columns.find(({ name }) => name === day.name)?.check?.to === 'clamp'
  const column = { ...day, isClamped }
  return {
    column: day.name,
    together: daysCondition(column, days),
    apart: dayConditions(column, days, workers),
  }
}

async function partRanges(
  connection: Connection,
  part: Relation,
  from: string,
  stored: boolean,
  days: ChosenDays | undefined,
  { workers, tidRangeScan }: PlanOptions,
): Promise<CopyRange[]> {
  // ctid is a column: who may read some columns only may not read it.
  if (!stored || part.kind !== 'table' || !part.lockable)
    return [{ from, where: days?.together, addressable: false }]
  const byIndex = days !== undefined && (await hasLeadingIndex(connection, part.oid, days.column))
  const conditions = byIndex
    ? days.apart
    : (tidRangeScan ? ctidConditions(part.pages, workers) : [undefined]).map((ctid) =>
        both(days?.together, ctid),
      )
  return conditions.map((where) => ({ from, where, addressable: true }))
}

const filtered = (table: string): JobError =>
  usageError(`row-level security would hide rows of ${table} from this role`, {
    field: table,
    fix: 'connect as a role with BYPASSRLS, or allow the filtered read with --row-security',
  })

/** What is no JobError is not the table's fault. */
function asFault(error: Error): JobError {
  if (error instanceof JobError) return error
  throw error
}

const isDayType = (base: string | undefined): base is DayColumn['type'] =>
  base === 'date' || base === 'timestamp' || base === 'timestamptz'

function dayColumn(table: string, catalog: readonly CatalogColumn[], named: string | undefined): DayColumn {
  const name = named ?? onlyDayColumn(table, catalog)
  const column = catalog.find((one) => one.name === name)
  if (column === undefined) {
    throw usageError(`${table} has no column ${name}, by which the lake's table has its days`, {
      field: '--day-column',
      fix: `if the source calls it otherwise now, use ${flagText(columnFlag({ table, isOneOfSeveral: false }, '--rename', name, 'new'))}; or name another with --day-column`,
    })
  }
  if (!column.readable) throw unreadable(table, column, catalog)
  if (!isDayType(column.base)) {
    throw usageError(`${table}.${name} is ${column.declared}: it has no days`, {
      field: '--day-column',
      fix: 'name a date, timestamp or timestamptz column, or use --mode full',
    })
  }
  return { name, type: column.base }
}

function onlyDayColumn(table: string, catalog: readonly CatalogColumn[]): string {
  const candidates = catalog.filter(({ base }) => isDayType(base))
  const [only, other] = candidates
  if (only !== undefined && other === undefined) return only.name
  const found = only === undefined ? 'no' : `more than one (${listed(candidates.map(({ name }) => name))})`
  throw usageError(`${table} has ${found} date or timestamp column to choose days by`, {
    field: '--day-column',
    fix: only === undefined ? 'use --mode full' : 'name one of them with --day-column',
  })
}

const total = (estimates: readonly (number | undefined)[]): number | undefined =>
  estimates.reduce((sum, rows) => (sum === undefined || rows === undefined ? undefined : sum + rows), 0)
