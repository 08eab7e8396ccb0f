import { addDays, isDay, type Day } from '../calendar.ts'
import { usageError } from '../errors.ts'
import { maxEmails } from './emails.ts'

export interface GenerateOptions {
  /** Location of the folder, without a slash at its end. */
  readonly dir: string
  readonly firstDate: Day
  readonly days: number
  /** Distinct emails that events are drawn from, 1 to 52^5. */
  readonly emails: number
  /** Rows per day; 0 makes empty files. */
  readonly events: number
  readonly seed: number
  /** Leave days alone that have a file already, plain or `.gz`. */
  readonly ifMissing: boolean
  /** Replace the plain logs of days that exist. */
  readonly replace: boolean
  /** Write only to a folder that is empty or carries lakejobs' mark. */
  readonly demo: boolean
}

/** Throws a `usageError` that names the first option out of its range. */
export function checkOptions(options: GenerateOptions): void {
  const { firstDate, days, emails, events, seed } = options
  if (options.ifMissing && options.replace) {
    throw usageError('if-missing and replace are given together', {
      field: '--replace',
      fix: 'give --if-missing to keep the days that exist, or --replace to make them anew',
    })
  }
  if (!isDay(firstDate)) {
    throw usageError(`first-date is not a day that exists: ${firstDate}`, {
      field: 'first-date',
      fix: 'Give it as YYYY-MM-DD, for example 2024-09-10.',
    })
  }
  wholeNumber('days', days, 1, 3_652_059)
  wholeNumber('emails', emails, 1, maxEmails)
  wholeNumber('events-per-day', events, 0, Number.MAX_SAFE_INTEGER)
  wholeNumber('seed', seed, 0, Number.MAX_SAFE_INTEGER)
  if (!isDay(addDays(firstDate, days - 1))) {
    throw usageError(`days leads beyond the year 9999: ${days}`, {
      field: 'days',
      fix: 'Generate fewer days or start earlier.',
    })
  }
}

function wholeNumber(field: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return
  throw usageError(`${field} is not a whole number from ${least} to ${most}: ${value}`, {
    field,
    fix: `Give ${field} as a whole number in that range.`,
  })
}
