import { dayOfOrdinal } from './day-range.ts'
import { combined, sumText, type Fingerprint } from './read/fingerprint.ts'
import type { PartitionFingerprint } from './read/pool.ts'

/** The rows that were read: by day (and `null`) where they are told apart by day, else together under `all`. */
export type Intervals = ReadonlyMap<string, Fingerprint>

/** `dayField`: which field of the partition is the day; undefined: none. */
export function intervalsOf(
  fingerprints: readonly PartitionFingerprint[],
  dayField: number | undefined,
): Intervals {
  const intervals = new Map<string, Fingerprint>()
  for (const { partition, fingerprint } of fingerprints) {
    const day = dayField === undefined ? undefined : partition[dayField]
    const name = day === undefined ? 'all' : day === null ? 'null' : dayOfOrdinal(Number(day))
    const before = intervals.get(name)
    intervals.set(name, before === undefined ? fingerprint : combined(before, fingerprint))
  }
  return new Map([...intervals].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/**
 * As the snapshot's summary has it: JSON of interval → rows, NULLs by column, checksum. `fieldIds` says which column
 * is which, in the order in which a row's hash takes them.
 */
export const fingerprintText = (intervals: Intervals, fieldIds: readonly number[]): string =>
  JSON.stringify({
    columns: fieldIds,
    intervals: Object.fromEntries(
      [...intervals].map(([name, fingerprint]) => [
        name,
        { rows: fingerprint.rows, nulls: fingerprint.nulls, sum: sumText(fingerprint) },
      ]),
    ),
  })
