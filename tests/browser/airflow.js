/**
 * A headless Chromium does what a newcomer does at the Airflow of AIRFLOW_URL (default http://localhost:8080,
 * admin/admin): signs in, reads each DAG's docs, chooses a day, triggers, waits for green, opens the log and the XCom.
 * With SCREENSHOTS it keeps pictures of all that in that folder; some are in docs/images, for README.md and
 * docs/operations.md. CHROMIUM names another browser than /usr/bin/chromium.
 */
import assert from 'node:assert/strict'
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
      // Where an earlier run has exported the same rows they stay as they were.
      result: /default\.web_logs, .*: (unchanged, )?\d+ rows, \d+ files, .* s, /,
    },
    {
      id: 'crud_weekly_aggregate',
      tags: 'aggregate, crud, daily',
      docs: ['seven days up to', 'When a task fails'],
      fill: { date: '2024-09-16' },
      choose: {},
      task: 'aggregate_week',
      result: /aggregate, .*: \d+ rows, .* s, /,
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
      result: /aggregate, .*: \d+ rows, .* s, /,
    },
  ],
]

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

/** Its last line says what came of the job; the summary is the XCom and not in between. */
async function readLog({ id, task, result }) {
  await page.getByRole('table').getByRole('link', { name: task, exact: true }).click()
  await page.getByText(result).first().waitFor()
  assert.equal(await page.getByText('"runId"').count(), 0)
  await picture(`airflow-${id}-log`)
}

/** A key that no parameter has: the reason is the first line that is not folded, and all of it is to be seen. */
async function readReason() {
  const run = await page.evaluate(async () => {
    const token = document.cookie.replace(/.*_token=([^;]*).*/, '$1')
    const answer = await fetch('/api/v2/dags/web_logs_lake/dagRuns', {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify({ logical_date: null, conf: { dat: '2024-09-16' } }),
    })
    return (await answer.json()).dag_run_id
  })
  await page.goto(`${AIRFLOW_URL}/dags/web_logs_lake/runs/${encodeURIComponent(run)}/tasks/seed_demo_rows`)
  const reason = page.getByText("unknown parameter 'dat' in the run's conf (did you mean date?)")
  await reason.waitFor({ timeout: patience })
  assert.equal(await page.getByText('Traceback').count(), 0)
  assert.equal(await page.getByText('task_runner.py').count(), 0)
  await picture('airflow-reason')
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

await atTheEnd(async () => {
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
  await step('a failure: its reason', readReason)
  await step('list of DAGs', readList)
})
