/**
 * A headless Chromium looks at the page Lake of the Airflow at AIRFLOW_URL (admin/admin), whose reports end with DAY: light, dark,
 * at 360 px, by axe-core; chooses the day HOSTILE, whose report would do all that a page can do; opens a run of DAY, and from its
 * task the report again. Nothing may be asked of another server, and nothing may be wrong in the console.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'

const { DAY = '', HOSTILE = '' } = process.env
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const wide = { width: 1280, height: 960 }

/** What the hostile report would reach: whatever gets here has left the page. */
const heard = []
const evil = createServer((request, response) => {
  heard.push(request.url)
  response.end()
}).listen(0, '127.0.0.1')
await once(evil, 'listening')
process.env.CHROMIUM_ARGUMENTS = `--host-resolver-rules=MAP evil.example 127.0.0.1:${evil.address().port}`
const { AIRFLOW_URL, atTheEnd, page, picture, signIn, step } = await import('./page.js')
await page.setViewportSize(wide)
await page.emulateMedia({ colorScheme: 'light' })
const faults = []
page.on('request', (request) => {
  const url = request.url()
  // Also those that a policy forbids, which are never sent.
  if (url.startsWith('http://evil.example/')) return
  if (!url.startsWith(`${AIRFLOW_URL}/`) && !/^(data|blob|about):/.test(url)) faults.push(`request of ${url}`)
})
// Of Airflow's own pages, and of what a policy has kept from a hostile report, the console has more to say.
let isWatched = false
page.on('console', (message) => {
  if (isWatched && message.type() === 'error') faults.push(`console: ${message.text()}`)
})

const lake = () => page.frameLocator('iframe[title=Lake]')
const report = () => lake().frameLocator('iframe')

/** The document of the page, for what locators do not tell. */
const lakeFrame = () => page.frames().find((frame) => frame.parentFrame() === page.mainFrame())
const reportFrame = () => page.frames().find((frame) => frame.url().includes('/lake/report/'))

async function open() {
  await page.getByRole('link', { name: 'Lake', exact: true }).click()
  await lake().getByRole('heading', { name: DAY }).waitFor()
  await lake()
    .getByRole('button', { name: new RegExp(`^${DAY}`), pressed: true })
    .waitFor()
  assert.match(
    await lake().locator('#verdict').innerText(),
    new RegExp(`up to ${DAY}, written ${DAY} 07:05 UTC`),
  )
}

/** At once: a letter, a shape and words, not a colour alone. */
async function seeMissingDays() {
  const missing = lake().locator('.cell.missing')
  assert.deepEqual([await missing.count(), await missing.locator('b').innerText()], [1, 'M'])
  assert.match(await missing.getAttribute('title'), /, missing: default\.web_logs, report$/)
  const gone = lake().locator('.cell.gone')
  assert.equal(await gone.locator('b').innerText(), 'V–')
  assert.match(await gone.getAttribute('title'), /no report$/)
  await gone.click()
  await lake().getByText('There is no report of').waitFor()
  await lake().getByText('No run has handled this day.').waitFor()
}

async function seeNothingSerious() {
  const frame = lakeFrame()
  await frame.evaluate(axe)
  // The report inside runs no script, not even this one.
  const { violations } = await frame.evaluate(() =>
    globalThis.axe.run({ exclude: ['iframe'] }, { iframes: false }),
  )
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical')
  assert.deepEqual(
    serious.map(({ id, nodes }) => [id, nodes[0].html]),
    [],
  )
}

async function setTheme(theme) {
  await page.evaluate((value) => {
    localStorage.setItem('theme', value)
    document.documentElement.className = value
  }, theme)
  await page.waitForTimeout(300)
  const [own, inside] = await Promise.all([
    brightness(lake().locator('h1')),
    brightness(report().locator('h1')),
  ])
  assert.deepEqual([own, inside], theme === 'dark' ? ['dark', 'dark'] : ['light', 'light'])
}

/** Of what is behind an element, by its picture's last pixel. */
async function brightness(locator) {
  const { x, y, width, height } = await locator.boundingBox()
  const clip = {
    x: Math.min(x + width - 2, page.viewportSize().width - 20),
    y: y + height - 2,
    width: 1,
    height: 1,
  }
  const png = await page.screenshot({ clip })
  const [red] = await page.evaluate(async (data) => {
    const image = new Image()
    image.src = `data:image/png;base64,${data}`
    await image.decode()
    const context = document.createElement('canvas').getContext('2d')
    context.drawImage(image, 0, 0)
    return [...context.getImageData(0, 0, 1, 1).data]
  }, png.toString('base64'))
  return red < 128 ? 'dark' : 'light'
}

async function seeItNarrow() {
  await page.setViewportSize({ width: 360, height: 740 })
  await page.waitForTimeout(500)
  const [inner, outer] = await lakeFrame().evaluate(() => [document.documentElement.scrollWidth, innerWidth])
  assert.ok(inner <= outer, `${inner} px in ${outer}`)
  await picture('lake-page-360')
  await page.setViewportSize(wide)
}

async function bearHostility() {
  isWatched = false
  await lake()
    .getByRole('button', { name: new RegExp(`^${HOSTILE}`) })
    .click()
  await report()
    .getByRole('heading', { name: `Report of ${HOSTILE}` })
    .waitFor()
  await page.waitForTimeout(2000)
  await picture('lake-page-hostile')
  assert.match(reportFrame().url(), new RegExp(`/lake/report/${HOSTILE}.theme=light$`))
  assert.notEqual(await page.title(), 'RAN')
  assert.notEqual(await report().locator('title').innerText(), 'RAN')
}

async function openRun() {
  await lake()
    .getByRole('button', { name: new RegExp(`^${DAY}`) })
    .click()
  await lake()
    .getByRole('link', { name: /^web_logs_lake: scheduled run, success/ })
    .click()
  await page.waitForURL(/\/dags\/web_logs_lake\/runs\/scheduled__/)
  await page.getByText(`day ${DAY}`).first().waitFor()
  await picture('lake-page-run')
}

async function openReportOfTask() {
  await page.getByRole('table').getByRole('link', { name: 'export_to_lake', exact: true }).click()
  await page.getByRole('link', { name: 'Details' }).click()
  await page.getByRole('link', { name: 'Report of the day' }).click()
  await page.waitForURL(new RegExp(`/plugin/lake/lake/.day=${DAY}`))
  await report()
    .getByRole('heading', { name: `Report of ${DAY}` })
    .waitFor()
}

await atTheEnd(async () => {
  await step('sign in', signIn)
  isWatched = true
  await step('open the page Lake', open)
  await step('light', () => setTheme('light'))
  await picture('lake-page')
  await step('axe-core', seeNothingSerious)
  await step('dark', () => setTheme('dark'))
  await picture('lake-page-dark')
  await step('axe-core, dark', seeNothingSerious)
  await step('light again', () => setTheme('light'))
  await step('360 px', seeItNarrow)
  await step('a day that is missing', seeMissingDays)
  await step('a hostile report', bearHostility)
  await step('open a run of the day', openRun)
  await step("open the report of a task's day", openReportOfTask)
  assert.deepEqual([faults, heard], [[], []])
}).finally(() => evil.close())
