/**
 * Calendar days as `YYYY-MM-DD` strings: they sort as text, need no time zone and are what file names and
 * flags carry. All days are UTC days.
 */
const pattern = /^\d{4}-\d{2}-\d{2}$/
export const msPerDay = 86_400_000
/** The first day that there is. */
export const firstDay = '0001-01-01'
/** The last one. */
export const lastDay = '9999-12-31'

export type Day = string

/** Whether `text` is a day that exists, years 0001–9999: `2024-02-29` is, `2023-02-29` and `2024-2-9` are not. */
export function isDay(text: string): boolean {
  if (!pattern.test(text) || text.startsWith('0000')) return false
  const parsed = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(text)
}

/** The day of an instant, in UTC. */
export const dayOf = (instant: Date): Day => instant.toISOString().slice(0, 10)

/** `day` moved by `count` days (negative: earlier). */
export const addDays = (day: Day, count: number): Day =>
  dayOf(new Date(Date.parse(`${day}T00:00:00Z`) + count * msPerDay))

/** Days since 1970, as Iceberg's dates count them. */
export const ordinalOf = (day: Day): number => Date.parse(`${day}T00:00:00Z`) / msPerDay

/** Every day from `first` to `last`, both inclusive; empty when `last` is before `first`. */
export function daysBetween(first: Day, last: Day): Day[] {
  const start = ordinalOf(first)
  const length = Math.max(ordinalOf(last) - start + 1, 0)
  return Array.from({ length }, (_, at) => dayOf(new Date((start + at) * msPerDay)))
}

/** The days `from` … `to`. */
export interface DayRange {
  readonly from: Day
  readonly to: Day
}

/** Days, in any order, as ascending ranges with gaps between them. */
export function rangesOf(days: Iterable<Day>): DayRange[] {
  const ranges: { readonly from: Day; to: Day }[] = []
  let before = NaN
  for (const day of [...new Set(days)].sort()) {
    const ordinal = ordinalOf(day)
    const last = ranges.at(-1)
    if (last !== undefined && ordinal === before + 1) last.to = day
    else ranges.push({ from: day, to: day })
    before = ordinal
  }
  return ranges
}

/** The `length` days that end with `last`, oldest first; fewer where time begins, at 0001-01-01. */
export function windowOf(last: Day, length: number): Day[] {
  const first = addDays(last, 1 - length)
  return daysBetween(isDay(first) ? first : firstDay, last)
}
