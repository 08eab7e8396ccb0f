import type { ColumnVector } from '../../vector/vector.ts'
import type { RowBatch } from './scan.ts'

/** Collects one column's values; what it gives away is never touched again. */
export interface ColumnBuilder {
  /** Appends the batch's values; returns the index of the first refused value, -1 if there is none. */
  append(batch: RowBatch): number
  /** Bytes collected. */
  size(): number
  take(): ColumnVector
  /** Why the value was refused, where its wire format does not say. */
  refusal?(): string
}
