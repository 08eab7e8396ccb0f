import type { DayRange } from './day-range.ts'
import { fingerprintText, parseFingerprints, type ParsedFingerprints } from './fingerprint-text.ts'
import { intervalsIn, rowsIn, type Intervals } from './intervals.ts'

/** What was read of the source, for those who compare it with what is in the lake. */
export interface SourceRead {
  readonly runId: string
  /** `schema.table`. */
  readonly source: string
  /** When the source's snapshot was taken: ISO 8601, UTC, microseconds. */
  readonly sourceTime: string
  /** Of the columns, in the order in which they were read. */
  readonly fieldIds: readonly number[]
  readonly intervals: Intervals
}

/** What a snapshot or a file replaced: everything, or some days. */
export type Replaced = 'full' | readonly DayRange[]

/** Another read, as it is told by a summary or a footer. */
export interface OtherRead {
  readonly source: string
  readonly sourceTime: string
  readonly replaced: Replaced
  /** Undefined: it cannot be read. */
  readonly fingerprints: ParsedFingerprints | undefined
}

/** The keys of ours in a snapshot's summary and in a plain file's footer (export-spec §3.7, §3.11). */
const keys = {
  runId: 'lakejobs.run-id',
  source: 'lakejobs.source',
  sourceTime: 'lakejobs.source-snapshot-time',
  scope: 'lakejobs.scope',
  fingerprint: 'lakejobs.fingerprint',
} as const

/** What is said of a read where `replaced` came from it. The scope is `full` or `FIRST/LAST[,FIRST/LAST…]`. */
export const provenanceEntries = (read: SourceRead, replaced: Replaced): Record<string, string> => ({
  [keys.runId]: read.runId,
  [keys.source]: read.source,
  [keys.sourceTime]: read.sourceTime,
  [keys.scope]: replaced === 'full' ? 'full' : replaced.map(({ from, to }) => `${from}/${to}`).join(','),
  [keys.fingerprint]: fingerprintText(
    replaced === 'full' ? read.intervals : intervalsIn(read.intervals, replaced),
    read.fieldIds,
  ),
})

/** What entries of ours say; undefined for those of others. */
export function otherRead(entries: Readonly<Record<string, string>>): OtherRead | undefined {
  const { [keys.source]: source, [keys.sourceTime]: sourceTime } = entries
  if (source === undefined || sourceTime === undefined) return undefined
  return {
    source,
    sourceTime,
    replaced: parseScope(entries[keys.scope] ?? ''),
    fingerprints: parseFingerprints(entries[keys.fingerprint] ?? ''),
  }
}

function parseScope(text: string): Replaced {
  if (text === 'full') return 'full'
  return text.split(',').flatMap((range) => {
    const [from, to] = range.split('/')
    return from === undefined || to === undefined ? [] : [{ from, to }]
  })
}

/**
 * What the read behind another snapshot's or file's entries is to ours: `older`, or `newer` when it replaced all that
 * ours would replace; undefined when it is neither, so that one of them would undo the other's rows.
 */
export function compareReads(
  own: Pick<SourceRead, 'source' | 'sourceTime'>,
  replaced: Replaced,
  entries: Readonly<Record<string, string>>,
): 'newer' | 'older' | undefined {
  const other = otherRead(entries)
  if (other?.source !== own.source) return undefined
  if (other.sourceTime <= own.sourceTime) return 'older'
  return covers(other.replaced, replaced) ? 'newer' : undefined
}

/** Whether all of `inner` is in `outer`, whose ranges have gaps between them. */
export const covers = (outer: Replaced, inner: Replaced): boolean =>
  outer === 'full' ||
  (inner !== 'full' &&
    inner.every((range) => outer.some(({ from, to }) => from <= range.from && range.to <= to)))

/** Whether an interval's rows are among what is replaced. */
export const isIn = (replaced: Replaced, interval: string): boolean =>
  covers(replaced, [{ from: interval, to: interval }])

/** How many rows of a read replace something. */
export const rowsOf = ({ intervals }: SourceRead, replaced: Replaced): number =>
  rowsIn(replaced === 'full' ? intervals : intervalsIn(intervals, replaced))
