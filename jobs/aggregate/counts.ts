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
  const events: RowTotals['events'] = [0, 0, 0, 0]
  let emailBytes = 0
  for (let row = 0; row < rows; row++) {
    const [creates, reads, updates, removes] = [create[row]!, read[row]!, update[row]!, removed[row]!]
    events[0] += creates
    events[1] += reads
    events[2] += updates
    events[3] += removes
    emailBytes += (offsets[row + 1]! - offsets[row]!) * (creates + reads + updates + removes)
  }
  return { rows: events[0] + events[1] + events[2] + events[3], events, emailBytes }
}
