import type { Day } from '../../calendar.ts'
import type { Observed } from '../../spark/execute.ts'
import { actionNames, headerLine } from '../log/fields.ts'
import { noTotals, type LogTotals, type RowTotals } from '../log/totals.ts'
import type { FirstLook } from './first-look.ts'
import { observedOfDay } from './plans.ts'

/** What Spark counted of a log, once it is proven. */
export interface ProvenDay {
  readonly totals: LogTotals
  readonly emails: number
}

/** Of a row, beyond its email: the action, two commas, the timestamp and the line feed. */
const rowBytes = actionNames.map((action) => action.length + 22)
const headerBytes = headerLine.length + 1

/**
 * Whether what Spark observed proves its counts: each line is a row or the header, the lines are those that this process read, and
 * the counts that were written account for each byte of the log (aggregate-spec §1.2, §4.1). Otherwise why not.
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
  const { others = NaN, headers = NaN, other_day: otherDayRows = NaN } = lines
  if (lines['checksum'] !== checksum)
    return 'Spark read other bytes: the log is another one where SPARK_PATH_MAP leads'
  if (headers > 1 || (headers === 1 && !startsWithHeader)) return 'a header is in its middle'
  if (others !== headers) return `${others - headers} of its lines are not plain rows`
  const rows = rowTotals(counts)
  if (eventsOf(lines).some((count, action) => count !== rows.events[action]))
    return 'what was written is not what was counted'
  const bytes =
    rows.events.reduce((sum, count, action) => sum + count * rowBytes[action]!, rows.emailBytes) +
    headers * headerBytes
  // The last line may lack its line feed.
  if (bytes !== size && bytes !== size + 1) return `its counts are of ${bytes} of its ${size} bytes`
  const emails = counts['emails'] ?? NaN
  if (Number.isNaN(emails + otherDayRows)) return 'Spark did not say what passed'
  return {
    totals: { ...noTotals(), ...rows, bytes: size, headerLines: headers === 1 ? 1 : 0, otherDayRows },
    emails,
  }
}

function rowTotals(counts: Readonly<Record<string, number>>): RowTotals {
  const events = eventsOf(counts)
  return {
    rows: events.reduce((sum, count) => sum + count),
    events,
    emailBytes: counts['email_bytes'] ?? NaN,
  }
}

function eventsOf(observed: Readonly<Record<string, number>>): RowTotals['events'] {
  const value = (name: string): number => observed[name] ?? NaN
  return [value('creates'), value('reads'), value('updates'), value('deletes')]
}
