import type { Day } from '../../calendar.ts'
import type { EmailCounts } from '../counts.ts'

/**
 * What counts large days and merges large windows. Small ones never reach an engine (docs/decisions).
 * All paths are local. Counts files are Parquet: email, create_count, read_count, update_count, delete_count,
 * one row per email, sorted by the email's bytes.
 */
export interface Engine {
  /**
   * Counts a plain CSV without quote, CR, NUL and BOM into the counts file `target`.
   *
   * @returns what was counted; undefined when the engine cannot vouch for every byte of the file, which then
   *   belongs to the scanner (aggregate-spec §1.2: an engine's reader accepts what the contract refuses)
   */
  countLog(path: string, day: Day, target: string): Promise<CountedLog | undefined>

  /** Sums counts files per email into the counts file `target`; resolves to the number of emails. */
  mergeToFile(sources: readonly string[], target: string): Promise<number>

  /** Sums counts files per email, sorted, in batches. */
  merge(sources: readonly string[]): AsyncIterable<EmailCounts>

  close(): Promise<void>
}

export interface CountedLog {
  readonly rows: number
  /** Of them dated another day than the file's. */
  readonly otherDayRows: number
  readonly emails: number
}
