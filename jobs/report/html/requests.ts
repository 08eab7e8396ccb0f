import { daysBetween, type Day } from '../../calendar.ts'
import { figure } from '../chart/frame.ts'
import { lineChart } from '../chart/line.ts'
import { ranges } from '../chart/ranges.ts'
import { shares } from '../chart/shares.ts'
import type { Report, RequestsReport } from '../schema.ts'
import { markup, type Markup } from './markup.ts'
import { numberText, timeText } from './words.ts'

/** What the web logs tell; folded. */
export function requestsSection({ requests, unread, tables }: Report): Markup | undefined {
  const [fault] = unread
  if (fault !== undefined)
    return markup`<details><summary>Requests<span>could not be read</span></summary><p>${fault.why}</p></details>`
  if (requests === undefined) return undefined
  const { from, to, total, table } = requests
  const missing = (tables.find(({ name }) => name === table)?.days ?? [])
    .filter(({ state }) => state === 'missing')
    .map(({ day }) => day)
  return markup`<details><summary>Requests<span>${numberText(total)} in ${table}, ${from} to ${to}</span></summary>
${total === 0 ? markup`<p class="soft">No row of these days.</p>` : markup`<div class="charts">${perHour(requests, missing)}${classesOf(requests)}${times(requests)}</div>`}
</details>`
}

function perHour({ hours, from, to }: RequestsReport, missing: readonly Day[]): Markup {
  const known = new Map(hours.map(({ hour, requests }) => [hour, requests]))
  const days = daysBetween(from, to)
  const all = days.flatMap((day) =>
    Array.from(
      { length: 24 },
      (_, hour) => known.get(`${day}T${String(hour).padStart(2, '0')}:00:00.000Z`) ?? 0,
    ),
  )
  const marks = days.map((day, at) => ({
    step: 24 * at,
    label: day.slice(5),
    isUnknown: missing.includes(day),
  }))
  const most = Math.max(...all)
  const text = {
    id: 'hours',
    title: 'Requests per hour',
    desc: `${from} to ${to}, at most ${numberText(most)} in an hour${missing.length === 0 ? '' : `; missing: ${missing.join(', ')}`}`,
  }
  return figure(
    'Requests per hour',
    `at most ${numberText(most)}`,
    lineChart(text, all, marks, 'requests an hour'),
    ['Hour', 'requests'],
    hours.map(({ hour, requests }) => [timeText(hour), numberText(requests)]),
  )
}

const colours: Readonly<Record<string, string>> = {
  '2xx': 'create',
  '3xx': 'read',
  '4xx': 'update',
  '5xx': 'delete',
}

function classesOf({ classes, total }: RequestsReport): Markup {
  const text = {
    id: 'classes',
    title: 'Requests by class of status',
    desc: classes.map((one) => `${one.class} ${numberText(one.requests)}`).join(', '),
  }
  return figure(
    'Status',
    `of ${numberText(total)} requests`,
    shares(
      text,
      classes.map((one) => ({ name: one.class, colour: colours[one.class] ?? 'other', value: one.requests })),
    ),
    ['Class', 'requests'],
    classes.map((one) => [one.class, numberText(one.requests)]),
  )
}

function times({ urls }: RequestsReport): Markup | undefined {
  if (urls.length === 0) return undefined
  const text = {
    id: 'times',
    title: 'Response times by url',
    desc: `The ${urls.length} urls with the most requests: the times that 50, 95 and 99 % of their requests do not exceed`,
  }
  return figure(
    'Response time',
    `ms; 50, 95 and 99 % of requests are not slower`,
    ranges(
      text,
      urls.map(({ url, p50, p95, p99 }) => ({ name: url, points: [p50, p95, p99] })),
      'ms',
    ),
    ['Url', 'requests', '50 %', '95 %', '99 %'],
    urls.map(({ url, requests, p50, p95, p99 }) => [url, ...[requests, p50, p95, p99].map(numberText)]),
  )
}
