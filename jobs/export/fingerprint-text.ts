import type { Day } from '../calendar.ts'
import type { Intervals } from './intervals.ts'
import { combined, type Fingerprint } from './read/fingerprint.ts'

/** Fingerprints as a snapshot's summary or a Parquet footer has them. */
export interface ParsedFingerprints {
  /** Field ids, in the order in which a row's hash takes the columns. */
  readonly columns: readonly number[]
  /** By day `YYYY-MM-DD`, month `YYYY-MM`, `earlier`, `null` or `all`. */
  readonly intervals: Intervals
}

/** So many days and months have a fingerprint of their own: a summary is copied into every later metadata file. */
const newestDays = 62
const newestMonths = 120

/**
 * JSON of the columns and, by interval, `<rows> <checksum> <column>:<nulls> …` (columns by their index, those without
 * NULLs left out; the checksum's 16 bytes in base64url). Older days are put together by month, older months as
 * `earlier`: about 10 kB however long a backfill is. What is put together stays comparable: fingerprints add up.
 */
export const fingerprintText = (intervals: Intervals, fieldIds: readonly number[]): string =>
  JSON.stringify({
    columns: fieldIds,
    intervals: Object.fromEntries(
      [...bounded(intervals)].map(([name, fingerprint]) => [name, encode(fingerprint)]),
    ),
  })

/** What `fingerprintText` made; undefined for anything else. */
export function parseFingerprints(text: string): ParsedFingerprints | undefined {
  try {
    const { columns, intervals } = JSON.parse(text) as {
      readonly columns: readonly number[]
      readonly intervals: Readonly<Record<string, string>>
    }
    const entries = Object.entries(intervals).map(
      ([name, entry]) => [name, decode(entry, columns.length)] as const,
    )
    return { columns, intervals: new Map(entries) }
  } catch {
    return undefined
  }
}

/** The rows of one day; undefined where they cannot be told from those of other days. */
export function fingerprintOfDay(
  { columns, intervals }: ParsedFingerprints,
  day: Day,
): Fingerprint | undefined {
  const own = intervals.get(day)
  if (own !== undefined) return own
  const [firstListed = ''] = [...intervals.keys()].filter((name) => /^\d/.test(name)).sort()
  const isElsewhere =
    intervals.has('all') ||
    intervals.has(monthOf(day)) ||
    (intervals.has('earlier') && monthOf(day) < monthOf(firstListed))
  return isElsewhere ? undefined : { rows: 0, nulls: columns.map(() => 0), sum: [0, 0, 0, 0] }
}

/** Whether both are of the same set of rows. */
export const sameFingerprint = (a: Fingerprint, b: Fingerprint): boolean => encode(a) === encode(b)

const monthOf = (name: string): string => name.slice(0, 7)

/** In ascending order: `earlier`, months, days, and what has no day. */
function bounded(intervals: Intervals): Intervals {
  const days = [...intervals.keys()].filter((name) => /^\d/.test(name)).sort()
  const alone = new Set(days.slice(-newestDays))
  const months = new Set(
    [...new Set(days.filter((day) => !alone.has(day)).map(monthOf))].slice(-newestMonths),
  )
  const result = new Map<string, Fingerprint>()
  for (const [name, fingerprint] of [...intervals].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const isDay = /^\d/.test(name)
    const group = !isDay || alone.has(name) ? name : months.has(monthOf(name)) ? monthOf(name) : 'earlier'
    const before = result.get(group)
    result.set(group, before === undefined ? fingerprint : combined(before, fingerprint))
  }
  return result
}

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
