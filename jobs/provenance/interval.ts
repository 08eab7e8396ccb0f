import { isDay, type Day, type DayRange } from '../calendar.ts'

/** Some of a table's rows, by their day in UTC. Plain data, may cross threads. */
export type Interval =
  /** Rows of months before all that are listed beside it. */
  | { readonly kind: 'earlier' }
  /** `YYYY-MM`. */
  | { readonly kind: 'month'; readonly month: string }
  | { readonly kind: 'day'; readonly day: Day }
  /** Rows without a day. */
  | { readonly kind: 'nulls' }
  /** Every row, where they are not told apart by day. */
  | { readonly kind: 'all' }

/** As summaries and footers have it: `2024-09-16`, `2024-07`, `earlier`, `null` or `all`. */
export function printInterval(interval: Interval): string {
  switch (interval.kind) {
    case 'month':
      return interval.month
    case 'day':
      return interval.day
    case 'nulls':
      return 'null'
    default:
      return interval.kind
  }
}

/** What `printInterval` made; undefined for anything else. */
export function parseInterval(text: string): Interval | undefined {
  if (text === 'earlier' || text === 'all') return { kind: text }
  if (text === 'null') return { kind: 'nulls' }
  if (isDay(text)) return { kind: 'day', day: text }
  return isDay(`${text}-01`) ? { kind: 'month', month: text } : undefined
}

/** Ascending: what is earlier, months and days by the calendar (a month before its days), nulls, all. */
export const compareIntervals = (a: Interval, b: Interval): number =>
  rank(a) - rank(b) || compareText(dateOf(a), dateOf(b))

/** The month that all of its rows are of; undefined where there is none. */
export const monthOf = (interval: Interval): string | undefined => dateOf(interval).slice(0, 7) || undefined

/** Whether one of the ranges has all days of the interval. */
export function isWithin(interval: Interval, ranges: readonly DayRange[]): boolean {
  const days = daysOf(interval)
  return days !== undefined && ranges.some(({ from, to }) => from <= days.from && days.to <= to)
}

/** The days of a day or month; undefined for others. */
export function daysOf(interval: Interval): DayRange | undefined {
  if (interval.kind === 'day') return { from: interval.day, to: interval.day }
  if (interval.kind !== 'month') return undefined
  const last = ['31', '30', '29'].map((day) => `${interval.month}-${day}`).find(isDay)
  return { from: `${interval.month}-01`, to: last ?? `${interval.month}-28` }
}

const ranks = { earlier: 0, month: 1, day: 1, nulls: 2, all: 3 }

const rank = ({ kind }: Interval): number => ranks[kind]

const dateOf = (interval: Interval): string =>
  interval.kind === 'day' ? interval.day : interval.kind === 'month' ? interval.month : ''

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
