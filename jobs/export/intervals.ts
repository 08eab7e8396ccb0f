import type { Value } from '../iceberg/types.ts'
import { dayOfOrdinal, type DayRange } from './day-range.ts'
import { combined, type Fingerprint } from './read/fingerprint.ts'
import type { PartitionFingerprint } from './read/pool.ts'

/** The rows that were read: by day (and `null`) where they are told apart by day, else together under `all`. */
export type Intervals = ReadonlyMap<string, Fingerprint>

/** The interval of a partition's rows. `dayField`: which field of it is the day; undefined: none. */
export function intervalOf(partition: readonly (Value | null)[], dayField: number | undefined): string {
  const day = dayField === undefined ? undefined : partition[dayField]
  return day === undefined ? 'all' : day === null ? 'null' : dayOfOrdinal(Number(day))
}

/** Fingerprints by interval, ascending. */
export function intervalsOf(
  fingerprints: readonly PartitionFingerprint[],
  dayField: number | undefined,
): Intervals {
  const intervals = new Map<string, Fingerprint>()
  for (const { partition, fingerprint } of fingerprints) {
    const name = intervalOf(partition, dayField)
    const before = intervals.get(name)
    intervals.set(name, before === undefined ? fingerprint : combined(before, fingerprint))
  }
  return new Map([...intervals].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Those of some days. */
export const intervalsIn = (intervals: Intervals, ranges: readonly DayRange[]): Intervals =>
  new Map([...intervals].filter(([name]) => ranges.some(({ from, to }) => from <= name && name <= to)))

/** Rows of all intervals together. */
export const rowsIn = (intervals: Intervals): number =>
  [...intervals.values()].reduce((sum, { rows }) => sum + rows, 0)
