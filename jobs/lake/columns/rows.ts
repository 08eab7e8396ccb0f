import type duckdb from '@duckdb/node-bindings'
import type { NewRows, ValueBuilder } from '../../vector/builder.ts'
import type { ColumnVector } from '../../vector/vector.ts'
import { bindings } from './bindings.ts'

/** Gathers what DuckDB gives of one column, 2,048 rows at a time, into a vector. */
export interface ColumnBuilder {
  /** At most as many rows as there is room for. */
  add(vector: duckdb.Vector, rows: number): void
  /** What they are gathered in, where its values are as Parquet has them: other rows may come from elsewhere. */
  readonly values: ValueBuilder | undefined
  /** Bytes of the values so far. */
  bytes(): number
  /** The vector, whose memory is the caller's; the builder begins anew. */
  take(): ColumnVector
}

/** Which rows of a vector have a value. */
export function newRows(vector: duckdb.Vector, rows: number): NewRows {
  // Null where no row is NULL, whatever the binding's types say.
  const bits = bindings().vector_get_validity(vector, Math.ceil(rows / 64) * 8) as Uint8Array | null
  if (bits === null) return { rows, count: rows, defined: undefined }
  const defined = new Uint8Array(rows)
  let count = 0
  for (let row = 0; row < rows; row++) count += defined[row] = (bits[row >> 3]! >> (row & 7)) & 1
  return { rows, count, defined }
}
