import { expect, test } from '@jest/globals'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { pageOf } from '../../jobs/report/html/page.ts'
import { hostileReport } from './html/hostile-report.ts'

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const { CHROMIUM = '/usr/bin/chromium', SCREENSHOTS } = process.env

interface Violation {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly html: string }[]
}

test.each([
  ['light', 1180],
  ['dark', 1180],
  ['light', 360],
  ['dark', 360],
] as const)(
  'the page in %s, %d pixels wide: readable, quiet, and nothing leaves it',
  async (colorScheme, width) => {
    const folder = await mkdtemp(join(tmpdir(), 'lakejobs-page-'))
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
    try {
      const file = join(folder, 'report.html')
      await writeFile(file, pageOf(hostileReport()))
      const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme })
      const noise: string[] = []
      page.on('console', (message) => noise.push(message.text()))
      page.on('pageerror', (error) => noise.push(error.message))
      page.on('dialog', (dialog) => noise.push(`dialog: ${dialog.message()}`))
      page.on('request', (request) => noise.push(request.url()))
      await page.goto(`file://${file}`)
      for (const summary of await page.locator('summary').all())
        if (await summary.isVisible()) await summary.click()
      // A caret that is hidden would be a style of the browser's driver, which the policy refuses.
      if (SCREENSHOTS !== undefined)
        await page.screenshot({
          path: join(SCREENSHOTS, `report-${colorScheme}-${width}.png`),
          fullPage: true,
          caret: 'initial',
        })
      const [scrolled, background] = await page.evaluate<[number, string]>(
        '[document.documentElement.scrollWidth, getComputedStyle(document.body).backgroundColor]',
      )
      expect(scrolled).toBeLessThanOrEqual(width)
      // The style sheet is let through, and follows the reader.
      expect(background).toBe(colorScheme === 'dark' ? 'rgb(16, 20, 24)' : 'rgb(246, 247, 248)')
      const session = await page.context().newCDPSession(page)
      await session.send('Runtime.evaluate', { expression: axe })
      const { result } = await session.send('Runtime.evaluate', {
        expression: 'axe.run().then(({ violations }) => JSON.stringify(violations))',
        awaitPromise: true,
        returnByValue: true,
      })
      const violations = JSON.parse(String(result.value)) as Violation[]
      expect(violations.map(({ id, impact, nodes }) => [id, impact, nodes[0]?.html])).toEqual([])
      expect(noise).toEqual([`file://${file}`])
    } finally {
      await browser.close()
      await rm(folder, { recursive: true, force: true })
    }
  },
)
