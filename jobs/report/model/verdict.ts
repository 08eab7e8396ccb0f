import { addDays, dayOf, daysBetween, type Day } from '../../calendar.ts'
import type { Report, ReportTable } from '../schema.ts'

/** One word and one line about all tables, and how far behind the report itself is. Pure. */
export function verdictOf(tables: readonly ReportTable[], date: Day, writtenAt: Date): Report['verdict'] {
  const of = (...states: readonly ReportTable['state'][]): number =>
    tables.filter(({ state }) => states.includes(state)).length
  const [fresh, late, failed, wrong] = [of('fresh'), of('late'), of('failed', 'unread'), of('wrong')]
  const behind = behindText(date, writtenAt)
  if (tables.length === 0) return { word: 'empty', text: 'No table yet.', ...behind }
  if (late + failed + wrong === 0) {
    const all = tables.length === 1 ? 'The table is fresh.' : `All ${tables.length} tables fresh.`
    return { word: 'fresh', text: all, ...behind }
  }
  const rest = Object.entries({ WRONG: wrong, late, failed })
    .flatMap(([what, count]) => (count > 0 ? `${count} ${what}` : []))
    .join(', ')
  return {
    word: wrong > 0 ? 'wrong' : failed > 0 ? 'failed' : 'late',
    text: `${fresh} of ${tables.length} tables fresh. ${rest}.`,
    ...behind,
  }
}

/** A report of yesterday is what every morning brings. */
function behindText(date: Day, writtenAt: Date): Pick<Report['verdict'], 'note'> {
  const yesterday = addDays(dayOf(writtenAt), -1)
  if (date >= yesterday) return {}
  const days = daysBetween(date, yesterday).length - 1
  return {
    note: `This page is ${days === 1 ? 'a day' : `${days} days`} behind: ${yesterday} was over when it was written.`,
  }
}
