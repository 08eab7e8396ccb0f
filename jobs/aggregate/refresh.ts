import { windowOf, type Day } from '../calendar.ts'
import { notRead } from './day/day-store.ts'
import { findInputs } from './inputs.ts'
import { allPublished } from './published.ts'
import { countDays, type Counted, type Run } from './run.ts'
import type { Window } from './window.ts'

/**
 * Published windows, of any length, that were made from another content of one of their days than it has now; those of
 * `windows` apart, which are published anyway. Days that they need join `counted`. A day whose log has been removed since
 * counts as it did, from the cache, and a window is left alone when that is gone, too.
 */
export async function outdatedWindows(
  run: Run,
  windows: readonly Window[],
  counted: Counted,
): Promise<Window[]> {
  const { options, stores, context, results } = run
  const nameOf = ({ last, length }: Pick<Window, 'last' | 'length'>): string => `${last} ${length}`
  const asked = new Set(windows.map(nameOf))
  const records = (await allPublished(stores.output, options.output))
    .filter((record) => !asked.has(nameOf(record)))
    .map((record) => ({ record, days: windowOf(record.last, record.length) }))
  const others = [...new Set(records.flatMap(({ days }) => days))].filter((day) => !counted.has(day)).sort()
  const present = await countDays(run, await findInputs(stores.input, options.input, others), counted)
  const keyOf = (day: Day): string | undefined => (counted.get(day) ?? present.get(day))?.entry.key

  const outdated: Window[] = []
  for (const { record, days } of records) {
    if (!days.some((day) => (keyOf(day) ?? record.days[day]) !== record.days[day])) continue
    const gone = Object.keys(record.days).filter((day) => keyOf(day) === undefined)
    for (const day of gone) {
      const entry = (await results.cache.entriesOf(day)).find(({ key }) => key === record.days[day])
      if (entry !== undefined) present.set(day, { entry, cached: true, ...notRead })
    }
    const { last, length } = record
    const lost = gone.filter((day) => keyOf(day) === undefined)
    if (lost.length > 0)
      context.logger.warn(
        { window: last, lost: lost.slice(0, 20) },
        'not refreshed: logs that it was made from are gone',
      )
    else outdated.push({ last, days, length })
  }
  for (const day of outdated.flatMap(({ days }) => days)) {
    const value = present.get(day)
    if (value !== undefined && !counted.has(day)) counted.set(day, value)
  }
  return outdated
}
