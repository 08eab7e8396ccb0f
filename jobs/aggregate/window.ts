import { daysBetween, ordinalOf, windowOf, type Day } from '../calendar.ts'
import { dataError, JobError, listed, usageError } from '../errors.ts'
import type { Outcome } from '../summary.ts'

/** The days whose sum is published under the last of them. */
export interface Window {
  readonly last: Day
  /** Oldest first; the last one is `last`. */
  readonly days: readonly Day[]
  /** In days; more than `days` has where time begins, at 0001-01-01. */
  readonly length: number
}

/** What to do about days without a file, see `checkMissing`. */
export type MissingPolicy = 'latest' | 'warn' | 'fail' | 'ignore'

export interface WindowRequest {
  readonly date: Day | undefined
  readonly from: Day | undefined
  readonly to: Day | undefined
  readonly days: number
  /** The day to end with when nothing is said. */
  readonly yesterday: Day
}

/** Ten years: each day is looked for under two names. */
export const maxDays = 3660
/** Of a backfill: a hundred years. */
const maxWindows = 36_600

/** The windows that are asked for: one that ends with `date`, or one for each day of `from` … `to`. */
export function planWindows({ date, from, to, days, yesterday }: WindowRequest): Window[] {
  const window = (last: Day): Window => {
    if (days > maxDays) {
      throw usageError(`--days ${days} is more than ${maxDays}`, {
        field: '--days',
        fix: `give at most ${maxDays}`,
      })
    }
    return { last, days: windowOf(last, days), length: days }
  }
  if (from === undefined && to === undefined) {
    return [window(date ?? yesterday)]
  }
  if (date !== undefined) {
    throw usageError('date is given together with from and to', {
      field: '--date',
      fix: 'give --date for one window, or --from and --to for one window a day',
    })
  }
  if (from === undefined || to === undefined) {
    const missing = from === undefined ? '--from' : '--to'
    throw usageError(`${missing} is missing`, { field: missing, fix: 'give --from and --to together' })
  }
  if (to < from) {
    throw usageError(`--to ${to} is before --from ${from}`, {
      field: '--to',
      fix: 'give --from the earlier day',
    })
  }
  const asked = ordinalOf(to) - ordinalOf(from) + 1
  if (asked > maxWindows) {
    throw usageError(`--from ${from} --to ${to} are ${asked} windows, more than ${maxWindows}`, {
      field: '--from',
      fix: 'see whether a year is mistyped, or ask for fewer days at once',
    })
  }
  return daysBetween(from, to).map(window)
}

/** Every day that any of the windows needs, oldest first. */
export function daysOf(windows: readonly Window[]): Day[] {
  const [first] = windows
  const end = windows.at(-1)
  return first === undefined || end === undefined ? [] : daysBetween(first.days[0] ?? first.last, end.last)
}

/**
 * The windows that can be published, by the policy on missing days: `latest` waits for the newest day (exit 5) and
 * lets older gaps be, `fail` (exit 3) accepts no gap, `warn` and `ignore` any. No input at all is exit 3. `hint` tells what
 * there is instead (inputs.ts).
 */
export function checkMissing(
  windows: readonly Window[],
  present: ReadonlySet<Day>,
  policy: MissingPolicy,
  input: string,
  hint?: string,
): { readonly publishable: Window[]; readonly missing: Day[] } {
  const days = daysOf(windows)
  const missing = days.filter((day) => !present.has(day))
  const newest = days.at(-1) ?? ''
  const outcome: Outcome = { missingDays: missing, from: days[0], to: newest }
  if (policy === 'latest' && !present.has(newest)) {
    throw new JobError('notYet', `no log of ${newest} in ${input} yet`, {
      field: 'input',
      fix: hint ?? `run again when ${newest}.csv has arrived`,
      outcome,
    })
  }
  const publishable = windows.filter(({ days }) => days.some((day) => present.has(day)))
  if (publishable.length === 0) {
    throw dataError(`no log of any day from ${days[0] ?? ''} to ${newest} in ${input}`, {
      field: 'input',
      fix:
        hint ?? `put files named like ${newest}.csv or ${newest}.csv.gz there, or give another input or date`,
      outcome,
    })
  }
  if (policy === 'fail' && missing.length > 0) {
    throw dataError(`no log of ${listed(missing)} in ${input}`, {
      field: 'input',
      fix: hint ?? 'add the missing files, or allow gaps with --missing-days warn',
      outcome,
    })
  }
  return { publishable, missing }
}
