import type { Logger } from 'pino'
import type { Day } from '../calendar.ts'
import type { Counted } from './run.ts'

/** Warns of logs that seem to be another day's: most rows dated otherwise, or the same bytes as another day's log. */
export function warnOfStrangeDays(counted: Counted, logger: Logger): void {
  const byKey = new Map<string, Day>()
  for (const [day, { entry }] of [...counted].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const { rows, otherDayRows } = entry.totals
    if (rows === 0) continue
    if (2 * otherDayRows > rows)
      logger.warn(
        { day, rows, otherDayRows },
        `most rows in the log of ${day} are dated another day: is it that day's?`,
      )
    const twin = byKey.get(entry.key)
    if (twin === undefined) byKey.set(entry.key, day)
    else logger.warn({ day, twin }, `the logs of ${twin} and ${day} are the same, byte for byte`)
  }
}
