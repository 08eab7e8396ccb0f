import type { Day } from '../../calendar.ts'
import type { Observed } from '../../spark/execute.ts'
import { noTotals, type LogTotals, type RowTotals } from '../log/totals.ts'
import type { FirstLook } from './first-look.ts'
import { observedOfDay } from './plans.ts'

/** What Spark counted of a log, once it is proven. */
export interface ProvenDay {
  readonly totals: LogTotals
  readonly emails: number
}

/**
 * Whether what Spark observed proves its counts: each line a row or the header, each byte of the file in one of them, the bytes those that this process read, and the
 * written counts come to the rows that passed (aggregate-spec §1.2, §4.1). Otherwise why not.
 */
export function provenCounts(
  day: Day,
  observed: Observed,
  { size, startsWithHeader, checksum }: FirstLook,
): ProvenDay | string {
  const names = observedOfDay(day)
  const lines = observed.get(names.lines)
  const counts = observed.get(names.counts)
  if (lines === undefined || counts === undefined) return 'Spark did not say what passed'
  const { lines: all = NaN, bytes = NaN, clean = NaN, headers = NaN, other_day: otherDayRows = NaN } = lines
  if (headers > 1 || (headers === 1 && !startsWithHeader)) return 'a header is in its middle'
  if (clean + headers !== all) return `${all - clean - headers} of its lines are not plain rows`
  // The last line may lack its line feed.
  if (bytes !== size && bytes !== size + 1) return `Spark saw ${bytes} of its ${size} bytes`
  if (lines['checksum'] !== checksum)
    return 'Spark read other bytes: the log is another one where SPARK_PATH_MAP leads'
  const rows = rowTotals(lines)
  const written = rowTotals(counts)
  const same =
    rows.rows === clean &&
    rows.emailBytes === written.emailBytes &&
    rows.events.every((count, action) => count === written.events[action])
  if (!same || Number.isNaN(counts['emails'] ?? NaN)) return 'the counts do not come to the rows'
  return {
    totals: { ...noTotals(), ...rows, bytes: size, headerLines: headers === 1 ? 1 : 0, otherDayRows },
    emails: counts['emails']!,
  }
}

function rowTotals(observed: Readonly<Record<string, number>>): RowTotals {
  const value = (name: string): number => observed[name] ?? NaN
  const events: RowTotals['events'] = [value('creates'), value('reads'), value('updates'), value('deletes')]
  return {
    rows: events.reduce((sum, count) => sum + count),
    events,
    emailBytes: value('email_bytes'),
  }
}
