/**
 * A headless Chromium does what a newcomer does at the Airflow of AIRFLOW_URL (default http://localhost:8080,
 * admin/admin): signs in, reads each DAG's docs, chooses a day, triggers, waits for green, opens the log and the XCom.
 * With SCREENSHOTS it keeps pictures of all that in that folder; some are in docs/images, for README.md and
 * docs/operations.md. CHROMIUM names another browser than /usr/bin/chromium.
 */
import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

const { AIRFLOW_URL = 'http://localhost:8080', CHROMIUM = '/usr/bin/chromium', SCREENSHOTS } = process.env
const patience = 300_000

/** Those of a group are started at once; the second counts logs that the first has made. */
const groups = [
  [
    {
      id: 'web_logs_lake',
      tags: 'daily, export, iceberg',
      docs: ['Every morning at', 'When a task fails'],
      fill: { date: '2024-09-16' },
      choose: {},
      task: 'export_to_lake',
    },
    {
      id: 'crud_weekly_aggregate',
      tags: 'aggregate, crud, daily',
      docs: ['seven days up to', 'When a task fails'],
      fill: { date: '2024-09-16' },
      choose: {},
      task: 'aggregate_week',
    },
  ],
  [
    {
      id: 'lake_backfill',
      tags: 'aggregate, by hand, export',
      docs: ['Many days at once', 'When it fails'],
      fill: { from: '2024-09-14', to: '2024-09-16' },
      choose: { job: 'aggregate: weekly counts of the CRUD logs' },
      task: 'aggregate_days',
    },
  ],
]

const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
const page = await browser.newPage({ viewport: { width: 1280, height: 960 }, timezoneId: 'UTC' })
page.setDefaultTimeout(60_000)
const pageErrors = []
page.on('pageerror', (error) => pageErrors.push(error.message))

async function picture(name) {
  if (SCREENSHOTS === undefined) return
  await mkdir(SCREENSHOTS, { recursive: true })
  // Dialogs fade in, the graph finds its place.
  await page.waitForTimeout(800)
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) })
}

async function step(name, act) {
  const start = performance.now()
  try {
    const result = await act()
    process.stdout.write(`${name} (${((performance.now() - start) / 1000).toFixed(1)} s)\n`)
    return result
  } catch (error) {
    process.stderr.write(`${name}: failed at ${page.url()}\n`)
    throw error
  }
}

async function signIn() {
  await page.goto(`${AIRFLOW_URL}/auth/login`)
  await page.fill('input[name=username]', 'admin')
  await page.fill('input[name=password]', 'admin')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByTestId('nav-dags-link').waitFor()
}

async function readList() {
  await page.getByTestId('nav-dags-link').click()
  for (const { id, tags } of groups.flat()) {
    const card = page.getByTestId('dag-card').filter({ hasText: id })
    await card.getByTestId('limited-items-list').getByText(tags).waitFor()
  }
  await picture('airflow-dags')
}

async function readDocs({ id, docs }) {
  await page.getByTestId('nav-dags-link').click()
  await page.getByRole('link', { name: id, exact: true }).first().click()
  await page.getByTestId('header-card').getByText(id).first().waitFor()
  await page.getByRole('button', { name: 'Dag Docs' }).click()
  const dialog = page.getByRole('dialog')
  for (const text of docs) await dialog.getByText(text).first().waitFor()
  await picture(`airflow-${id}-docs`)
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'hidden' })
}

/** The id of the run. */
async function trigger({ id, fill, choose }) {
  await page.getByTestId('trigger-dag-button').first().click()
  for (const [name, text] of Object.entries(choose)) {
    await page.locator(`#element_${name}`).click()
    await page.getByRole('option', { name: text }).click()
  }
  for (const [name, value] of Object.entries(fill)) await page.fill(`#element_${name}`, value)
  await picture(`airflow-${id}-trigger`)
  const answer = page.waitForResponse(
    (response) => response.request().method() === 'POST' && response.url().endsWith(`/dags/${id}/dagRuns`),
  )
  await page.getByTestId('trigger-dag-submit').click()
  const response = await answer
  assert.equal(response.status(), 200, await response.text())
  return (await response.json()).dag_run_id
}

async function waitForGreen({ id }, run) {
  await page.goto(`${AIRFLOW_URL}/dags/${id}/runs/${encodeURIComponent(run)}`)
  const card = page.getByTestId('header-card')
  const badge = card.getByText(/^(Success|Failed)$/).first()
  await badge.waitFor({ timeout: patience })
  assert.equal(await badge.innerText(), 'Success')
  await picture(`airflow-${id}-run`)
}

async function readLog({ task }) {
  await page.getByRole('table').getByRole('link', { name: task, exact: true }).click()
  await page.getByText('"status":"ok"').first().waitFor()
}

async function readXCom() {
  await page.getByRole('link', { name: 'Storage' }).click()
  await page.getByRole('link', { name: 'XCom', exact: true }).click()
  await page.getByText('return_value').first().waitFor()
  await page
    .getByRole('button', { name: /expand/i })
    .first()
    .click()
  await page.getByText('"runId"').first().waitFor()
}

try {
  await step('sign in as admin/admin', signIn)
  await step('list of DAGs', readList)
  for (const dags of groups) {
    const runs = new Map()
    for (const dag of dags) {
      await step(`${dag.id}: docs`, () => readDocs(dag))
      const words = [...Object.values(dag.choose), ...Object.values(dag.fill)].join(' … ')
      runs.set(dag, await step(`${dag.id}: choose ${words}, trigger`, () => trigger(dag)))
    }
    for (const [dag, run] of runs) {
      await step(`${dag.id}: green`, () => waitForGreen(dag, run))
      await step(`${dag.id}: log`, () => readLog(dag))
      await step(`${dag.id}: XCom`, readXCom)
    }
  }
  await step('list of DAGs', readList)
  assert.deepEqual(pageErrors, [])
} catch (error) {
  if (SCREENSHOTS !== undefined) await page.screenshot({ path: join(SCREENSHOTS, 'failed.png') })
  throw error
} finally {
  await browser.close()
}
