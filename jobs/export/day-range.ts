import { addDays, type Day } from '../calendar.ts'
import type { TimeRanges } from '../iceberg/row-filter.ts'
import type { NestedField } from '../iceberg/types.ts'
import { primitiveOf } from './primitive.ts'

const msPerDay = 86_400_000
const microsPerDay = 86_400_000_000n

/** The days `from` … `to`. */
export interface DayRange {
  readonly from: Day
  readonly to: Day
}

/** Days, ascending, as ranges without a gap. */
export function rangesOf(days: readonly Day[]): DayRange[] {
  const ranges: DayRange[] = []
  for (const day of days) {
    const last = ranges.at(-1)
    if (last !== undefined && day === addDays(last.to, 1)) ranges[ranges.length - 1] = { ...last, to: day }
    else ranges.push({ from: day, to: day })
  }
  return ranges
}

/** The rows of some days of a column, UTC: [from, to + 1 day) of each range. */
export const daysFilter = ({ id, name, type }: NestedField, ranges: readonly DayRange[]): TimeRanges => ({
  kind: 'time-ranges',
  columnId: id,
  columnName: name,
  columnType: primitiveOf(type, name),
  ranges: ranges.map(({ from, to }) => ({ from: micros(from), to: micros(to) + microsPerDay })),
})

const micros = (day: Day): bigint => BigInt(Date.parse(`${day}T00:00:00Z`)) * 1000n

/** The day of a `day` partition value: days since 1970. */
export const dayOfOrdinal = (ordinal: number): Day => new Date(ordinal * msPerDay).toISOString().slice(0, 10)
