import type { Day } from '../../calendar.ts'
import { bytesBetweenLooks, type EmailTable } from '../log/email-table.ts'
import type { Reject } from '../log/reject.ts'
import { createLogScanner } from '../log/scanner.ts'
import type { LogTotals } from '../log/totals.ts'

/** What a block of a log held: lines that follow each other. */
export interface ScannedBlock {
  readonly totals: Readonly<LogTotals>
  /** Their lines are counted from the block's own first one, which is 1. */
  readonly rejects: readonly Reject[]
  /** Line feeds. */
  readonly lines: number
  /** Whether its last record ends where the block does. If not, the lines behind it are no records of their own. */
  readonly isWhole: boolean
}

/**
 * Counts the block's rows in `table`, as if a record began with its first byte; `isLast` settles what has no line end. After each
 * mebibyte `makeRoom` is called. A block whose start is none, because a quoted field reaches across it, is scanned in vain:
 * the one before it says so.
 */
export function scanBlock(
  block: Uint8Array,
  { day, table, isLast, makeRoom }: { day: Day; table: EmailTable; isLast: boolean; makeRoom: () => void },
): ScannedBlock {
  const rejects: Reject[] = []
  const add = (reject: Reject): void => {
    rejects.push({ ...reject, line: reject.line - 1 })
  }
  const scanner = createLogScanner(day, table.taker(day), add, 'line')
  for (let from = 0; from < block.length; from += bytesBetweenLooks) {
    scanner.push(block.subarray(from, from + bytesBetweenLooks))
    makeRoom()
  }
  if (isLast) scanner.end()
  return { totals: scanner.totals, rejects, lines: scanner.lines(), isWhole: isLast || scanner.atRecord() }
}
