import { isUtf8 } from 'node:buffer'
import type { DataFile } from '../manifest/data-file.ts'
import type { PartitionColumnType } from '../partition/partition-spec.ts'
import type { FieldSummary } from '../partition/partition-value.ts'
import { sourceRange } from '../partition/source-range.ts'
import { compareValues, fromSingleValue } from '../schema/single-value.ts'
import type { PrimitiveType, Value } from '../schema/types.ts'
import type { Column } from './predicate.ts'

/** How many of some rows. */
export type Share = 'none' | 'some' | 'all'

/** What is known of a column's values in some rows: each may be loose, none is wrong. */
export interface ColumnFacts {
  readonly nulls: Share
  /** Of the rows that are not NULL. */
  readonly nans: Share
  /** All that are neither NULL nor NaN are between these, both included; undefined is unbounded. */
  readonly lower: Value | undefined
  readonly upper: Value | undefined
  /** Their bucket among `count` is between these. */
  readonly buckets: readonly { readonly count: number; readonly lower: number; readonly upper: number }[]
}

const isFloating = ({ kind }: PrimitiveType): boolean => kind === 'float' || kind === 'double'

const nothingKnown = (type: PrimitiveType): ColumnFacts => ({
  nulls: 'some',
  nans: isFloating(type) ? 'some' : 'none',
  lower: undefined,
  upper: undefined,
  buckets: [],
})

/** What a data file's metrics say. Bounds may be truncated: then they enclose the values, and that is all they do here. */
export function factsOfMetrics({ id, type }: Column, file: DataFile): ColumnFacts {
  const nullCount = file.nullValueCounts?.get(id)
  const nanCount = file.nanValueCounts?.get(id)
  const lower = boundOf(type, file.lowerBounds?.get(id))
  const upper = boundOf(type, file.upperBounds?.get(id))
  return checked({
    nulls: shareOf(nullCount, file.recordCount),
    nans: isFloating(type)
      ? shareOf(nanCount, nullCount === undefined ? Infinity : file.recordCount - nullCount)
      : 'none',
    lower,
    upper,
    buckets: [],
  })
}

/** Foreign writers left NaN where they knew no bound, and cut text within a character: its order is that of other text. */
function boundOf(type: PrimitiveType, bytes: Uint8Array | undefined): Value | undefined {
  if (bytes === undefined || (type.kind === 'string' && !isUtf8(bytes))) return undefined
  const value = fromSingleValue(type, bytes)
  return Number.isNaN(value) ? undefined : value
}

const shareOf = (count: number | undefined, all: number): Share =>
  count === 0 ? 'none' : count === all ? 'all' : 'some'

/** What a file's partition tuple says; `type` is the partition type of its spec. */
export const factsOfPartition = (
  column: Column,
  partition: DataFile['partition'],
  type: readonly PartitionColumnType[],
): ColumnFacts =>
  ofFields(column, type, (_field, index) => {
    const value = partition[index] ?? null
    return { nulls: value === null ? 'all' : 'none', lower: value ?? undefined, upper: value ?? undefined }
  })

/** What a manifest's partition summaries say of all the rows of its files. */
export const factsOfSummaries = (
  column: Column,
  summaries: readonly FieldSummary[],
  type: readonly PartitionColumnType[],
): ColumnFacts =>
  ofFields(column, type, (field, index) => {
    const summary = summaries[index]
    if (summary === undefined) return undefined
    const { containsNull, lowerBound, upperBound } = summary
    const mayHoldNaN = isFloating(field.type) && summary.containsNan !== false
    const isNull = containsNull && lowerBound === undefined && upperBound === undefined && !mayHoldNaN
    return {
      nulls: isNull ? 'all' : containsNull ? 'some' : 'none',
      lower: boundOf(field.type, lowerBound),
      upper: boundOf(field.type, upperBound),
      mayHoldNaN,
    }
  })

/** What is known of one field of partition tuples. */
interface FieldFacts {
  readonly nulls: Share
  readonly lower: Value | undefined
  readonly upper: Value | undefined
  readonly mayHoldNaN?: boolean
}

/** The facts about a column which follow from those about the partition fields that are made of it. */
const ofFields = (
  column: Column,
  type: readonly PartitionColumnType[],
  factsOf: (field: PartitionColumnType, index: number) => FieldFacts | undefined,
): ColumnFacts =>
  type.reduce((known, field, index) => {
    const facts = field.sourceId === column.id ? factsOf(field, index) : undefined
    return facts === undefined ? known : both(known, ofField(column, field, facts))
  }, nothingKnown(column.type))

function ofField({ type }: Column, { transform }: PartitionColumnType, facts: FieldFacts): ColumnFacts {
  const unknown = nothingKnown(type)
  const { nulls, lower, upper } = facts
  // NULL stays NULL, and nothing else becomes it, except by void.
  if (transform.kind === 'void' || transform.kind === 'unknown') return unknown
  if (transform.kind === 'bucket') {
    const bounds = { count: transform.buckets, lower: Number(lower ?? 0), upper: Number(upper ?? Infinity) }
    return { ...unknown, nulls, buckets: [bounds] }
  }
  if (Number.isNaN(lower)) return { ...unknown, nulls, nans: 'all' }
  const nans = facts.mayHoldNaN === true ? 'some' : 'none'
  const [first, last] = [lower, upper].map((value) =>
    value === undefined ? unbounded : sourceRange(transform, type, value),
  )
  // A result out of order says nothing, nor does the other end.
  if (first === undefined || last === undefined) return { ...unknown, nulls, nans }
  return { nulls, nans, lower: first.lower, upper: last.upper, buckets: [] }
}

const unbounded = { lower: undefined, upper: undefined }

/** What two sources know together. */
export const both = (a: ColumnFacts, b: ColumnFacts): ColumnFacts =>
  checked({
    nulls: stricter(a.nulls, b.nulls),
    nans: stricter(a.nans, b.nans),
    lower: further(a.lower, b.lower, 1),
    upper: further(a.upper, b.upper, -1),
    buckets: [...a.buckets, ...b.buckets],
  })

/** Where one says none and the other all, neither is believed. */
function stricter(a: Share, b: Share): Share {
  if (a === 'some') return b
  return b === 'some' || a === b ? a : 'some'
}

function further(a: Value | undefined, b: Value | undefined, sign: 1 | -1): Value | undefined {
  if (a === undefined || b === undefined) return a ?? b
  return sign * compareValues(a, b) >= 0 ? a : b
}

/** Bounds that exclude every value are a writer's mistake: no file may be lost by them. */
const checked = (facts: ColumnFacts): ColumnFacts =>
  facts.lower !== undefined && facts.upper !== undefined && compareValues(facts.lower, facts.upper) > 0
    ? { ...facts, lower: undefined, upper: undefined }
    : facts
