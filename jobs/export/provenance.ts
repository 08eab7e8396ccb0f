import type { ExportScope } from './options.ts'

/** Which read a snapshot was made from. */
export interface Provenance {
  readonly runId: string
  /** `schema.table`. */
  readonly source: string
  /** When the source's snapshot was taken: ISO 8601, UTC, microseconds. */
  readonly sourceTime: string
  readonly scope: ExportScope
  /** `fingerprintText`. */
  readonly fingerprint: string
}

/** The summary's keys of ours (export-spec §3.7, §3.11). */
const keys = {
  runId: 'lakejobs.run-id',
  source: 'lakejobs.source',
  sourceTime: 'lakejobs.source-snapshot-time',
  scope: 'lakejobs.scope',
  fingerprint: 'lakejobs.fingerprint',
} as const

/** What a snapshot's summary says of its read. The scope is `full` or `FIRST-DAY/LAST-DAY`. */
export const provenanceEntries = (read: Provenance): Record<string, string> => ({
  [keys.runId]: read.runId,
  [keys.source]: read.source,
  [keys.sourceTime]: read.sourceTime,
  [keys.scope]: read.scope.mode === 'full' ? 'full' : `${read.scope.from}/${read.scope.to}`,
  [keys.fingerprint]: read.fingerprint,
})

/**
 * What the read behind another snapshot's summary is to ours: `older`, or `newer` when it replaced all that ours
 * would replace; undefined when it is neither, so that one of them would undo the other's rows.
 */
export function compareReads(
  own: Omit<Provenance, 'runId' | 'fingerprint'>,
  summary: Readonly<Record<string, string>>,
): 'newer' | 'older' | undefined {
  const time = summary[keys.sourceTime]
  if (time === undefined || summary[keys.source] !== own.source) return undefined
  if (time <= own.sourceTime) return 'older'
  return covers(summary[keys.scope] ?? '', own.scope) ? 'newer' : undefined
}

function covers(text: string, scope: ExportScope): boolean {
  if (text === 'full') return true
  const [from, to] = text.split('/')
  return (
    scope.mode === 'day' && from !== undefined && to !== undefined && from <= scope.from && scope.to <= to
  )
}
