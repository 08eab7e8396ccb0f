/**
 * The calendar of days, and the report of the one that is chosen, in a frame that may do nothing. All that is shown comes of
 * `api/days` and `api/runs/<day>`; texts become text nodes alone.
 */
const letters = { failed: 'F', missing: 'M', exported: 'E', unchanged: 'U', verified: 'V' }
const meanings = {
  F: 'failed',
  M: 'missing: a table has nothing of that day',
  E: 'exported, not verified yet',
  U: 'unchanged',
  V: 'verified',
  '–': 'no report was made',
}
/** Of the tables of a day the worst counts. */
const worstFirst = Object.keys(letters)
const msPerDay = 86_400_000
/** So many days back a day without a report is one that should have had one. */
const daysWatched = 35

const at = (id) => document.getElementById(id)
const dayOf = (ms) => new Date(ms).toISOString().slice(0, 10)
const msOf = (day) => Date.parse(`${day}T00:00:00Z`)

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value)
  made.append(...children)
  return made
}

/** As Airflow is set: what its pages keep, else the system's. */
function theme() {
  const stored = localStorage.getItem('theme')
  const system = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  return stored === 'dark' || stored === 'light' ? stored : system
}

/** The report is told by its address. */
function followTheme() {
  const now = theme()
  if (document.documentElement.style.colorScheme === now) return
  document.documentElement.style.colorScheme = now
  const frame = document.querySelector('iframe')
  if (frame !== null) frame.src = frame.src.replace(/\?.*/, `?theme=${now}`)
}

async function ask(path) {
  const answer = await fetch(path, { headers: { accept: 'application/json' } })
  const value = await answer.json()
  if (!answer.ok) throw new Error(String(value.detail))
  return value
}

/** Airflow's frame lets no link out of it; one of Airflow's own page goes where it says. */
function openInAirflow(path, isNewTab) {
  const link = parent.document.createElement('a')
  link.href = path
  if (isNewTab) link.target = '_blank'
  parent.document.body.append(link)
  link.click()
  link.remove()
}

function runItem(run) {
  const link = element('a', { href: run.path }, `${run.dag}: ${run.type} run, ${run.state}`)
  link.title = run.run
  link.addEventListener('click', (event) => {
    event.preventDefault()
    openInAirflow(run.path, event.ctrlKey || event.metaKey)
  })
  return element('li', {}, link)
}

async function showRuns(day) {
  const list = at('runs')
  list.replaceChildren()
  let items
  try {
    const runs = await ask(`api/runs/${day}`)
    items = runs.length > 0 ? runs.map(runItem) : [element('li', {}, 'No run has handled this day.')]
  } catch (error) {
    items = [element('li', {}, `Its runs cannot be looked up: ${error.message}`)]
  }
  // Meanwhile another day may have been chosen.
  if (list.dataset.day === day) list.replaceChildren(...items)
}

function choose(day, hasReport) {
  for (const cell of document.querySelectorAll('.cell'))
    cell.setAttribute('aria-pressed', String(cell.dataset.day === day))
  at('day').textContent = day
  at('runs').dataset.day = day
  history.replaceState(null, '', `?day=${day}`)
  const shown = hasReport
    ? element('iframe', { sandbox: '', title: `Report of ${day}`, src: `report/${day}?theme=${theme()}` })
    : element('p', {}, `There is no report of ${day}.`)
  at('report').replaceChildren(shown)
  return showRuns(day)
}

function cellOf(day, tables, reports) {
  const hasReport = reports.days.has(day)
  const worst = worstFirst.find((state) => tables.some((table) => table.state === state))
  const isGone = !hasReport && day >= reports.first && day >= reports.watched
  const letter = (letters[worst] ?? '') + (isGone ? '–' : '')
  const named = tables.filter(({ state }) => state === worst).map(({ table }) => table)
  const said = worst === undefined ? '' : `, ${worst}: ${named.slice(0, 5).join(', ')}`
  const more = named.length > 5 ? ` and ${named.length - 5} more` : ''
  const label = `${day}${said}${more}, ${hasReport ? 'report' : 'no report'}`
  const shown = element(
    'span',
    { 'aria-hidden': 'true' },
    String(Number(day.slice(8))),
    element('b', {}, letter),
  )
  const look = `cell ${worst ?? ''} ${isGone ? 'gone' : ''}`
  const cell = element('button', { class: look, title: label, type: 'button' }, shown)
  cell.append(element('span', { class: 'spoken' }, label))
  cell.dataset.day = day
  cell.setAttribute('aria-pressed', 'false')
  cell.addEventListener('click', () => void choose(day, hasReport))
  return cell
}

function monthOf(days, states, reports) {
  const name = new Date(msOf(days[0])).toLocaleDateString('en', {
    month: 'long',
    year: 'numeric',
    timeZone: 'UTC',
  })
  const weekdays = ['Mo', 'Tu', 'We', 'Th', 'Fr', 'Sa', 'Su']
  const grid = element('div', { class: 'week' })
  grid.append(...weekdays.map((weekday) => element('span', { class: 'weekday' }, weekday)))
  const blanks = (new Date(msOf(days[0])).getUTCDay() + 6) % 7
  grid.append(...Array.from({ length: blanks }, () => element('span')))
  grid.append(...days.map((day) => cellOf(day, states[day] ?? [], reports)))
  return element('section', {}, element('h3', {}, name), grid)
}

/** From the first day that anything is known of to the last one that is due, month by month, the last first; older ones folded. */
function showCalendar(reports, states, due) {
  const known = [...reports.days, ...Object.keys(states), due].sort()
  const months = new Map()
  for (let ms = msOf(known[0]); ms <= msOf(known.at(-1)); ms += msPerDay) {
    const day = dayOf(ms)
    months.set(day.slice(0, 7), [...(months.get(day.slice(0, 7)) ?? []), day])
  }
  // Between a day long ago that was handled by hand and the last weeks there may be years of nothing.
  const lively = new Set(known.map((day) => day.slice(0, 7)))
  for (const month of months.keys()) if (!lively.has(month)) months.delete(month)
  const sections = [...months.values()].reverse().map((days) => monthOf(days, states, reports))
  const earlier = element('details', {}, element('summary', {}, 'Earlier'), ...sections.slice(2))
  at('calendar').replaceChildren(...sections.slice(0, 2), ...(sections.length > 2 ? [earlier] : []))
  at('legend').replaceChildren(
    ...Object.entries(meanings).flatMap(([letter, text]) => [
      element('dt', {}, letter),
      element('dd', {}, text),
    ]),
  )
}

function showVerdict(newest, due) {
  const verdict = at('verdict')
  const word = newest.verdict?.word
  const written = newest.writtenAt ? `, written ${newest.writtenAt.slice(0, 16).replace('T', ' ')} UTC` : ''
  const late = newest.day < due ? `No report since ${newest.day}. ` : ''
  verdict.textContent = `${late}${newest.verdict?.text ?? ''} (up to ${newest.day}${written})`
  verdict.className =
    word === 'failed' || word === 'wrong' ? 'failed-word' : late || word === 'late' ? 'late' : ''
}

async function start() {
  followTheme()
  new MutationObserver(followTheme).observe(parent.document.documentElement, { attributes: true })
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', followTheme)
  const { days, due, newest, place } = await ask('api/days')
  const wanted = new URLSearchParams(location.search).get('day')
  if (newest === null) {
    at('verdict').textContent = `There is no report yet in ${place}. The daily DAGs end with one.`
    if (wanted !== null && /^\d{4}-\d\d-\d\d$/.test(wanted)) await choose(wanted, false)
    return
  }
  const watched = dayOf(Date.now() - daysWatched * msPerDay)
  const reports = { days: new Set(days), first: days[0], watched }
  showVerdict(newest, due)
  showCalendar(reports, newest.days ?? {}, due)
  const day = wanted !== null && /^\d{4}-\d\d-\d\d$/.test(wanted) ? wanted : newest.day
  await choose(day, reports.days.has(day))
}

start().catch((error) => {
  at('verdict').textContent = error.message
  at('verdict').className = 'failed-word'
})
