import type { RowTotals } from './totals.ts'

/** Zero bytes that the window must have room for behind the end of its data. */
export const overrun = 64

/**
 * Takes a log's rows from the scanner. The log's bytes lie in its memory meanwhile, so that what takes rows of the commonest
 * form by the thousand finds them there.
 */
export interface RowTaker {
  /** The scanner's window, at least 256 KiB; ask again after each call: another buffer may hold the same bytes. */
  readonly window: () => Buffer
  /** Doubles the window, which keeps its bytes. */
  readonly enlarge: () => void
  /**
   * Takes rows of the commonest form for as long as they follow each other from position `at` of the window on, and returns where
   * the first record of another form (or cut by the data's end) starts. The form: email of ASCII above `"`, an action, a
   * timestamp of the log's own day, LF or CR LF, no quotes, `longest` bytes at most. It is a subset of what record.ts and
   * fields.ts accept, so that it never decides alone that something is wrong.
   *
   * `overrun` bytes behind the data are 0: no row of this form holds one, so none reaches beyond, and loops need no bound.
   */
  readonly takeClean: (at: number, longest: number, totals: RowTotals) => number
  /** Takes one row: its email in `bytes`, which may be the window, its timestamp in the window from `stamp` on. */
  readonly take: (bytes: Buffer, start: number, end: number, action: number, stamp: number) => void
}
