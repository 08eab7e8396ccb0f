import type { DayRange } from '../calendar.ts'
import { fingerprintText, parseFingerprints, type ParsedFingerprints } from './fingerprint-text.ts'
import { parseSource, sameSource, sourceEntries, type ReadSource } from './source.ts'
import { isWithin, type Interval } from './interval.ts'
import { parseReadAs, readAsText, type ReadAs } from './read-as.ts'
import { intervalsIn, rowsIn, type Intervals } from './intervals.ts'

/** What was read of the source, for those who compare it with what is in the lake. */
export interface SourceRead {
  readonly runId: string
  readonly source: ReadSource
  /** When the source's snapshot was taken: ISO 8601, UTC, microseconds. */
  readonly sourceTime: string
  /** Of the columns, in the order in which they were read. */
  readonly fieldIds: readonly number[]
  readonly readAs: ReadAs
  readonly intervals: Intervals
}

/** What a snapshot or a file replaced: everything, or some days. */
export type Replaced = 'full' | readonly DayRange[]

/** Another read, as it is told by a summary or a footer. */
export interface OtherRead {
  readonly source: ReadSource
  readonly sourceTime: string
  readonly replaced: Replaced
  /** Undefined: it cannot be read. */
  readonly fingerprints: ParsedFingerprints | undefined
  /** Undefined: it is not told, as in version 0.1, or cannot be read. */
  readonly readAs: ReadAs | undefined
}

/** The keys of ours in a snapshot's summary and in a plain file's footer (export-spec §3.7, §3.11). */
const keys = {
  runId: 'lakejobs.run-id',
  sourceTime: 'lakejobs.source-snapshot-time',
  scope: 'lakejobs.scope',
  readAs: 'lakejobs.read',
  fingerprint: 'lakejobs.fingerprint',
} as const

/** What is said of a read where `replaced` came from it. The scope is `full` or `FIRST/LAST[,FIRST/LAST…]`. */
export const provenanceEntries = (read: SourceRead, replaced: Replaced): Record<string, string> => ({
  [keys.runId]: read.runId,
  ...sourceEntries(read.source),
  [keys.sourceTime]: read.sourceTime,
  [keys.scope]: replaced === 'full' ? 'full' : replaced.map(({ from, to }) => `${from}/${to}`).join(','),
  [keys.readAs]: readAsText(read.readAs),
  [keys.fingerprint]: fingerprintText(
    replaced === 'full' ? read.intervals : intervalsIn(read.intervals, replaced),
    read.fieldIds,
  ),
})

/** The run of ours that wrote a snapshot or a file; undefined for what others wrote. */
export const runOf = (entries: Readonly<Record<string, string>>): string | undefined => entries[keys.runId]

/** What entries of ours say; undefined for those of others. */
export function otherRead(entries: Readonly<Record<string, string>>): OtherRead | undefined {
  const source = parseSource(entries)
  const sourceTime = entries[keys.sourceTime]
  if (source === undefined || sourceTime === undefined) return undefined
  return {
    source,
    sourceTime,
    replaced: parseScope(entries[keys.scope] ?? ''),
    fingerprints: parseFingerprints(entries[keys.fingerprint] ?? ''),
    readAs: parseReadAs(entries[keys.readAs] ?? ''),
  }
}

function parseScope(text: string): Replaced {
  if (text === 'full') return 'full'
  return text.split(',').flatMap((range) => {
    const [from, to] = range.split('/')
    return from === undefined || to === undefined ? [] : [{ from, to }]
  })
}

/** A source's clock that was further ahead is not believed (export-spec §6.5). */
const mostAheadMs = 3_600_000

/** Whether a time is too far ahead of this run's to decide which of both read later. Both as `sourceTime`. */
export const isAhead = (own: string, other: string): boolean =>
  Date.parse(other) - Date.parse(own) > mostAheadMs

/**
 * What the read behind another snapshot's or file's entries is to ours: `older`, or `newer` when it replaced all that
 * ours would replace; undefined when it is neither, so that one of them would undo the other's rows; `ahead` when its
 * time is not to be believed.
 */
export function compareReads(
  own: Pick<SourceRead, 'source' | 'sourceTime'>,
  replaced: Replaced,
  entries: Readonly<Record<string, string>>,
): 'newer' | 'older' | 'ahead' | undefined {
  const other = otherRead(entries)
  if (other === undefined || !sameSource(other.source, own.source)) return undefined
  if (other.sourceTime <= own.sourceTime) return 'older'
  if (isAhead(own.sourceTime, other.sourceTime)) return 'ahead'
  return covers(other.replaced, replaced) ? 'newer' : undefined
}

/** Whether all of `inner` is in `outer`, whose ranges have gaps between them. */
export const covers = (outer: Replaced, inner: Replaced): boolean =>
  outer === 'full' ||
  (inner !== 'full' &&
    inner.every((range) => outer.some(({ from, to }) => from <= range.from && range.to <= to)))

/** Whether an interval's rows are among what is replaced. */
export const isIn = (replaced: Replaced, interval: Interval): boolean =>
  replaced === 'full' || isWithin(interval, replaced)

/** How many rows of a read replace something. */
export const rowsOf = ({ intervals }: SourceRead, replaced: Replaced): number =>
  rowsIn(replaced === 'full' ? intervals : intervalsIn(intervals, replaced))
