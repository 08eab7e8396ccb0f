import type { RowTotals } from './log/totals.ts'

/**
 * Counts per email, by column: row i's email is `emails[offsets[i]] … emails[offsets[i + 1] - 1]`, UTF-8.
 * Each email occurs once; rows are sorted by the email's unsigned bytes (`Buffer.compare`'s order, which is
 * not JavaScript's string order: that one compares UTF-16 units).
 */
export interface EmailCounts {
  readonly rows: number
  readonly emails: Uint8Array
  /** `rows + 1` positions in `emails`, ascending. */
  readonly offsets: Uint32Array
  /** `rows` whole numbers each, exact to 2^53. */
  readonly create: Float64Array
  readonly read: Float64Array
  readonly update: Float64Array
  readonly delete: Float64Array
}

/** What counts come to. */
export function totalsOf({ rows, offsets, create, read, update, delete: removed }: EmailCounts): RowTotals {
  // Not in an array: each sum would be a new number in memory.
  let [creates, reads, updates, removes, emailBytes] = [0, 0, 0, 0, 0]
  for (let row = 0; row < rows; row++) {
    const own = create[row]! + read[row]! + update[row]! + removed[row]!
    creates += create[row]!
    reads += read[row]!
    updates += update[row]!
    removes += removed[row]!
    emailBytes += (offsets[row + 1]! - offsets[row]!) * own
  }
  return { rows: creates + reads + updates + removes, events: [creates, reads, updates, removes], emailBytes }
}
