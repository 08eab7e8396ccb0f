import type { Day } from '../../calendar.ts'
import { usageError } from '../../errors.ts'
import type { Connection } from '../connect.ts'
import { formatTable, quoteTable, type TableName } from '../identifiers.ts'
import {
  findLeaves,
  hasLeadingIndex,
  readColumns,
  type CatalogColumn,
  type Relation,
  type RelationKind,
} from './catalog.ts'
import { planColumns, type ColumnOptions } from './columns.ts'
import {
  ctidConditions,
  dayConditions,
  daysCondition,
  fromTable,
  type CopyRange,
  type DayColumn,
} from './ranges.ts'
import type { SourceColumn } from './types.ts'

export interface TableRequest extends ColumnOptions {
  readonly table: TableName
  /** Day mode: only rows whose `column` lies in one of the days, [D, D+1) UTC; NULLs in none. */
  readonly days?: {
    /** Undefined: the only date or timestamp column. */
    readonly column: string | undefined
    readonly days: readonly Day[]
  }
}

/** How a table is read. Plain data, may cross threads. */
export interface TablePlan {
  readonly table: TableName
  readonly kind: RelationKind
  readonly comment: string | undefined
  readonly columns: readonly SourceColumn[]
  /** Day mode: the column by which days are chosen. */
  readonly dayColumn: string | undefined
  readonly estimatedRows: number | undefined
  /** Disjoint; together they are every row wanted. */
  readonly ranges: readonly CopyRange[]
  /** The database does not guarantee UTF-8. */
  readonly checkUtf8: boolean
}

export interface PlanOptions {
  readonly workers: number
  /** Read what row-level security lets through instead of refusing (`--row-security`). */
  readonly rowSecurity: boolean
  readonly checkUtf8: boolean
  /** ctid ranges are index lookups there (PostgreSQL 14 and later). */
  readonly tidRangeScan: boolean
}

/** Plans the read of a locked relation, under the snapshot. Errors as in `planColumns`; RLS is exit 2. */
export async function planTable(
  connection: Connection,
  relation: Relation,
  request: TableRequest,
  options: PlanOptions,
): Promise<TablePlan> {
  const shown = formatTable(relation.table)
  if (relation.rowSecurity && !options.rowSecurity) {
    throw usageError(`row-level security would hide rows of ${shown} from this role`, {
      field: shown,
      fix: 'connect as a role with BYPASSRLS, or allow the filtered read with --row-security',
    })
  }
  const catalog = await readColumns(connection, relation.oid)
  // A child of an inherited table may lack its parent's NOT NULL; a partition cannot.
  const optional =
    relation.kind === 'view' ||
    relation.kind === 'materialized view' ||
    relation.kind === 'foreign table' ||
    (relation.kind === 'table' && relation.hasChildren)
  const columns = planColumns(shown, catalog, request, optional)
  const day =
    request.days &&
    dayColumn(
      shown,
      planColumns(shown, catalog, { columns: [request.days.column ?? onlyDayColumn(shown, catalog)] }, true),
    )
  const parts = await readableParts(connection, relation)
  const ranges: CopyRange[] = []
  for (const part of parts ?? [relation]) {
    const whole = { from: parts === undefined ? quoteTable(part.table) : fromTable(part.table) }
    ranges.push(
      ...(await partRanges(connection, part, whole.from, parts !== undefined, day, request, options)),
    )
  }
  return {
    table: relation.table,
    kind: relation.kind,
    comment: relation.comment,
    columns,
    dayColumn: day?.name,
    estimatedRows: total((parts ?? [relation]).map(({ estimatedRows }) => estimatedRows)),
    ranges,
    checkUtf8: options.checkUtf8,
  }
}

/**
 * The tables that hold the rows; undefined when the relation has to be read through its own name: views,
 * foreign tables, parents whose row security or privileges do not extend to their children.
 */
async function readableParts(connection: Connection, relation: Relation): Promise<Relation[] | undefined> {
  if (relation.kind === 'table' && !relation.hasChildren) return [relation]
  if (relation.kind === 'materialized view') return undefined
  if (relation.kind !== 'table' && relation.kind !== 'partitioned') return undefined
  const leaves = await findLeaves(connection, relation.oid)
  return relation.rowSecurity || !leaves.every(({ readable }) => readable) ? undefined : leaves
}

async function partRanges(
  connection: Connection,
  part: Relation,
  from: string,
  stored: boolean,
  day: DayColumn | undefined,
  { days }: TableRequest,
  { workers, tidRangeScan }: PlanOptions,
): Promise<CopyRange[]> {
  const inDays = day && daysCondition(day, days?.days ?? [])
  if (!stored || part.kind !== 'table') return [{ from, where: inDays, addressable: false }]
  const byIndex = day !== undefined && (await hasLeadingIndex(connection, part.oid, day.name))
  const conditions = byIndex
    ? dayConditions(day, days?.days ?? [], workers)
    : (tidRangeScan ? ctidConditions(part.pages, workers) : [undefined]).map(
        (ctid) => [inDays, ctid].filter((term) => term !== undefined).join(' AND ') || undefined,
      )
  return conditions.map((where) => ({ from, where, addressable: true }))
}

function onlyDayColumn(table: string, catalog: readonly CatalogColumn[]): string {
  const candidates = catalog.filter(({ base }) => ['date', 'timestamp', 'timestamptz'].includes(base ?? ''))
  const [only, other] = candidates
  if (only !== undefined && other === undefined) return only.name
  const found = only === undefined ? 'no' : `more than one (${candidates.map(({ name }) => name).join(', ')})`
  throw usageError(`${table} has ${found} date or timestamp column to choose days by`, {
    field: '--day-column',
    fix: only === undefined ? 'use --mode full' : 'name one of them with --day-column',
  })
}

function dayColumn(table: string, [column]: readonly SourceColumn[]): DayColumn {
  const { name, type } = column!
  if (type.kind === 'date' || type.kind === 'timestamp' || type.kind === 'timestamptz') {
    return { name, type: type.kind }
  }
  throw usageError(`${table}.${name} is ${column!.sourceType}: it has no days`, {
    field: '--day-column',
    fix: 'name a date, timestamp or timestamptz column, or use --mode full',
  })
}

const total = (estimates: readonly (number | undefined)[]): number | undefined =>
  estimates.reduce((sum, rows) => (sum === undefined || rows === undefined ? undefined : sum + rows), 0)
