import type { Day } from '../../calendar.ts'
import { createCleanRows } from './clean-row.ts'
import type { RowSink } from './row-sink.ts'
import { overrun, type RowTaker } from './row-taker.ts'

const windowBytes = 262_144

/** Hands the rows of `day` on one by one, for who wants to see each of them. */
export function rowsTo(day: Day, onRow: RowSink): RowTaker {
  let window = Buffer.alloc(windowBytes + overrun)
  const cleanRows = createCleanRows(day, onRow)
  return {
    window: () => window,
    enlarge() {
      window = Buffer.concat([window], 2 * window.length)
    },
    takeClean: (at, longest, totals) => cleanRows(window, at, longest, totals),
    take: (bytes, start, end, action, stamp) => {
      onRow(bytes, start, end, action, window, stamp)
    },
  }
}
