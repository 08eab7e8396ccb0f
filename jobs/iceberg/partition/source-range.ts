import { msPerDay } from '../../calendar.ts'
import { raised } from '../../parquet/statistics/truncate.ts'
import type { PrimitiveType, Value } from '../schema/types.ts'
import type { OrderedTransform } from './transforms.ts'

/** The least and the greatest value, both included; an undefined end is unbounded. */
export interface SourceRange {
  readonly lower: Value | undefined
  readonly upper: Value | undefined
}

const monthsPerYear = 12
const hoursPerDay = 24
const microsPerHour = 3_600_000_000n

/**
 * The values of a column of `type` that a transform turns into `value`, which is not NULL: the inverse of spec
 * "Partition Transforms". Undefined: the transform has no such result, or it is the least int or long, truncated below
 * what the type can hold.
 */
export function sourceRange(
  transform: OrderedTransform,
  type: PrimitiveType,
  value: Value,
): SourceRange | undefined {
  switch (transform.kind) {
    case 'identity':
      return { lower: value, upper: value }
    case 'year':
      return daysRange(
        type,
        startOfMonth(Number(value) * monthsPerYear),
        startOfMonth((Number(value) + 1) * monthsPerYear),
      )
    case 'month':
      return daysRange(type, startOfMonth(Number(value)), startOfMonth(Number(value) + 1))
    case 'day':
      return daysRange(type, Number(value), Number(value) + 1)
    case 'hour':
      return hoursRange(Number(value), Number(value) + 1)
    case 'truncate':
      return truncatedRange(transform.width, value)
  }
}

/** From one hour to before another, since 1970. */
const hoursRange = (from: number, to: number): SourceRange => ({
  lower: BigInt(from) * microsPerHour,
  upper: BigInt(to) * microsPerHour - 1n,
})

/** From one day to before another, since 1970: days of dates, microseconds of timestamps. */
const daysRange = ({ kind }: PrimitiveType, from: number, to: number): SourceRange =>
  kind === 'date' ? { lower: from, upper: to - 1 } : hoursRange(from * hoursPerDay, to * hoursPerDay)

/** The day on which a month begins, both since 1970; years below 100 need the setter: Date.UTC takes 99 for 1999. */
function startOfMonth(month: number): number {
  const date = new Date(0)
  date.setUTCFullYear(1970, month, 1)
  return date.getTime() / msPerDay
}

/** Whole numbers of a slot, or all texts that begin with the value when it is as long as the transform cuts them. */
function truncatedRange(width: number, value: Value): SourceRange | undefined {
  if (typeof value === 'number')
    return value % width === 0 ? { lower: value, upper: value + width - 1 } : undefined
  if (typeof value === 'bigint')
    return value % BigInt(width) === 0n ? { lower: value, upper: value + BigInt(width) - 1n } : undefined
  const isText = typeof value === 'string'
  const length = isText ? Array.from(value).length : (value as Uint8Array).length
  if (length < width) return { lower: value, upper: value }
  const above = raised(isText ? Buffer.from(value) : (value as Uint8Array), isText)
  return { lower: value, upper: above && (isText ? Buffer.from(above).toString('utf8') : above) }
}
