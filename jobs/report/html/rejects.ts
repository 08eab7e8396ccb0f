import type { Report } from '../schema.ts'
import { markup, type Markup } from './markup.ts'
import { numberText } from './words.ts'

/** Lines of the CRUD logs that are no rows; folded. */
export function rejectsSection({ rejects, crud }: Report): Markup | undefined {
  if (crud === undefined) return undefined
  const lines = rejects.reduce((sum, day) => sum + day.lines, 0)
  return markup`<details>
    <summary>
      Rejected lines<span>${lines === 0 ? 'none in 7 days' : `${numberText(lines)} in 7 days`}</span>
    </summary>
    ${
      lines === 0
        ? markup`<p class="soft">Every line of the week's logs is counted.</p>`
        : markup`<table class="cards">
            <thead>
              <tr>
                <th>Day</th>
                <th>Why</th>
                <th class="n">Lines</th>
                <th>The first of them</th>
              </tr>
            </thead>
            <tbody>
              ${rejects.flatMap(({ day, reasons }) =>
                reasons.map(
                  ({ reason, lines: count, line, raw }) =>
                    markup`<tr>
                      <td class="name">${day}</td>
                      <td>${reason}</td>
                      <td class="n" data-label="lines">${numberText(count)}</td>
                      <td><span class="soft">line ${numberText(line)}</span> <code>${raw}</code></td>
                    </tr>`,
                ),
              )}
            </tbody>
          </table>`
    }
  </details>`
}
