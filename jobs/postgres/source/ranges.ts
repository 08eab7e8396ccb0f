import { firstDay, lastDay, msPerDay, rangesOf, type Day } from '../../calendar.ts'
import { quoteIdentifier, quoteLiteral, quoteTable, type TableName } from '../identifiers.ts'
import type { SourceColumn } from './types.ts'

/** A part of a table that one COPY reads. Plain data, may cross threads. */
export interface CopyRange {
  /** The FROM item. */
  readonly from: string
  /** The WHERE condition; undefined: everything. */
  readonly where: string | undefined
  /** Rows have a ctid that names them (tables; not views). */
  readonly addressable: boolean
}

/** The order in which COPY sends the columns: the table's own, in which the server sends rows as they lie there. */
export const wireOrder = (columns: readonly SourceColumn[]): SourceColumn[] =>
  columns.toSorted((one, other) => one.attnum - other.attnum)

/** The columns whose casts are checked, in the order in which COPY sends the checks: behind all values. */
export const checkedColumns = (columns: readonly SourceColumn[]): SourceColumn[] =>
  wireOrder(columns).filter(({ check }) => check !== undefined)

/** The statement that reads the range's columns as binary COPY: in `wireOrder`, then the checks of `checkedColumns`. */
export function copySql(columns: readonly SourceColumn[], { from, where }: CopyRange): string {
  const values = wireOrder(columns).map(({ expression }) => expression)
  const checks = checkedColumns(columns).map(({ check }) => check!.expression)
  const condition = where === undefined ? '' : ` WHERE ${where}`
  return `COPY (SELECT ${[...values, ...checks].join(', ')} FROM ${from}${condition}) TO STDOUT (FORMAT binary)`
}

/** `ONLY`: children of an inherited table are ranges of their own. */
export const fromTable = (table: TableName): string => `ONLY ${quoteTable(table)}`

const minRangePages = 256
const maxRangePages = 8192
/** A range is this part of a worker's share of what is left. */
const partOfShare = 4

/**
 * Disjoint ctid conditions that cover a table of any size: `pages` is what it had a moment ago, so the last
 * one is open-ended. They get smaller towards the end, so that no worker waits long for another there, and their
 * number stays small: each is a COPY that the server has to be asked for.
 */
export function ctidConditions(pages: number, workers: number): (string | undefined)[] {
  const step = (left: number): number =>
    Math.min(Math.max(Math.ceil(left / (workers * partOfShare)), minRangePages), maxRangePages)
  const starts = [0]
  for (let page = step(pages); page < pages; page += step(pages - page)) starts.push(page)
  return starts.map((start, index) => {
    const end = starts[index + 1]
    const lower = start === 0 ? [] : [`ctid >= '(${start},0)'::tid`]
    const upper = end === undefined ? [] : [`ctid < '(${end},0)'::tid`]
    const bounds = [...lower, ...upper]
    return bounds.length === 0 ? undefined : bounds.join(' AND ')
  })
}

/** A day column as PostgreSQL compares it; `date` days have no parts. */
export interface DayColumn {
  readonly name: string
  readonly type: 'date' | 'timestamp' | 'timestamptz'
  /** What is before the first or after the last day that there is counts as of that day. */
  readonly isClamped?: boolean
}

const equalParts = [1, 2, 3, 4, 6, 8, 12, 24]

/** More days than a year's share conditions: each is a COPY that the server has to be asked for. */
const mostDayConditions = 366

/**
 * One condition per part of each day [D, D+1) UTC, about four parts per worker altogether; of many days one for several, as many
 * in each.
 */
export function dayConditions(column: DayColumn, days: readonly Day[], workers: number): string[] {
  const together = Math.ceil(days.length / mostDayConditions)
  if (together > 1)
    return Array.from({ length: Math.ceil(days.length / together) }, (_, at) =>
      daysCondition(column, days.slice(at * together, (at + 1) * together)),
    )
  const wanted = (4 * workers) / Math.max(days.length, 1)
  const parts = column.type === 'date' ? 1 : (equalParts.find((count) => count >= wanted) ?? 24)
  return days.flatMap((day) =>
    Array.from({ length: parts }, (_, part) =>
      between(
        column,
        startOf(day) + (part * msPerDay) / parts,
        startOf(day) + ((part + 1) * msPerDay) / parts,
      ),
    ),
  )
}

/** One condition for all the days; neighbouring days are one interval. */
export function daysCondition(column: DayColumn, days: readonly Day[]): string {
  const terms = rangesOf(days).map(({ from, to }) => between(column, startOf(from), startOf(to) + msPerDay))
  return terms.length === 0 ? 'false' : `(${terms.join(' OR ')})`
}

const startOf = (day: Day): number => Date.parse(`${day}T00:00:00Z`)

function between({ name, type, isClamped = false }: DayColumn, from: number, to: number): string {
  const column = quoteIdentifier(name)
  const isFirst = isClamped && from === startOf(firstDay)
  const isLast = isClamped && to === startOf(lastDay) + msPerDay
  if (isFirst && isLast) return `(${column} IS NOT NULL)`
  const bounds = [
    ...(isFirst ? [] : [`${column} >= ${literal(type, from)}`]),
    ...(isLast ? [] : [`${column} < ${literal(type, to)}`]),
  ]
  return `(${bounds.join(' AND ')})`
}

/** `toISOString` writes the year 10000 as +010000; PostgreSQL wants it plain. */
function literal(type: DayColumn['type'], ms: number): string {
  const [date, time] = new Date(ms).toISOString().replace(/^\+0/, '').replace('Z', '').split('T')
  const text = type === 'date' ? date! : `${date!} ${time!}${type === 'timestamptz' ? '+00' : ''}`
  return `${quoteLiteral(text)}::${type}`
}
