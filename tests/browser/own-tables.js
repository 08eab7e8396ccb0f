/**
 * A headless Chromium at the Airflow of AIRFLOW_URL sees what comes of edits of the file LAKEJOBS_CONFIG: a table more, a typo, a table
 * less. Its environment is that of the jobs: what they wrote, PyIceberg reads, by the Python of PYICEBERG_PYTHON.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import {
  AIRFLOW_URL,
  atTheEnd,
  page,
  patience,
  picture,
  signIn,
  step,
  trigger,
  waitForGreen,
} from './page.js'

const file = process.env.LAKEJOBS_CONFIG
const before = readFileSync(file, 'utf8')
// An hour ago it ran, half an hour ago it should have been done.
const ago = (minutes) => new Date(Date.now() - minutes * 60_000)
const late = `  late: { schedule: "${ago(60).getUTCMinutes()} ${ago(60).getUTCHours()} * * *", deadline: "${ago(30).toISOString().slice(11, 16)}" }`
const more = `${before.replace('groups:\n', `groups:\n${late}\n`)}  own.orders: { group: shop }\n  own.items_late: { group: late }\n`
const mistyped = more.replace('orders: { group: shop }', 'orders: { group: shop, lookbak: 3 }')
const place = mistyped.split('\n').findIndex((line) => line.includes('lookbak')) + 1

/** A run of the group, to its end. Which tables its mapped task had. */
async function runGroup(group) {
  const dag = { id: `lake_${group}` }
  await page.goto(`${AIRFLOW_URL}/dags/${dag.id}`)
  const run = await trigger(dag)
  await waitForGreen(dag, run)
  await page.goto(`${AIRFLOW_URL}/dags/${dag.id}/runs/${encodeURIComponent(run)}/tasks/export/mapped`)
  const links = page.getByRole('table').getByRole('link', { name: /^own\./ })
  await links.first().waitFor()
  await picture(`tables-${group}`)
  return (await links.allInnerTexts()).sort()
}

/** The scheduled run of that group, to its end: without its group in the file it would fail. */
async function waitForLate() {
  const dag = { id: 'lake_late' }
  const end = Date.now() + patience
  let runs = []
  while (runs.length === 0 && Date.now() < end) {
    const answer = await page.request.get(`${AIRFLOW_URL}/api/v2/dags/${dag.id}/dagRuns`)
    // There is no such DAG before its file was parsed.
    if (answer.ok()) runs = (await answer.json()).dag_runs
    await page.waitForTimeout(500)
  }
  assert.equal(runs.length, 1)
  await waitForGreen(dag, runs[0].dag_run_id)
}

/** What the lake has of the table that comes and goes. */
function assertOrders() {
  const words = ['tests/browser/read_table.py', 'own.orders']
  const rows = execFileSync(process.env.PYICEBERG_PYTHON, words, { encoding: 'utf8', timeout: 120_000 })
  assert.deepEqual(
    JSON.parse(rows)
      .map(({ id }) => id)
      .sort(),
    [1, 2, 3, 4, 5],
  )
}

async function appears(locator) {
  return locator.waitFor({ timeout: 10_000 }).then(
    () => true,
    () => false,
  )
}

/** The words of the import error, on the home page, which shows what there was when it was opened. */
async function readImportError() {
  const button = page.getByRole('button', { name: /Dag Import Error/ })
  const end = Date.now() + patience
  do await page.goto(AIRFLOW_URL)
  while (!(await appears(button)) && Date.now() < end)
  await button.click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('lake_tables_faults.py').first().click()
  await dialog
    .getByText(new RegExp(`lakejobs\\.yaml:${place}:\\d+ tables\\.own\\.orders\\.lookbak`))
    .first()
    .waitFor()
  await picture('tables-import-error')
}

await atTheEnd(async () => {
  await step('sign in', signIn)
  assert.deepEqual(await step('as it is', () => runGroup('shop')), ['own.customers'])
  writeFileSync(file, more)
  assert.deepEqual(await step('a table more', () => runGroup('shop')), ['own.customers', 'own.orders'])
  await step('its rows are in the lake', assertOrders)
  await step('a group more, late', waitForLate)
  writeFileSync(file, mistyped)
  assert.deepEqual(await step('a typo: other groups run', () => runGroup('other')), ['own.items'])
  await step('a typo: its line on the home page', readImportError)
  writeFileSync(file, before)
  assert.deepEqual(await step('a table less', () => runGroup('shop')), ['own.customers'])
  await step('its rows are in the lake yet', assertOrders)
})
