import type { FlatVector } from '../vector/vector.ts'
import type { ByteTarget } from './encoding/bit-packing.ts'
import { encodeLevels, hybridCapacity } from './encoding/hybrid.ts'

/**
 * The rows of a chunk as its pages see them: where values lie and what their levels say. Values are those that are there,
 * counted over the whole chunk; ranges of rows are half-open.
 */
export interface ChunkRows {
  readonly rows: number
  readonly values: number
  /** Entries of levels: values, and one for whatever has none. */
  readonly levels: number
  /** How many rows from `from` on a page takes: at most `mostRows`, and of at most `mostLevels` entries, but at least one. */
  readonly rowsFrom: (from: number, mostRows: number, mostLevels: number) => number
  readonly valuesIn: (from: number, to: number) => number
  readonly levelsIn: (from: number, to: number) => number
  /** The rows from `from` to the one with the last of `values` values; only whole ones, so it may be none. */
  readonly rowsOf: (from: number, values: number) => number
  /** The most bytes that `writeLevels` writes. */
  readonly levelBytes: (from: number, to: number) => number
  /** Writes the levels as data page v1 wants them; returns the position after them. */
  readonly writeLevels: (from: number, to: number, target: ByteTarget, position: number) => number
}

/** Rows of one value each. `optional`: they carry definition levels. */
export function flatRows({ rows, count, defined }: FlatVector, optional: boolean): ChunkRows {
  return {
    rows,
    values: count,
    levels: rows,
    rowsFrom: (from, mostRows, mostLevels) => Math.min(mostRows, mostLevels, rows - from),
    valuesIn: (from, to) => valuesIn(defined, from, to),
    levelsIn: (from, to) => to - from,
    rowsOf: (from, values) => rowsOf(defined, from, values),
    levelBytes: (from, to) => (optional ? hybridCapacity((to - from) >> 3) : 0),
    writeLevels: (from, to, target, position) =>
      optional ? encodeLevels(defined, from, to, target, position) : position,
  }
}

/** Values in the rows `from … to`. */
export function valuesIn(defined: Uint8Array | undefined, from: number, to: number): number {
  if (defined === undefined) return to - from
  let values = 0
  for (let row = from; row < to; row++) values += defined[row]!
  return values
}

/** Rows from `from` to the one with the last of `values` values. */
function rowsOf(defined: Uint8Array | undefined, from: number, values: number): number {
  if (defined === undefined) return values
  let row = from
  for (let left = values; left > 0; row++) left -= defined[row]!
  return row - from
}
