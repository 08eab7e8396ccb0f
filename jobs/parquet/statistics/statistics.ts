import type { MinMax } from './bounds.ts'
import type { LogicalColumnType } from '../column.ts'
import { truncateLower, truncateUpper, type Bound, type Length } from './truncate.ts'

/** What the footer says about a chunk (parquet.thrift, Statistics). A bound that is missing is unknown. */
export interface ColumnStatistics {
  readonly nullCount: number
  readonly min: Bound | undefined
  readonly max: Bound | undefined
}

/** What Iceberg's manifests say about a file's column, for one chunk; bounds as in Iceberg's single-value binary. */
export interface ColumnMetrics {
  /** Rows, NULLs included; of lists their elements, and one for each list that is NULL or empty. */
  readonly valueCount: number
  /** Those without a value. */
  readonly nullCount: number
  /** undefined unless the column is float or double. */
  readonly nanCount: number | undefined
  /** In PLAIN encoding without length; exact up to 1024 bytes, beyond that a shorter bound that still holds. */
  readonly min: Bound | undefined
  readonly max: Bound | undefined
}

/** Bounds of text and binary in the footer: pages of long texts are skipped by their beginnings. */
const statisticsLength: Length = { unit: 'bytes', most: 64 }
/** Kept for Iceberg, whose own truncation is finer (16 code points by default): a 64 MB text is not kept. */
const metricsLength: Length = { unit: 'bytes', most: 1024 }

/** Statistics and metrics of a chunk from the bounds of its values. */
export function summarize(
  type: LogicalColumnType,
  counts: { readonly rows: number; readonly values: number; readonly nans: number | undefined },
  bounds: MinMax | undefined,
): { readonly statistics: ColumnStatistics; readonly metrics: ColumnMetrics } {
  const nullCount = counts.rows - counts.values
  const shorten = type.kind === 'string' || type.kind === 'binary'
  const utf8 = type.kind === 'string'
  const within = (length: Length): { min: Bound | undefined; max: Bound | undefined } => {
    const min = bounds && { bytes: bounds.min, exact: true }
    const max = bounds && { bytes: bounds.max, exact: true }
    return {
      min: owned(min && shorten ? truncateLower(min, length, utf8) : min),
      max: owned(max && shorten ? truncateUpper(max, length, utf8) : max),
    }
  }
  return {
    statistics: { nullCount, ...within(statisticsLength) },
    metrics: { valueCount: counts.rows, nullCount, nanCount: counts.nans, ...within(metricsLength) },
  }
}

/** A copy: the bounds are views of the rows' memory, which they must neither keep alive nor move along. */
const owned = (bound: Bound | undefined): Bound | undefined =>
  bound && { bytes: new Uint8Array(bound.bytes), exact: bound.exact }
