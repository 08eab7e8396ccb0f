/**
 * crud_weekly_aggregate by both engines at the Airflow of AIRFLOW_URL, in a headless Chromium: each run green, the same bytes,
 * and Spark's own page shows the application. By hand it needs scripts/spark, `SPARK_REMOTE=sc://127.0.0.1:15002 scripts/airflow`
 * beside it, and AIRFLOW_FOLDER, where that keeps everything (data/airflow); SPARK_UI is Spark's page (default
 * http://localhost:8081). SCREENSHOTS as in airflow.js.
 */
import assert from 'node:assert/strict'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { AIRFLOW_URL, atTheEnd, page, picture, signIn, step, trigger, waitForGreen } from './page.js'

const { AIRFLOW_FOLDER = 'data/airflow', SPARK_UI = 'http://localhost:8081' } = process.env
const day = '2024-09-16'
const dag = { id: 'crud_weekly_aggregate', fill: { date: day } }
const crud = join(AIRFLOW_FOLDER, 'crud')

const run = async (engine) => {
  // Neither engine finds what the other has counted or published.
  for (const folder of ['cache', 'output']) await rm(join(crud, folder), { recursive: true, force: true })
  await page.goto(`${AIRFLOW_URL}/dags/${dag.id}`)
  await page.getByTestId('header-card').getByText(dag.id).first().waitFor()
  await waitForGreen(dag, await trigger({ ...dag, choose: { engine } }))
  return readFile(join(crud, 'output', `${day}.csv`))
}

/** Counts files say who has written them. */
async function countedBySpark() {
  const files = await readdir(join(crud, 'cache'), { recursive: true })
  const counts = files.filter((name) => name.endsWith('.parquet'))
  const texts = await Promise.all(counts.map((name) => readFile(join(crud, 'cache', name), 'latin1')))
  return texts.filter((text) => text.includes('parquet-mr')).length
}

/** What the tasks have logged of days that Spark did not count. */
async function whyNotBySpark() {
  const files = await readdir(AIRFLOW_FOLDER, { recursive: true })
  const logs = files.filter((name) => name.endsWith('.log'))
  const texts = await Promise.all(logs.map((name) => readFile(join(AIRFLOW_FOLDER, name), 'utf8')))
  return texts
    .flatMap((text) => text.split('\n'))
    .filter((line) => line.includes('not by Spark'))
    .join('\n')
}

await atTheEnd(async () => {
  await step('sign in as admin/admin', signIn)
  const embedded = await step('engine duckdb: green', () => run('duckdb'))
  assert.equal(await countedBySpark(), 0)
  const bySpark = await step('engine spark: green', () => run('spark'))
  // A day of which a busy Spark does not tell what it observed is counted by the job itself.
  const days = await countedBySpark()
  process.stdout.write(`${days} of 7 days were counted by Spark\n`)
  assert.ok(days > 3, await whyNotBySpark())
  assert.ok(bySpark.equals(embedded), 'the results of both engines differ')
  await step("Spark's page: the application", async () => {
    await page.goto(SPARK_UI)
    const row = page.locator('.aggregated-activeApps').getByRole('row').filter({ hasText: 'lakejobs' })
    await row.waitFor()
    assert.match(await row.innerText(), /RUNNING/)
    await picture('spark-master')
    await row.getByRole('link').first().click()
    await page.getByText('Executor Summary').first().waitFor()
    await picture('spark-application')
  })
})
