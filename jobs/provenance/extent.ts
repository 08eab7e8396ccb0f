import { addDays, firstDay, isDay, type DayRange } from '../calendar.ts'
import type { Interval } from './interval.ts'

/** Some of a table's rows: those of some days in UTC, and whether those without a day are among them. */
export interface Extent {
  /** Ascending, with gaps between them. Text compares as the calendar does. */
  readonly days: readonly DayRange[]
  readonly nulls: boolean
}

const lastDay = '9999-12-31'

export const nothing: Extent = { days: [], nulls: false }
export const everything: Extent = { days: [{ from: firstDay, to: lastDay }], nulls: true }

/** The rows of one unit: a day, those without one, or all. */
export function extentOfUnit(unit: Interval): Extent {
  if (unit.kind === 'day') return { days: [{ from: unit.day, to: unit.day }], nulls: false }
  return unit.kind === 'nulls' ? { days: [], nulls: true } : everything
}

export const isNothing = ({ days, nulls }: Extent): boolean => days.length === 0 && !nulls

const isEverything = ({ days: [range], nulls }: Extent): boolean =>
  nulls && range?.from === firstDay && range.to === lastDay

export function union(a: Extent, b: Extent): Extent {
  const days: DayRange[] = []
  for (const range of [...a.days, ...b.days].sort((one, other) => (one.from < other.from ? -1 : 1))) {
    const last = days.at(-1)
    if (last === undefined || (range.from > last.to && range.from !== addDays(last.to, 1))) days.push(range)
    else if (range.to > last.to) days[days.length - 1] = { from: last.from, to: range.to }
  }
  return { days, nulls: a.nulls || b.nulls }
}

export const intersection = (a: Extent, b: Extent): Extent => ({
  days: a.days.flatMap((one) =>
    b.days.flatMap((other) => {
      const from = one.from > other.from ? one.from : other.from
      const to = one.to < other.to ? one.to : other.to
      return from <= to ? [{ from, to }] : []
    }),
  ),
  nulls: a.nulls && b.nulls,
})

export function difference(a: Extent, b: Extent): Extent {
  let days = [...a.days]
  for (const cut of b.days) {
    days = days.flatMap(({ from, to }) => {
      if (cut.to < from || to < cut.from) return [{ from, to }]
      return [
        ...(from < cut.from ? [{ from, to: addDays(cut.from, -1) }] : []),
        ...(cut.to < to ? [{ from: addDays(cut.to, 1), to }] : []),
      ]
    })
  }
  return { days, nulls: a.nulls && !b.nulls }
}

/** `full`, or `FIRST/LAST,…,null`. */
export const printExtent = (extent: Extent): string =>
  isEverything(extent)
    ? 'full'
    : [...extent.days.map(({ from, to }) => `${from}/${to}`), ...(extent.nulls ? ['null'] : [])].join(',')

/** What `printExtent` made; undefined for anything else. */
export function parseExtent(text: string): Extent | undefined {
  if (text === 'full') return everything
  const parts = text === '' ? [] : text.split(',')
  const ranges = parts
    .filter((part) => part !== 'null')
    .map((part) => {
      const [from = '', to = ''] = part.split('/')
      return { from, to }
    })
  if (ranges.some(({ from, to }) => !isDay(from) || !isDay(to) || to < from)) return undefined
  return union({ days: ranges, nulls: parts.includes('null') }, nothing)
}
