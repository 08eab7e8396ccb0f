import type { Need, Report } from '../schema.ts'
import { markup, type Markup } from './markup.ts'
import { timeText } from './words.ts'

/** What somebody should do, five rows at most. */
export function needsSection({ needs, needsMore }: Report): Markup {
  const body =
    needs.length === 0
      ? markup`<p>Nothing.</p>`
      : markup`<table class="cards">
          <thead>
            <tr>
              <th>Table</th>
              <th>What</th>
              <th>Since</th>
              <th>What mends it</th>
            </tr>
          </thead>
          <tbody>
            ${needs.map(row)}
          </tbody>
        </table>`
  const more = needsMore === undefined ? undefined : markup`<p class="meta">and ${needsMore} more</p>`
  return markup`<section aria-labelledby="needs">
    <h2 id="needs">Needs you</h2>
    ${body}${more}
  </section>`
}

const row = ({ table, what, since, command, fix, log }: Need): Markup =>
  markup`<tr>
    <td class="name">${table}</td>
    <td>${what}${logLink(log)}</td>
    <td class="t" data-label="since">${since === undefined ? undefined : timeText(since)}</td>
    <td>${command === undefined ? fix : markup`<code>${command}</code>`}</td>
  </tr>`

/** Whatever else was written there is no link. */
const logLink = (log: string | undefined): Markup | undefined =>
  log !== undefined && /^https?:\/\/[^\s]+$/.test(log) ? markup` <a href="${log}">log</a>` : undefined
