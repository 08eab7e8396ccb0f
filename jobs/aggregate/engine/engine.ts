import type { EmailCounts } from '../counts.ts'

/**
 * What merges the days of large windows where there is no list of a day's counts (lists/).
 * All paths are local, absolute and of any characters: none is a pattern, and no folder's name is a column. Counts files
 * are Parquet: email, create_count, read_count, update_count, delete_count, one row per email, sorted by the email's bytes.
 */
export interface Engine {
  /** Sums counts files per email, sorted, in batches. */
  merge(sources: readonly string[]): AsyncIterable<EmailCounts>

  close(): Promise<void>
}
