import type { DayRange } from '../../calendar.ts'
import { shellWord } from '../../errors.ts'
import { isWithin, parseInterval } from '../../provenance/interval.ts'
import type { Run, TableSummary, VerifiedInterval } from '../../summary.ts'

/** Rows of a table that a verify found to be others than those that were written, and none has proven since. */
export interface WrongRows {
  readonly table: string
  /** As verify calls them: days, months, `all`; the worst of the newest verify that found some first. */
  readonly intervals: readonly string[]
  /** When the first of them was found. */
  readonly since: string
  /** What that verify said of the first, and what mends it. */
  readonly what: string
  readonly fix: string
  /** Where Airflow has the log of that verify. */
  readonly log: string | undefined
}

/** What is wrong with a table's rows, in a line. */
export const wrongRowsText = ({ intervals, what }: WrongRows): string =>
  intervals.length === 1 ? what : `${what} (wrong in all: ${intervals.length} intervals)`

/** An interval that is wrong in one format. */
interface Found {
  /** Undefined: those that the summary has no room for. */
  readonly interval: string | undefined
  readonly format: 'iceberg' | 'parquet'
  /** Days that the verify was about; undefined: all. */
  readonly days: readonly DayRange[] | undefined
  /** Only counts were compared. */
  readonly isByCounts: boolean
  readonly since: string
  readonly what: string
  readonly fix: string
  readonly log: string | undefined
}

/** Whether rows are lost or others; what could not be proven is not. */
export const isWrong = ({ result }: Pick<VerifiedInterval, 'result'>): boolean =>
  result === 'mismatch' || result === 'incomplete'

/**
 * What is wrong by the last verify of each interval, table by table. A verify says nothing of days, formats and columns that it
 * did not look at: one of another day, of plain Parquet alone, or by counts leaves what is wrong as it is. Pure.
 *
 * @param runs oldest first
 */
export function wrongRows(runs: readonly Run[]): WrongRows[] {
  const standing = new Map<string, readonly Found[]>()
  for (const run of runs.filter(({ job }) => job === 'verify'))
    for (const summary of run.tables ?? []) {
      const before = standing.get(summary.table) ?? []
      const found = foundIn(run, summary, before)
      const left = before.filter(
        (one) => !isJudged(one, run, summary) && !found.some((of) => isSame(of, one)),
      )
      standing.set(summary.table, [...found, ...left])
    }
  return [...standing].flatMap(([table, found]) => {
    const [first] = found
    if (first === undefined) return []
    const { what, fix, log } = first
    const since = found.map((one) => one.since).sort()[0]!
    return [{ table, intervals: found.map(({ interval }) => interval ?? 'others'), since, what, fix, log }]
  })
}

const formatOf = ({ parquetLocation }: TableSummary): Found['format'] =>
  parquetLocation === undefined ? 'iceberg' : 'parquet'

const daysOf = ({ from, to }: Run): readonly DayRange[] | undefined =>
  from === undefined || to === undefined ? undefined : [{ from, to }]

const isSame = (a: Found, b: Found): boolean => a.interval === b.interval && a.format === b.format

/** Whether a verify has looked at what was found before. */
function isJudged(found: Found, run: Run, summary: TableSummary): boolean {
  const { verified } = summary
  if (verified === undefined || formatOf(summary) !== found.format) return false
  if (verified.columns === 0 && !found.isByCounts) return false
  const days = daysOf(run)
  if (days === undefined) return true
  if (found.interval === undefined)
    return found.days?.every(({ from, to }) => days.some((one) => one.from <= from && to <= one.to)) === true
  const interval = parseInterval(found.interval)
  return interval !== undefined && isWithin(interval, days)
}

function foundIn(run: Run, summary: TableSummary, before: readonly Found[]): Found[] {
  const { table, verified, error, fix } = summary
  if (verified === undefined) return []
  const wrong = verified.intervals.filter(isWrong)
  const common = {
    ...{ format: formatOf(summary), days: daysOf(run), isByCounts: verified.columns === 0 },
    log: run.airflow?.log,
  }
  const found = wrong.map(({ interval, result, reason }, at): Found => {
    const said = at === 0 ? error : undefined
    const what = said ?? `${interval}: ${result}${reason === undefined ? '' : `: ${reason}`}`
    const known = before.find((one) => one.interval === interval && one.format === common.format)
    return {
      ...{ ...common, interval, what, since: known?.since ?? run.startedAt },
      fix: (at === 0 ? fix : undefined) ?? again(table, interval),
    }
  })
  const more = verified.mismatch + verified.incomplete - wrong.length
  if (more === 0) return found
  const what = `${more} more intervals are not as they were written`
  return [...found, { ...common, interval: undefined, what, since: run.startedAt, fix: again(table) }]
}

/** What is wrong, and the export that mends it, is said by a verify of it. */
function again(table: string, interval?: string): string {
  const parsed = interval === undefined ? undefined : parseInterval(interval)
  return `lakejobs verify --table ${shellWord(table)}${parsed?.kind === 'day' ? ` --date ${parsed.day}` : ''}`
}
