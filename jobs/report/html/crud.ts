import { figure } from '../chart/frame.ts'
import { stackedBars } from '../chart/stacked-bars.ts'
import type { CrudDay, CrudReport, Report } from '../schema.ts'
import { markup, type Markup } from './markup.ts'
import { changeText, numberText } from './words.ts'

const actions = ['create', 'read', 'update', 'delete'] as const

const eventsOf = (counts: CrudReport['total']): number =>
  actions.reduce((sum, action) => sum + counts[action], 0)

/** The weekly counts of the CRUD logs; folded. */
export function crudSection({ crud }: Report): Markup | undefined {
  if (crud === undefined) return undefined
  const { from, to, total, users } = crud
  return markup`<details>
    <summary>
      What users did<span
        >${numberText(eventsOf(total))} events of
        ${users === undefined ? 'an unknown number of' : numberText(users)} users, ${from} to ${to}</span
      >
    </summary>
    ${totals(crud)}
    <div class="charts"><div>${perDay(crud)}</div>${topUsers(crud)}</div>
  </details>`
}

function totals({ total, before, users, usersBefore }: CrudReport): Markup {
  const fact = (name: string, now: number, then: number | undefined): Markup =>
    markup`<div>
      <dt>${name}</dt>
      <dd>
        ${numberText(now)}<small
          >${then === undefined ? 'the week before is unknown' : `${changeText(now, then) ?? 'none'} from ${numberText(then)}`}</small
        >
      </dd>
    </div>`
  return markup`<dl class="facts">
    ${actions.map((action) => fact(action.toUpperCase(), total[action], before?.[action]))}
    ${users === undefined ? undefined : fact('Users', users, usersBefore)}
  </dl>`
}

function topUsers({ top }: CrudReport): Markup | undefined {
  if (top.length === 0) return undefined
  return markup`<div class="scroll" role="region" tabindex="0" aria-label="Users with the most events">
    <table class="dense">
      <thead>
        <tr>
          <th>Users with the most events</th>
          ${actions.map((action) => markup`<th class="n">${action}</th>`)}
          <th class="n">all</th>
        </tr>
      </thead>
      <tbody>
        ${top.map(
          (user) =>
            markup`<tr>
              <td class="name">${user.email}</td>
              ${actions.map((action) => markup`<td class="n">${numberText(user[action])}</td>`)}
              <td class="n">${numberText(eventsOf(user))}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`
}

const states = { missing: 'no log', unknown: 'not cached', counted: '' } as const

/** Both weeks, side by side: the earlier one fainter. */
function perDay({ days, to }: CrudReport): Markup {
  const week = days.length / 2
  const title = (one: CrudDay): string =>
    `${one.day}: ${one.state === 'counted' ? actions.map((action) => `${action} ${numberText(one[action] ?? 0)}`).join(', ') : states[one.state]}`
  const bars = days.map((one, at) => ({
    label: at % 2 === 1 ? one.day.slice(5) : '',
    title: title(one),
    parts:
      one.state === 'counted'
        ? actions.map((action) => ({ name: action, value: one[action] ?? 0 }))
        : undefined,
    isEarlier: at < week,
  }))
  const lacking = days.filter(({ state }) => state !== 'counted').map((one) => title(one))
  const text = {
    id: 'crud',
    title: 'Events per day and action',
    desc: `The 14 days up to ${to}${lacking.length === 0 ? '' : `; ${lacking.join('; ')}`}`,
  }
  const chart = figure(
    'Events per day',
    'the week before fainter, days without counts hatched',
    stackedBars(text, bars, 'events a day'),
    ['Day', ...actions, 'rejected lines'],
    days.map((one) => [
      one.day,
      ...actions.map((action) => (one[action] === undefined ? states[one.state] : numberText(one[action]))),
      one.rejects === undefined ? '–' : numberText(one.rejects),
    ]),
  )
  return markup`${chart}<ul class="legend">${actions.map((action) => markup`<li><i class="${action}"></i>${action.toUpperCase()}</li>`)}</ul>`
}
