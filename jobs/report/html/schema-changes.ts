import type { Report } from '../schema.ts'
import { markup, type Markup } from './markup.ts'
import { timeText } from './words.ts'

const most = 50

/** How the tables' columns changed lately; folded. */
export function schemaSection({ schemaChanges }: Report): Markup {
  const count = schemaChanges.length
  return markup`<details>
    <summary>Schema changes<span>${count === 0 ? 'none in 7 days' : `${count} in 7 days`}</span></summary>
    ${
      count === 0
        ? markup`<p class="soft">No column was added, dropped, renamed or widened.</p>`
        : markup`<table class="cards">
            <thead>
              <tr>
                <th>Table</th>
                <th>When</th>
                <th>What</th>
              </tr>
            </thead>
            <tbody>
              ${schemaChanges.slice(0, most).map(
                ({ table, at, changes }) =>
                  markup`<tr>
                    <td class="name">${table}</td>
                    <td>${timeText(at)}</td>
                    <td>${changes.slice(0, most).map((change) => markup`<code>${change}</code> `)}</td>
                  </tr>`,
              )}
            </tbody>
          </table>`
    }
  </details>`
}
