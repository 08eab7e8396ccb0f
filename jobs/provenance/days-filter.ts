import { msPerDay, ordinalOf, type DayRange } from '../calendar.ts'
import { and, atLeast, lessThan, or, type Predicate } from '../iceberg/expression/predicate.ts'
import { asPrimitive, type NestedField } from '../iceberg/schema/types.ts'

const microsPerDay = 1000n * BigInt(msPerDay)

/** The rows of some days of a column, UTC: [from, to + 1 day) of each range. */
export function daysFilter(
  { id, name, type: columnType }: NestedField,
  ranges: readonly DayRange[],
): Predicate {
  const type = asPrimitive(columnType)
  if (type === undefined) throw new TypeError(`column ${name} is nested: it has no days`)
  const column = { id, name, type }
  const start = (ordinal: number): number | bigint =>
    type.kind === 'date' ? ordinal : BigInt(ordinal) * microsPerDay
  return or(
    ...ranges.map(({ from, to }) =>
      and(atLeast(column, start(ordinalOf(from))), lessThan(column, start(ordinalOf(to) + 1))),
    ),
  )
}
