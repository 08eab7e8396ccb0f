import { fromSingleValue } from './single-value.ts'
import type { DataFile, FieldSummary } from './data-file.ts'
import type { PartitionColumnType } from './partition-spec.ts'
import type { PrimitiveType, Value } from './types.ts'

/** Which rows an operation is about. */
export type RowFilter = { readonly kind: 'all' } | TimeRanges

/** Rows whose column is in one of `ranges`; NULLs are in none. */
export interface TimeRanges {
  readonly kind: 'time-ranges'
  readonly columnId: number
  readonly columnName: string
  readonly columnType: PrimitiveType
  /** Neither overlapping nor adjacent: a file is inside when one of them holds all of it. */
  readonly ranges: readonly TimeRange[]
}

/** [from, to): microseconds since 1970 UTC. */
export interface TimeRange {
  readonly from: bigint
  readonly to: bigint
}

/** Where a file's rows lie: all inside the filter, all outside, or perhaps on both sides. */
export type Position = 'inside' | 'outside' | 'straddles'

/** [from, to) of microseconds; an undefined end is unbounded. */
interface Interval {
  readonly from: bigint | undefined
  readonly to: bigint | undefined
}

const microsPerHour = 3_600_000_000n
const microsPerDay = 24n * microsPerHour
const nothing: Interval = { from: 0n, to: 0n }
const everything: Interval = { from: undefined, to: undefined }

/**
 * Where a data file lies, by its partition and its bounds together (export-spec §3.5). Bounds of times are
 * never truncated, so they are exact. `type` is the partition type of the file's own spec.
 */
export function positionOf(
  filter: RowFilter,
  file: DataFile,
  type: readonly PartitionColumnType[],
): Position {
  if (filter.kind === 'all') return 'inside'
  if (file.recordCount === 0) return 'outside'
  const nulls = nullsIn(filter, file, type)
  if (nulls === 'all') return 'outside'
  const interval = boundsInterval(filter, file, partitionInterval(filter, type, file.partition))
  const position = compareIntervals(filter, interval)
  return position === 'inside' && nulls !== 'none' ? 'straddles' : position
}

/**
 * Whether a delete file can apply to files inside the filter only, by its partition: it applies to no file of another
 * one. Of an unpartitioned spec it may apply to any (spec "Scan Planning").
 */
export const appliesInsideOnly = (
  filter: RowFilter,
  file: DataFile,
  type: readonly PartitionColumnType[],
): boolean =>
  filter.kind === 'all' ||
  (nullsIn(filter, file, type) !== 'all' &&
    compareIntervals(filter, partitionInterval(filter, type, file.partition)) === 'inside')

/** Whether a manifest may hold files that are not outside the filter, judged by its partition summaries. */
export function mayMatch(
  filter: RowFilter,
  summaries: readonly FieldSummary[] | undefined,
  type: readonly PartitionColumnType[],
): boolean {
  if (filter.kind === 'all' || summaries === undefined) return true
  return type.every((field, index) => {
    const summary = summaries[index]
    if (summary === undefined || field.sourceId !== filter.columnId) return true
    const { lowerBound, upperBound } = summary
    if (lowerBound === undefined || upperBound === undefined) return !summary.containsNull
    const lowest = valueInterval(field, fromSingleValue(field.type, lowerBound))
    const highest = valueInterval(field, fromSingleValue(field.type, upperBound))
    return compareIntervals(filter, { from: lowest.from, to: highest.to }) !== 'outside'
  })
}

function compareIntervals({ ranges }: TimeRanges, { from, to }: Interval): Position {
  const met = ranges.find(
    (range) => (to === undefined || to > range.from) && (from === undefined || from < range.to),
  )
  if (met === undefined) return 'outside'
  return from !== undefined && from >= met.from && to !== undefined && to <= met.to ? 'inside' : 'straddles'
}

function nullsIn(
  filter: TimeRanges,
  file: DataFile,
  type: readonly PartitionColumnType[],
): 'none' | 'some' | 'all' {
  const own = type.findIndex((field) => field.sourceId === filter.columnId && isTime(field))
  if (own >= 0) return file.partition[own] === null ? 'all' : 'none'
  const nulls = file.nullValueCounts?.get(filter.columnId)
  if (nulls === file.recordCount) return 'all'
  return nulls === 0 ? 'none' : 'some'
}

const isTime = ({ transform: { kind } }: PartitionColumnType): boolean =>
  kind === 'identity' || kind === 'year' || kind === 'month' || kind === 'day' || kind === 'hour'

const partitionInterval = (
  filter: TimeRanges,
  type: readonly PartitionColumnType[],
  partition: readonly (Value | null)[],
): Interval =>
  type.reduce((interval, field, index) => {
    const value = partition[index] ?? null
    if (field.sourceId !== filter.columnId || !isTime(field)) return interval
    return value === null ? nothing : intersection(interval, valueInterval(field, value))
  }, everything)

/** The instants that a partition value stands for. */
function valueInterval(field: PartitionColumnType, value: Value): Interval {
  const ordinal = Number(value)
  switch (field.transform.kind) {
    case 'year':
      return { from: startOfMonth(12 * ordinal), to: startOfMonth(12 * (ordinal + 1)) }
    case 'month':
      return { from: startOfMonth(ordinal), to: startOfMonth(ordinal + 1) }
    case 'day':
      return { from: BigInt(ordinal) * microsPerDay, to: BigInt(ordinal + 1) * microsPerDay }
    case 'hour':
      return { from: BigInt(ordinal) * microsPerHour, to: BigInt(ordinal + 1) * microsPerHour }
    case 'identity':
      return { from: startOf(field.type, value), to: endOf(field.type, value) }
    default:
      return everything
  }
}

/** Months since January 1970; years below 100 need the setter: Date.UTC would take 99 for 1999. */
function startOfMonth(month: number): bigint {
  const date = new Date(0)
  date.setUTCFullYear(1970 + Math.floor(month / 12), ((month % 12) + 12) % 12, 1)
  return BigInt(date.getTime()) * 1000n
}

function boundsInterval(filter: TimeRanges, file: DataFile, interval: Interval): Interval {
  const lower = file.lowerBounds?.get(filter.columnId)
  const upper = file.upperBounds?.get(filter.columnId)
  const { columnType: type } = filter
  return intersection(interval, {
    from: lower && startOf(type, fromSingleValue(type, lower)),
    to: upper && endOf(type, fromSingleValue(type, upper)),
  })
}

const startOf = (type: PrimitiveType, value: Value): bigint =>
  BigInt(value as number | bigint) * (type.kind === 'date' ? microsPerDay : 1n)

const endOf = (type: PrimitiveType, value: Value): bigint =>
  startOf(type, value) + (type.kind === 'date' ? microsPerDay : 1n)

const intersection = (a: Interval, b: Interval): Interval => ({
  from: a.from === undefined || (b.from !== undefined && b.from > a.from) ? b.from : a.from,
  to: a.to === undefined || (b.to !== undefined && b.to < a.to) ? b.to : a.to,
})
