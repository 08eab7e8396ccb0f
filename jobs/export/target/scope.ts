import { daysBetween } from '../../calendar.ts'
import { partitionType, type PartitionColumnType } from '../../iceberg/partition/partition-spec.ts'
import { alwaysTrue, type Predicate } from '../../iceberg/expression/predicate.ts'
import { fieldByName } from '../../iceberg/schema/schema.ts'
import type { TablePlan } from '../../postgres/source/plan.ts'
import { daysFilter } from '../../provenance/days-filter.ts'
import type { ColumnDays } from '../../provenance/replacing/standing-rows.ts'
import type { ExportOptions } from '../options.ts'
import type { Replaced } from '../../provenance/provenance.ts'
import type { TableTarget } from './table-target.ts'

/** What an export replaces in one table, and how it tells the rows apart. */
export interface Scope {
  /** Day mode: the column, and its days that are replaced. */
  readonly days: ColumnDays | undefined
  /** The fields by which rows are told apart: the table's, and the day when it is not among them. */
  readonly fields: readonly PartitionColumnType[]
  /** How many of them are the table's. */
  readonly own: number
  /** Which of them is the day. */
  readonly dayField: number | undefined
}

export function scopeOf(target: TableTarget, { dayColumn }: TablePlan, { scope }: ExportOptions): Scope {
  const own = partitionType(target.spec, [target.schema])
  const source = dayColumn === undefined ? undefined : fieldByName(target.schema, dayColumn)
  const existing = own.findIndex(
    ({ transform, sourceId }) => transform.kind === 'day' && (source === undefined || sourceId === source.id),
  )
  if (scope.mode === 'full') {
    return {
      days: undefined,
      fields: own,
      own: own.length,
      dayField: existing < 0 ? undefined : existing,
    }
  }
  if (source === undefined) throw new TypeError(`the schema lacks the day column ${String(dayColumn)}`)
  const days = { column: source, all: daysBetween(scope.from, scope.to) }
  if (existing >= 0) return { days, fields: own, own: own.length, dayField: existing }
  const day: PartitionColumnType = {
    id: 0,
    name: `${source.name}_day`,
    sourceId: source.id,
    transform: { kind: 'day' },
    type: { kind: 'date' },
  }
  return { days, fields: [...own, day], own: own.length, dayField: own.length }
}

/** The rows of the table that are replaced. */
export const filterOf = ({ days }: Scope, replaced: Replaced): Predicate =>
  days === undefined || replaced === 'full' ? alwaysTrue : daysFilter(days.column, replaced)
