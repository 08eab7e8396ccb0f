import { addDays, type Day } from '../calendar.ts'
import type { TimeRange } from '../iceberg/row-filter.ts'
import type { NestedField } from '../iceberg/types.ts'
import { primitiveOf } from './primitive.ts'

const msPerDay = 86_400_000

/** The rows of the days `from` … `to` of a column: [from, to + 1 day), UTC. */
export const dayRange = ({ id, name, type }: NestedField, from: Day, to: Day): TimeRange => ({
  kind: 'time-range',
  columnId: id,
  columnName: name,
  columnType: primitiveOf(type, name),
  from: micros(from),
  to: micros(addDays(to, 1)),
})

const micros = (day: Day): bigint => BigInt(Date.parse(`${day}T00:00:00Z`)) * 1000n

/** The day of a `day` partition value: days since 1970. */
export const dayOfOrdinal = (ordinal: number): Day => new Date(ordinal * msPerDay).toISOString().slice(0, 10)
