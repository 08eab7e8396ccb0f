import { compareValues } from '../../../jobs/iceberg/schema/single-value.ts'
import type { Value } from '../../../jobs/iceberg/schema/types.ts'
import type { Condition, Predicate } from '../../../jobs/iceberg/expression/predicate.ts'

/** A row by column ids. */
export type Row = ReadonlyMap<number, Value | null>

/** SQL's truth of a predicate for one row, written as plainly as can be: null is unknown. */
export function truthOf(predicate: Predicate, row: Row): boolean | null {
  switch (predicate.kind) {
    case 'true':
      return true
    case 'false':
      return false
    case 'not': {
      const inner = truthOf(predicate.part, row)
      return inner === null ? null : !inner
    }
    case 'and': {
      const parts = predicate.parts.map((part) => truthOf(part, row))
      return parts.includes(false) ? false : parts.includes(null) ? null : true
    }
    case 'or': {
      const parts = predicate.parts.map((part) => truthOf(part, row))
      return parts.includes(true) ? true : parts.includes(null) ? null : false
    }
    default:
      return truthOfCondition(predicate, row)
  }
}

function truthOfCondition(predicate: Condition, row: Row): boolean | null {
  const value = row.get(predicate.column.id) ?? null
  if (predicate.kind === 'is-null') return value === null
  if (value === null) return null
  switch (predicate.kind) {
    case 'less':
      return order(value, predicate.value) < 0
    case 'greater':
      return order(value, predicate.value) > 0
    case 'in':
      return predicate.values.some((one) => order(value, one) === 0)
    case 'starts-with':
      return (value as string).startsWith(predicate.prefix)
  }
}

/** PostgreSQL's: NaN is the greatest number. */
function order(a: Value, b: Value): number {
  const [isNaN, other] = [Number.isNaN(a), Number.isNaN(b)]
  return isNaN || other ? Number(isNaN) - Number(other) : compareValues(a, b)
}
