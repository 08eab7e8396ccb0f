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
