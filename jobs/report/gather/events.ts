import type { DayRange } from '../../calendar.ts'
import {
  branchSnapshot,
  mainBranch,
  snapshotById,
  type TableMetadata,
} from '../../iceberg/metadata/metadata.ts'
import { daysOf, parseInterval } from '../../provenance/interval.ts'
import { otherRead, runOf, type Replaced } from '../../provenance/provenance.ts'
import type { Run, TableSummary } from '../../summary.ts'

/** Something that happened to a table, by its snapshots and by what runs have left. */
export interface TableEvent {
  readonly ms: number
  readonly runId: string | undefined
  readonly kind: 'exported' | 'unchanged' | 'failed' | 'verified'
  /** Days that it was about. */
  readonly days: Replaced
  /** Of `verified`: intervals whose rows are wrong, or could not be proven. */
  readonly wrong: readonly string[]
  readonly rows: number | undefined
  /** Of `failed`: what went wrong and what to do about it. */
  readonly error: string | undefined
  readonly fix: string | undefined
  /** Where Airflow has the log of its run. */
  readonly log: string | undefined
}

const plain = { wrong: [], rows: undefined, error: undefined, fix: undefined, log: undefined }

/** What the exports of ours that are still among the snapshots of main did, newest first. */
export function exportsOf(metadata: TableMetadata): TableEvent[] {
  const events: TableEvent[] = []
  for (
    let snapshot = branchSnapshot(metadata, mainBranch);
    snapshot !== undefined;
    snapshot = snapshotById(metadata, snapshot['parent-snapshot-id'])
  ) {
    const { summary } = snapshot
    const read = summary['operation'] === 'replace' ? undefined : otherRead(summary)
    if (read === undefined) continue
    const rows = Number(summary['added-records'] ?? '0')
    events.push({
      ...plain,
      ms: snapshot['timestamp-ms'],
      runId: runOf(summary),
      kind: 'exported',
      days: read.replaced,
      rows: Number.isSafeInteger(rows) ? rows : undefined,
    })
  }
  return events
}

/** When a commit of ours last maintained the table: it put files together and changed no row. */
export const maintainedMs = ({ snapshots }: TableMetadata): number | undefined =>
  snapshots
    .filter(({ summary }) => summary['operation'] === 'replace' && runOf(summary) !== undefined)
    .map((one) => one['timestamp-ms'])
    .reduce<number | undefined>((newest, ms) => Math.max(newest ?? ms, ms), undefined)

/** What runs have left of a table. */
export function eventsIn(runs: readonly Run[], name: string): TableEvent[] {
  return runs.flatMap((run) => {
    const events = (run.tables ?? [])
      .filter(({ table }) => table === name)
      .flatMap((table) => eventOf(run, table) ?? [])
    return run.job === 'verify' ? together(events) : events
  })
}

/** Of a verify of two formats: what is wrong in one of them is. */
function together(events: readonly TableEvent[]): TableEvent[] {
  const worst = events.find(({ error, wrong }) => error !== undefined || wrong.length > 0) ?? events[0]
  return worst === undefined ? [] : [{ ...worst, wrong: [...new Set(events.flatMap(({ wrong }) => wrong))] }]
}

function eventOf(
  { job, runId, startedAt, from, to, airflow }: Run,
  table: TableSummary,
): TableEvent | undefined {
  const range: readonly DayRange[] | undefined =
    from === undefined || to === undefined ? undefined : [{ from, to }]
  const common = { ...plain, ms: Date.parse(startedAt), runId, log: airflow?.log }
  if (job === 'verify') {
    const { verified, error, fix } = table
    // It did not come to the rows.
    if (verified === undefined) return { ...common, kind: 'verified', days: [], error, fix }
    const { intervals, mismatch, unverified, incomplete } = verified
    const listed = intervals.filter(({ result }) => result !== 'match' && result !== 'changed')
    // Of a day that was never exported there is nothing to prove.
    const wrong = listed.filter(({ result, rows }) => result !== 'unverified' || rows > 0)
    const first = wrong[0]
    // Of many only the worst are named: then nothing is known of the others.
    const isCut = listed.length < mismatch + unverified + incomplete
    return {
      ...common,
      kind: 'verified',
      days: isCut
        ? wrong.flatMap(({ interval }) => daysOf(parseInterval(interval)!) ?? [])
        : (range ?? 'full'),
      wrong: wrong.map(({ interval }) => interval),
      // `--strict` also fails where the rows are those that were written, and the source has others by now.
      ...((wrong.length > 0 || isCut) && {
        error:
          error ??
          (first &&
            `${first.interval}: ${first.result}${first.reason === undefined ? '' : `: ${first.reason}`}`),
        fix,
      }),
    }
  }
  if (job !== 'export') return undefined
  const { status, mode, rows, error, fix } = table
  if (status === 'skipped') return undefined
  const kind = status === 'failed' ? 'failed' : status === 'unchanged' ? 'unchanged' : 'exported'
  return {
    ...common,
    kind,
    days: mode === 'day' || mode === undefined ? (range ?? 'full') : 'full',
    rows,
    error,
    fix,
  }
}
