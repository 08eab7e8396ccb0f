import type { DayState, Report, ReportTable, TableDay } from '../schema.ts'
import { markup, type Markup } from './markup.ts'
import { bytesText, changeText, numberText, timeText } from './words.ts'

/** More rows would make the page heavy; the JSON has all. */
const mostRows = 100

/** One row for each table, worst first. */
export function tablesSection({ tables }: Report): Markup {
  if (tables.length === 0)
    return markup`<section aria-labelledby="tables">
      <h2 id="tables">Tables</h2>
      <p class="soft">None yet: lakejobs export and lakejobs aggregate make some.</p>
    </section>`
  const left = tables.length - mostRows
  return markup`<section aria-labelledby="tables">
    <h2 id="tables">Tables</h2>
    <table class="cards">
      <thead>
        <tr>
          <th>Table</th>
          <th>Fresh to</th>
          <th>Verified</th>
          <th class="n">Rows, last run</th>
          <th>30 days</th>
          <th class="n">Size</th>
          <th class="n">a week</th>
        </tr>
      </thead>
      <tbody>
        ${tables.slice(0, mostRows).map(row)}
      </tbody>
    </table>
    ${left > 0 ? markup`<p class="meta">and ${left} more, none of them worse; lakejobs report --json has all</p>` : undefined}
    <ul class="legend">
      ${(['verified', 'exported', 'unchanged', 'missing', 'failed'] as const).map(
        (state) => markup`<li><b class="${squares[state].name}">${squares[state].letter}</b>${state}</li>`,
      )}
    </ul>
  </section>`
}

const squares: Readonly<Record<DayState, { readonly name: string; readonly letter: string }>> = {
  verified: { name: 'v', letter: 'V' },
  exported: { name: 'e', letter: 'E' },
  unchanged: { name: 'u', letter: 'U' },
  missing: { name: 'm', letter: 'M' },
  failed: { name: 'f', letter: 'F' },
  none: { name: 'o', letter: '·' },
}

function row(table: ReportTable): Markup {
  const { name, state, verifiedAt, bytes, bytesPerWeek, days } = table
  return markup`<tr>
    <td class="name">${name}<span class="state ${state}">${state}</span></td>
    <td class="t" data-label="fresh to">${freshText(table)}</td>
    <td class="t" data-label="verified">${verifiedAt === undefined ? '–' : timeText(verifiedAt)}</td>
    <td class="n" data-label="rows, last run">${rowsText(table)}</td>
    <td>
      ${days.length === 0 ? undefined : markup`<div class="days" role="img" aria-label="${daysText(days)}">${days.map(square)}</div>`}
    </td>
    <td class="n" data-label="size">${bytes === undefined ? '–' : bytesText(bytes)}</td>
    <td class="n" data-label="a week">
      ${bytesPerWeek === undefined ? '–' : `${bytesPerWeek < 0 ? '' : '+'}${bytesText(bytesPerWeek)}`}
    </td>
  </tr>`
}

const freshText = ({ freshTo, exportedAt }: ReportTable): string =>
  freshTo ?? (exportedAt === undefined ? '–' : timeText(exportedAt))

function rowsText({ lastRows, medianRows }: ReportTable): Markup | string {
  if (lastRows === undefined) return '–'
  if (medianRows === undefined) return numberText(lastRows)
  const change = changeText(lastRows, medianRows)
  return markup`${numberText(lastRows)}<small class="meta">median ${numberText(medianRows)}${change === undefined || change === '±0 %' ? '' : `, ${change}`}</small>`
}

const square = ({ day, state }: TableDay): Markup =>
  markup`<b class="${squares[state].name}" title="${day} ${state === 'none' ? 'nothing expected' : state}"
    >${squares[state].letter}</b
  >`

/** What the squares say, for whoever does not see them. */
function daysText(days: readonly TableDay[]): string {
  const counts = (['verified', 'exported', 'unchanged', 'missing', 'failed'] as const).flatMap((state) => {
    const those = days.filter((one) => one.state === state)
    if (those.length === 0) return []
    const named =
      state === 'missing' || state === 'failed' ? ` (${those.map(({ day }) => day).join(', ')})` : ''
    return [`${those.length} ${state}${named}`]
  })
  return `${days[0]!.day} to ${days.at(-1)!.day}: ${counts.join(', ') || 'nothing'}`
}
