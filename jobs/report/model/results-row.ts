import { windowOf, type Day } from '../../calendar.ts'
import type { CrudFacts } from '../gather/crud.ts'
import type { Summary } from '../../summary.ts'
import type { ReportTable, TableDay } from '../schema.ts'
import { daysShown } from './days.ts'

/** How the weekly counts are called beside tables. */
export const resultsName = 'weekly CRUD counts'

/** The row of the weekly counts: a square for each day under which a week is published. Pure. */
export function resultsRow(
  { published, report }: CrudFacts,
  runs: readonly Summary[],
  last: Day,
): ReportTable {
  const known = new Set(published)
  const first = [...published].sort()[0]
  const own = runs.filter(({ job }) => job === 'aggregate')
  const days = windowOf(last, daysShown).map((day): TableDay => {
    const run = own
      .filter(({ from, to }) => from !== undefined && to !== undefined && from <= day && day <= to)
      .at(-1)
    const isFailed = run?.status === 'failed' && run.to === day && !known.has(day)
    const state = isFailed
      ? 'failed'
      : known.has(day)
        ? 'exported'
        : first !== undefined && day >= first
          ? 'missing'
          : 'none'
    return { day, state, ...(run?.to === day && { run: run.runId }) }
  })
  const to = [...published]
    .filter((day) => day <= last)
    .sort()
    .at(-1)
  const { state } = days.at(-1)!
  return {
    name: resultsName,
    kind: 'results',
    state: state === 'exported' ? 'fresh' : state === 'failed' ? 'failed' : 'late',
    ...(to !== undefined && { freshTo: to }),
    ...(report.users !== undefined && { lastRows: report.users }),
    days,
  }
}
