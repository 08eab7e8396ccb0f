import { dayOf, msPerDay, type DayRange } from '../calendar.ts'
import type { Value } from '../iceberg/schema/types.ts'
import { combined, type Fingerprint, type PartitionFingerprint } from './fingerprint.ts'
import { compareIntervals, isWithin, monthOf, printInterval, type Interval } from './interval.ts'

/** The fingerprint of the rows of one interval. */
export interface IntervalFingerprint {
  readonly interval: Interval
  readonly fingerprint: Fingerprint
}

/** Rows by interval, in ascending order, none of them twice: days and nulls, or all of them together. */
export type Intervals = readonly IntervalFingerprint[]

/** The interval of a partition's rows. `dayField`: which field of it is the day; undefined: none. */
export function intervalOf(partition: readonly (Value | null)[], dayField: number | undefined): Interval {
  const day = dayField === undefined ? undefined : partition[dayField]
  if (day === undefined) return { kind: 'all' }
  return day === null ? { kind: 'nulls' } : { kind: 'day', day: dayOf(new Date(Number(day) * msPerDay)) }
}

/** The fingerprints of partitions by the interval of their rows. */
export const intervalsOf = (
  fingerprints: readonly PartitionFingerprint[],
  dayField: number | undefined,
): Intervals =>
  summed(
    fingerprints.map(({ partition, fingerprint }) => ({
      interval: intervalOf(partition, dayField),
      fingerprint,
    })),
  )

/** One fingerprint for each interval, in order. */
export function summed(fingerprints: Iterable<IntervalFingerprint>): Intervals {
  const sums = new Map<string, IntervalFingerprint>()
  for (const { interval, fingerprint } of fingerprints) {
    const name = printInterval(interval)
    const before = sums.get(name)?.fingerprint
    sums.set(name, {
      interval,
      fingerprint: before === undefined ? fingerprint : combined(before, fingerprint),
    })
  }
  return [...sums.values()].sort((a, b) => compareIntervals(a.interval, b.interval))
}

/**
 * The newest days one by one, those before them by month, and months before the newest ones as `earlier`. What is put
 * together stays comparable: fingerprints add up.
 */
export function folded(
  intervals: Intervals,
  newest: { readonly days: number; readonly months: number },
): Intervals {
  const days = intervals.filter(({ interval }) => interval.kind === 'day')
  const older = new Set(days.slice(0, Math.max(0, days.length - newest.days)))
  const byMonth = summed(
    intervals.map((one) => {
      const month = monthOf(one.interval)
      return month !== undefined && older.has(one) ? { ...one, interval: { kind: 'month', month } } : one
    }),
  )
  const months = byMonth.filter(({ interval }) => interval.kind === 'month')
  const left = new Set(months.slice(0, Math.max(0, months.length - newest.months)))
  return summed(byMonth.map((one) => (left.has(one) ? { ...one, interval: { kind: 'earlier' } } : one)))
}

/** Days and months before a month as `earlier`. */
export const foldedBefore = (intervals: Intervals, before: string | undefined): Intervals =>
  before === undefined
    ? intervals
    : summed(
        intervals.map((one) => {
          const month = monthOf(one.interval)
          return month !== undefined && month < before ? { ...one, interval: { kind: 'earlier' } } : one
        }),
      )

/** The first month that is listed, by itself or by a day of it: `earlier` is before it. */
export const firstMonthOf = (intervals: Intervals): string | undefined =>
  intervals.flatMap(({ interval }) => monthOf(interval) ?? [])[0]

/** What is known of one interval by itself. */
export const ofInterval = (intervals: Intervals, wanted: Interval): Fingerprint | undefined =>
  intervals.find(({ interval }) => compareIntervals(interval, wanted) === 0)?.fingerprint

/** Those of some days. */
export const intervalsIn = (intervals: Intervals, ranges: readonly DayRange[]): Intervals =>
  intervals.filter(({ interval }) => isWithin(interval, ranges))

/** Rows of all intervals together. */
export const rowsIn = (intervals: Intervals): number =>
  intervals.reduce((sum, { fingerprint }) => sum + fingerprint.rows, 0)
