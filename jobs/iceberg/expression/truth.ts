import { compareValues } from '../schema/single-value.ts'
import type { Value } from '../schema/types.ts'
import { bucketOf } from '../partition/transform-bucket.ts'
import type { ColumnFacts } from './facts.ts'
import type { Column, Condition, Predicate } from './predicate.ts'

/** The truth values that a predicate may have for some rows, as bits. No bit: there are no rows. */
export const truth = { true: 1, false: 2, unknown: 4 } as const

/**
 * The truth values that a predicate may take over rows of which only facts are known. It never leaves one out, and may
 * have one too many: facts of two columns are taken as independent. So without `true` no row matches, and with nothing
 * but `true` every row does, also below `not`.
 */
export function truthsOf(predicate: Predicate, factsOf: (column: Column) => ColumnFacts): number {
  switch (predicate.kind) {
    case 'true':
      return truth.true
    case 'false':
      return truth.false
    case 'not':
      return negated(truthsOf(predicate.part, factsOf))
    case 'and':
      return predicate.parts.map((part) => truthsOf(part, factsOf)).reduce(conjunction)
    case 'or':
      return negated(predicate.parts.map((part) => negated(truthsOf(part, factsOf))).reduce(conjunction))
    default:
      return ofCondition(predicate, factsOf(predicate.column))
  }
}

const negated = (truths: number): number =>
  (truths & truth.unknown) |
  ((truths & truth.true) === 0 ? 0 : truth.false) |
  ((truths & truth.false) === 0 ? 0 : truth.true)

/** False wins over unknown, unknown over true. */
function conjunction(a: number, b: number): number {
  if (a === 0 || b === 0) return 0
  const notFalse = truth.true | truth.unknown
  const isUnknown =
    ((a & truth.unknown) !== 0 && (b & notFalse) !== 0) || ((b & truth.unknown) !== 0 && (a & notFalse) !== 0)
  return (a & b & truth.true) | ((a | b) & truth.false) | (isUnknown ? truth.unknown : 0)
}

function ofCondition(condition: Condition, facts: ColumnFacts): number {
  const { nulls, nans } = facts
  if (condition.kind === 'is-null')
    return (nulls === 'none' ? 0 : truth.true) | (nulls === 'all' ? 0 : truth.false)
  if (nulls === 'all') return truth.unknown
  return (
    (nulls === 'none' ? 0 : truth.unknown) |
    (nans === 'none' ? 0 : ofNaN(condition)) |
    (nans === 'all' ? 0 : ofValues(condition, facts))
  )
}

const either = (isTrue: boolean): number => (isTrue ? truth.true : truth.false)

function ofNaN(condition: Exclude<Condition, { kind: 'is-null' }>): number {
  switch (condition.kind) {
    case 'less':
    case 'starts-with':
      return truth.false
    case 'greater':
      return either(!Number.isNaN(condition.value))
    case 'in':
      return either(condition.values.some((value) => Number.isNaN(value)))
  }
}

/** Of values between the bounds, NULL and NaN aside. */
function ofValues(
  condition: Exclude<Condition, { kind: 'is-null' }>,
  { lower, upper, buckets }: ColumnFacts,
): number {
  const some = (canBeTrue: boolean, canBeFalse: boolean): number =>
    (canBeTrue ? truth.true : 0) | (canBeFalse ? truth.false : 0)
  switch (condition.kind) {
    case 'less':
      // Everything is below NaN.
      if (Number.isNaN(condition.value)) return truth.true
      return some(
        lower === undefined || compareValues(lower, condition.value) < 0,
        upper === undefined || compareValues(upper, condition.value) >= 0,
      )
    case 'greater':
      if (Number.isNaN(condition.value)) return truth.false
      return some(
        upper === undefined || compareValues(upper, condition.value) > 0,
        lower === undefined || compareValues(lower, condition.value) <= 0,
      )
    case 'in': {
      const possible = condition.values.filter(
        (value) =>
          !Number.isNaN(value) &&
          (lower === undefined || compareValues(lower, value) <= 0) &&
          (upper === undefined || compareValues(upper, value) >= 0) &&
          buckets.every((one) => {
            const bucket = bucketOf(condition.column.type, value, one.count)
            return bucket >= one.lower && bucket <= one.upper
          }),
      )
      // What is not below the least is not above the greatest: a single value, truncated bounds or not.
      const isSingle = lower !== undefined && upper !== undefined && compareValues(lower, upper) === 0
      return some(possible.length > 0, !(isSingle && possible.length > 0))
    }
    case 'starts-with': {
      const lowest = sideOf(condition.prefix, lower, -1)
      const highest = sideOf(condition.prefix, upper, 1)
      return some(lowest <= 0 && highest >= 0, lowest !== 0 || highest !== 0)
    }
  }
}

/** Where a bound lies: below (-1), among (0) or above (1) what begins with `prefix`; as `absent` without a bound. */
function sideOf(prefix: string, bound: Value | undefined, absent: -1 | 1): number {
  if (typeof bound !== 'string') return absent
  const [start, bytes] = [Buffer.from(prefix), Buffer.from(bound)]
  return Buffer.compare(bytes.subarray(0, start.length), start)
}
