import duckdb from '@duckdb/node-bindings'
import type { ColumnVector } from '../../vector/vector.ts'

/** Gathers what DuckDB gives of one column, 2,048 rows at a time, into a vector. */
export interface ColumnBuilder {
  /** At most as many rows as there is room for. */
  add(vector: duckdb.Vector, rows: number): void
  /** Bytes of the values so far. */
  bytes(): number
  /** The vector, whose memory is the caller's; the builder begins anew. */
  take(): ColumnVector
}

/** Which rows have a value: 1 or 0 for each; undefined where all have. */
export function definedOf(vector: duckdb.Vector, rows: number): Uint8Array | undefined {
  // Null where no row is NULL, whatever the binding's types say.
  const bits = duckdb.vector_get_validity(vector, Math.ceil(rows / 64) * 8) as Uint8Array | null
  if (bits === null) return undefined
  const defined = new Uint8Array(rows)
  for (let row = 0; row < rows; row++) defined[row] = (bits[row >> 3]! >> (row & 7)) & 1
  return defined
}

/** What has come of a vector's rows, whatever they hold. */
export interface Rows {
  readonly add: (defined: Uint8Array | undefined, rows: number) => void
  readonly take: () => Pick<ColumnVector, 'rows' | 'count' | 'defined'>
}

export function rowsOf(room: number): Rows {
  let [rows, count] = [0, 0]
  let all: Uint8Array | undefined
  return {
    add(defined, more) {
      if (defined !== undefined) {
        all ??= new Uint8Array(room).fill(1)
        all.set(defined, rows)
        for (const one of defined) count += one
      } else count += more
      rows += more
    },
    take() {
      const taken = { rows, count, defined: count === rows ? undefined : all?.subarray(0, rows) }
      ;[rows, count, all] = [0, 0, undefined]
      return taken
    },
  }
}
