import { windowOf, type Day } from '../calendar.ts'
import { notRead } from './day/day-store.ts'
import { findInputs } from './inputs.ts'
import { allPublished, type Published } from './published.ts'
import { countDays, tableFor, type Counted, type Run } from './run.ts'
import { daysOf, type Window } from './window.ts'

/** A window that is to be published, and those of its days whose log has been removed since its last result. */
export interface DueWindow {
  readonly window: Window
  /** As that result counted them, which another window may have done otherwise. */
  readonly gone: Counted
}

/**
 * Published windows, of any length, that were made from another content of one of their days than its log has now, or whose rows
 * the table lacks, as a run ended between file and table; those of `windows` apart, which are published anyway. Days that they need
 * join `counted`, none of those of `windows`. A day whose log has been removed since counts as it did, from the cache, and a window
 * is left alone when that is gone, too.
 */
export async function outdatedWindows(
  run: Run,
  windows: readonly Window[],
  counted: Counted,
): Promise<DueWindow[]> {
  const { options, stores, context } = run
  const nameOf = ({ last, length }: Pick<Window, 'last' | 'length'>): string => `${last} ${length}`
  const asked = new Set(windows.map(nameOf))
  const records = (await allPublished(stores.output, options.output))
    .filter((record) => !asked.has(nameOf(record)))
    .map((record) => ({ record, days: windowOf(record.last, record.length) }))
  const looked = new Set(daysOf(windows))
  const others = [...new Set(records.flatMap(({ days }) => days))].filter((day) => !looked.has(day)).sort()
  const present = await countDays(run, await findInputs(stores.input, options.input, others), counted)
  const keyOf = (day: Day): string | undefined => (counted.get(day) ?? present.get(day))?.entry.key

  const outdated: DueWindow[] = []
  for (const { record, days } of records) {
    const isChanged = days.some((day) => (keyOf(day) ?? record.days[day]) !== record.days[day])
    if (!isChanged && !isBehindIn(run, record)) continue
    const removed = Object.keys(record.days).filter((day) => keyOf(day) === undefined)
    const gone = await goneDays(run, record, removed)
    const { last, length } = record
    const lost = removed.filter((day) => !gone.has(day))
    if (lost.length > 0)
      context.logger.warn(
        { window: last, lost: lost.slice(0, 20) },
        'not refreshed: logs that it was made from are gone',
      )
    else outdated.push({ window: { last, days, length }, gone })
  }
  for (const day of outdated.flatMap(({ window }) => window.days)) {
    const value = present.get(day)
    if (value !== undefined) counted.set(day, value)
  }
  return outdated
}

/** Of `days`, which have no log any more, those whose counts the cache still has, undamaged, as the result had them. */
async function goneDays({ results }: Run, record: Published, days: readonly Day[]): Promise<Counted> {
  const gone: Counted = new Map()
  for (const day of days) {
    const entry = (await results.cache.entriesOf(day)).find(({ key }) => key === record.days[day])
    const kept = entry && { entry, cached: true, ...notRead }
    if (kept !== undefined && (await results.store.inCache(kept)) !== undefined) gone.set(day, kept)
  }
  return gone
}

/** Whether the table was to have the result's rows, and has not. */
function isBehindIn(run: Run, { length, sha256, tables }: Published): boolean {
  const table = tableFor(run, length)
  const given = table === undefined ? undefined : tables?.[table]
  return given !== undefined && given !== sha256
}
