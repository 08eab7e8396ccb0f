import type { Day } from '../../calendar.ts'
import { quoteIdentifier } from '../../postgres/identifiers.ts'
import type { TablePlan } from '../../postgres/source/plan.ts'
import { daysCondition } from '../../postgres/source/ranges.ts'
import type { Compared } from '../source-rows.ts'
import { rangeCondition, type RangeColumn } from './key-ranges.ts'

/** Rows that are looked into. The source may send others with them. */
export interface Restriction {
  /** Undefined: of any. */
  readonly days: readonly Day[] | undefined
  /** Undefined: of any. */
  readonly ranges: { readonly column: RangeColumn; readonly wanted: ReadonlySet<number> } | undefined
}

/** The plan of the same table for some of its rows, chosen by the server where its own values are what is compared. */
export function restricted(
  plan: TablePlan,
  { columns, day }: Compared,
  { days, ranges }: Restriction,
): TablePlan {
  const conditions: string[] = []
  const dayColumn = plan.columns.find(({ name }) => name === day?.name)
  const kind = dayColumn?.type.kind
  const hasDays = kind === 'date' || kind === 'timestamp' || kind === 'timestamptz'
  if (days !== undefined && dayColumn !== undefined && hasDays && isPlain(dayColumn))
    conditions.push(daysCondition({ name: dayColumn.name, type: kind }, days))
  const key = columns.find(({ id }) => id === ranges?.column.id)
  if (ranges !== undefined && key !== undefined)
    conditions.push(rangeCondition(ranges.column, ranges.wanted, quoteIdentifier(key.name)))
  if (conditions.length === 0) return plan
  return {
    ...plan,
    ranges: plan.ranges.map((range) => ({
      ...range,
      where: [...(range.where === undefined ? [] : [`(${range.where})`]), ...conditions].join(' AND '),
    })),
  }
}

/** A column of whole numbers as the server has it, quoted; undefined: it is none. */
export function wholeNumbers({ columns }: TablePlan, name: string): string | undefined {
  const column = columns.find((one) => one.name === name)
  const isWhole = column !== undefined && isPlain(column) && /^int[248]$/.test(column.wire)
  return isWhole ? quoteIdentifier(name) : undefined
}

const isPlain = ({ name, expression, check }: TablePlan['columns'][number]): boolean =>
  check === undefined && expression === quoteIdentifier(name)
