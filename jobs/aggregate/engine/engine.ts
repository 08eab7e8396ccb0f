import type { EmailCounts } from '../counts.ts'

/**
 * What counts large days and merges large windows. Small ones never reach an engine (docs/decisions).
 * All paths are local. Counts files are Parquet: email, create_count, read_count, update_count, delete_count,
 * one row per email, sorted by the email's bytes.
 */
export interface Engine {
  /**
   * Counts a log into the counts file `target`. An engine's reader accepts what the contract refuses (aggregate-spec
   * §1), so the result holds only if the scanner proves every record of the file and finds as many rows.
   *
   * @param path a file without quote, CR, NUL and BOM
   * @returns undefined when the engine cannot read the file
   */
  countLog(path: string, target: string): Promise<CountedLog | undefined>

  /** Sums counts files per email into the counts file `target`; resolves to the number of emails. */
  mergeToFile(sources: readonly string[], target: string): Promise<number>

  /** Sums counts files per email, sorted, in batches. */
  merge(sources: readonly string[]): AsyncIterable<EmailCounts>

  close(): Promise<void>
}

export interface CountedLog {
  readonly rows: number
  readonly emails: number
}
