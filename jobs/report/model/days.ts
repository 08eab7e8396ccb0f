import { addDays, dayOf, windowOf, type Day } from '../../calendar.ts'
import type { TableEvent } from '../gather/events.ts'
import type { LakeTable } from '../gather/tables.ts'
import type { DayState, TableDay } from '../schema.ts'

export const daysShown = 30

/** The squares of a table, for the 30 days that end with `last`. Pure. */
export function tableDays(
  { freshness, events }: Pick<LakeTable, 'freshness' | 'events'>,
  last: Day,
): TableDay[] {
  const { isByDay, first, missing, isLate, exportedMs } = freshness
  const lacking = new Set(missing)
  const isThere = (day: Day): boolean => first !== undefined && first <= day && !lacking.has(day)
  // The day whose end an export of everything has last seen.
  const seen = exportedMs === undefined ? undefined : dayBefore(exportedMs)
  const writes = events.filter(({ kind }) => kind !== 'verified')
  const checks = events.filter(({ kind }) => kind === 'verified')
  return windowOf(last, daysShown).map((day) => {
    const square = (state: DayState, event?: TableEvent): TableDay => ({
      day,
      state,
      ...(event?.runId !== undefined && { run: event.runId }),
    })
    const write = writes.filter((event) => isAbout(event, day, isByDay, day === last)).at(-1)
    if (write?.kind === 'failed') return square('failed', write)
    if (isByDay ? !isThere(day) : write === undefined) {
      const isMissing = isByDay ? lacking.has(day) : isLate && seen !== undefined && day > seen
      return square(isMissing ? 'missing' : 'none')
    }
    const check = checks.filter((event) => proves(event, write, isByDay ? [] : writes, day)).at(-1)
    if (check !== undefined)
      return square(check.wrong.some((interval) => isOf(interval, day)) ? 'failed' : 'verified', check)
    return square(write?.kind === 'unchanged' ? 'unchanged' : 'exported', write)
  })
}

const dayBefore = (ms: number): Day => addDays(dayOf(new Date(ms)), -1)

/**
 * An export of everything is about the days that were over; of a table without days about the last of them, and about the newest
 * day that is shown whenever it came after that.
 */
function isAbout({ days, ms }: TableEvent, day: Day, isByDay: boolean, isLast: boolean): boolean {
  const before = dayBefore(ms)
  if (!isByDay) return before === day || (isLast && before > day)
  return days === 'full' ? day <= before : days.some(({ from, to }) => from <= day && day <= to)
}

/** Whether a verification read the rows as `write` left them; `others` replace all of them. */
const proves = (
  check: TableEvent,
  write: TableEvent | undefined,
  others: readonly TableEvent[],
  day: Day,
): boolean =>
  (write === undefined || check.ms >= write.ms) &&
  (check.days === 'full' || check.days.some(({ from, to }) => from <= day && day <= to)) &&
  !others.some((other) => write !== undefined && other.ms > write.ms && other.ms <= check.ms)

/** Whether an interval of a verification (a day, a month, `all`) has a day's rows. */
const isOf = (interval: string, day: Day): boolean => interval === 'all' || day.startsWith(interval)
