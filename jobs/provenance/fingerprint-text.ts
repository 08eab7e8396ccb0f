import type { Fingerprint } from './fingerprint.ts'
import { parseInterval, printInterval } from './interval.ts'
import { folded, summed, type Intervals } from './intervals.ts'

/** Fingerprints as a snapshot's summary or a Parquet footer has them. */
export interface ParsedFingerprints {
  /** Field ids, in the order in which a row's hash takes the columns. */
  readonly columns: readonly number[]
  readonly intervals: Intervals
}

/** So many days and months have a fingerprint of their own: a summary is copied into every later metadata file. */
const newest = { days: 62, months: 120 }

/**
 * JSON of the columns and, by interval, `<rows> <checksum> <column>:<nulls> …` (columns by their index, those without
 * NULLs left out; the checksum's 16 bytes in base64url). Older days are put together by month, older months as
 * `earlier`: about 10 kB however long a backfill is. What is put together stays comparable: fingerprints add up.
 */
export const fingerprintText = (intervals: Intervals, fieldIds: readonly number[]): string =>
  JSON.stringify({ columns: fieldIds, intervals: intervalsJson(folded(intervals, newest)) })

/** Fingerprints by their interval's name. */
export const intervalsJson = (intervals: Intervals): Record<string, string> =>
  Object.fromEntries(
    intervals.map(({ interval, fingerprint }) => [printInterval(interval), encode(fingerprint)]),
  )

/** What `fingerprintText` made; undefined for anything else. */
export function parseFingerprints(text: string): ParsedFingerprints | undefined {
  try {
    const { columns, intervals } = JSON.parse(text) as {
      readonly columns: readonly number[]
      readonly intervals: Readonly<Record<string, string>>
    }
    return { columns, intervals: parseIntervals(intervals, columns.length) }
  } catch {
    return undefined
  }
}

/** What `intervalsJson` made. Errors: `TypeError`, `RangeError` for anything else. */
export const parseIntervals = (json: Readonly<Record<string, string>>, columns: number): Intervals =>
  summed(
    Object.entries(json).map(([name, entry]) => {
      const interval = parseInterval(name)
      if (interval === undefined) throw new TypeError(`${name} is no interval`)
      return { interval, fingerprint: decode(entry, columns) }
    }),
  )

/** Whether both are of the same set of rows. */
export const sameFingerprint = (a: Fingerprint, b: Fingerprint): boolean => encode(a) === encode(b)

function encode({ rows, nulls, sum }: Fingerprint): string {
  const bytes = Buffer.alloc(16)
  sum.forEach((lane, i) => bytes.writeUInt32BE(lane, 4 * i))
  const some = nulls.flatMap((count, column) => (count === 0 ? [] : [`${column}:${count}`]))
  return [rows, bytes.toString('base64url'), ...some].join(' ')
}

function decode(entry: string, columns: number): Fingerprint {
  const [rows, sum = '', ...some] = entry.split(' ')
  const bytes = Buffer.from(sum, 'base64url')
  const nulls = new Array<number>(columns).fill(0)
  for (const pair of some) {
    const [column, count] = pair.split(':')
    nulls[Number(column)] = Number(count)
  }
  const lane = (i: number): number => bytes.readUInt32BE(4 * i)
  return { rows: Number(rows), nulls, sum: [lane(0), lane(1), lane(2), lane(3)] }
}
