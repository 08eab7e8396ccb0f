/** A page of a headless Chromium at the Airflow of AIRFLOW_URL, and what is done there again and again. */
import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

const { CHROMIUM = '/usr/bin/chromium', CHROMIUM_ARGUMENTS = '', SCREENSHOTS } = process.env
export const { AIRFLOW_URL = 'http://localhost:8080' } = process.env
/** Milliseconds in which a run ends. */
export const patience = 300_000

/** A script adds its own, a line each, before it imports this. */
const args = ['--no-sandbox', ...CHROMIUM_ARGUMENTS.split('\n').filter((argument) => argument !== '')]
const browser = await chromium.launch({ executablePath: CHROMIUM, args })
export const page = await browser.newPage({ viewport: { width: 1280, height: 960 }, timezoneId: 'UTC' })
page.setDefaultTimeout(60_000)
const pageErrors = []
page.on('pageerror', (error) => pageErrors.push(error.message))

/** Closes the browser when `act` is done; a page that threw is a failure. */
export async function atTheEnd(act) {
  try {
    await act()
    assert.deepEqual(pageErrors, [])
  } catch (error) {
    if (SCREENSHOTS !== undefined) await page.screenshot({ path: join(SCREENSHOTS, 'failed.png') })
    throw error
  } finally {
    await browser.close()
  }
}

export async function picture(name) {
  if (SCREENSHOTS === undefined) return
  await mkdir(SCREENSHOTS, { recursive: true })
  // Dialogs fade in, the graph finds its place.
  await page.waitForTimeout(800)
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) })
}

export async function step(name, act) {
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

export async function signIn() {
  await page.goto(`${AIRFLOW_URL}/auth/login`)
  await page.fill('input[name=username]', 'admin')
  await page.fill('input[name=password]', 'admin')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByTestId('nav-dags-link').waitFor()
}

/** On the DAG's page. The id of the run. */
export async function trigger({ id, fill = {}, choose = {} }) {
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

export async function waitForGreen({ id }, run) {
  await page.goto(`${AIRFLOW_URL}/dags/${id}/runs/${encodeURIComponent(run)}`)
  const card = page.getByTestId('header-card')
  const badge = card.getByText(/^(Success|Failed)$/).first()
  await badge.waitFor({ timeout: patience })
  assert.equal(await badge.innerText(), 'Success')
  await picture(`airflow-${id}-run`)
}
