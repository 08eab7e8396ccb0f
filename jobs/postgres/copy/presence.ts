import type { RowBatch } from './scan.ts'

/** Room is made for that many rows at least. */
export const initialRows = 1024

/** Counts rows and, from the first NULL on, keeps a byte for each. */
export interface Presence {
  append(batch: RowBatch): void
  take(): { rows: number; defined: Uint8Array | undefined }
}

/** Of the column at that index of the batch. */
export function createPresence(column: number): Presence {
  let rows = 0
  let defined: Uint8Array | undefined
  return {
    append(batch) {
      const nulls = batch.nullCounts[column]!
      if (nulls > 0 && defined === undefined) defined = new Uint8Array(Math.max(initialRows, rows)).fill(1)
      if (defined !== undefined) {
        defined = growBytes(defined, rows, batch.rows)
        defined.fill(1, rows, rows + batch.rows)
        const first = column * batch.capacity
        for (let i = 0; i < nulls; i++) defined[rows + batch.nulls[first + i]!] = 0
      }
      rows += batch.rows
    },
    take() {
      const taken = { rows, defined }
      rows = 0
      defined = undefined
      return taken
    },
  }
}

function growBytes(bytes: Uint8Array, used: number, more: number): Uint8Array {
  if (used + more <= bytes.length) return bytes
  const grown = new Uint8Array(Math.max(used + more, 2 * bytes.length))
  grown.set(bytes.subarray(0, used))
  return grown
}
