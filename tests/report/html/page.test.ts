import { expect, test } from '@jest/globals'
import { createHash } from 'node:crypto'
import { contentPolicy, pageOf } from '../../../jobs/report/html/page.ts'
import { hostileReport } from './hostile-report.ts'

const page = pageOf(hostileReport())
/** Every tag as it stands, with what is in it. */
const tags = [...page.replace(/<style>[^]*?<\/style>/, '').matchAll(/<[a-z][^>]*>/g)].map(([tag]) => tag)
const attributes = (tag: string): string[] =>
  [...tag.matchAll(/\s([\w:-]+)(?:="([^"]*)")?/g)].map(([, name]) => name!)

test('the policy allows exactly the one style sheet that is there', () => {
  const [, sheet = ''] = /<style>([^]*?)<\/style>/.exec(page) ?? []
  const hash = createHash('sha256').update(sheet).digest('base64')
  expect(contentPolicy).toBe(`default-src 'none'; img-src data:; style-src 'sha256-${hash}'`)
  expect(page).toContain(`<meta http-equiv="Content-Security-Policy" content="${contentPolicy}"`)
  expect(sheet.length).toBeGreaterThan(3000)
  expect(sheet).not.toMatch(/@import|url\(/)
})

test('whatever texts say, there are no tags and attributes but ours', () => {
  const names = new Set(tags.map((tag) => /^<([\w]+)/.exec(tag)![1]!))
  const known =
    'html head meta title style body header h1 h2 p span main section table thead tr th tbody td code div b ul li dl dt dd small details summary figure figcaption svg desc defs pattern line text rect g path circle i a footer'
  expect([...names].filter((name) => !known.split(' ').includes(name))).toEqual([])
  const used = new Set(tags.flatMap(attributes))
  expect([...used].filter((name) => /^on|^style$|^src|^action|^srcdoc/.test(name))).toEqual([])
  expect(page).not.toMatch(/<script|<img|<iframe|<object/i)
})

test('no text of data is a link but a log’s, over http', () => {
  const links = tags.filter((tag) => /href|src=/.test(tag))
  expect(links).toEqual([])
  const withLog = hostileReport()
  const [need] = withLog.needs
  const shown = pageOf({ ...withLog, needs: [{ ...need!, log: 'https://airflow.example/log?a=1&b="2"' }] })
  expect(shown).toContain('<a href="https://airflow.example/log?a=1&amp;b=&quot;2&quot;">log</a>')
})

test('marks that would turn text round are to be seen, and long texts are cut', () => {
  expect(page).not.toMatch(/[\u202A-\u202E\u2066-\u2069\u0000\u0007\uD800]/u)
  expect(page).toContain('‹U+202E›')
  expect(page).toContain('(10,241 characters)')
  expect(page).not.toContain('a'.repeat(300))
})

test('the same numbers give the same bytes', () => {
  expect(pageOf(structuredClone(hostileReport()))).toBe(page)
})

test('five hundred tables are no more than 400 kB', () => {
  const large = pageOf(hostileReport(500))
  expect(large).toContain('and 400 more')
  expect(Buffer.byteLength(large)).toBeLessThan(400 * 1024)
})

test('what nothing is known of is left out', () => {
  const { date, writtenAt, verdict, schemaChanges, rejects } = hostileReport()
  const rest = { date, writtenAt, verdict, schemaChanges, rejects }
  const small = pageOf({
    ...rest,
    tables: [],
    needs: [],
    unread: [{ part: 'requests', why: 'a file is gone' }],
  })
  expect(small).toContain('<p>Nothing.</p>')
  expect(small).toContain('a file is gone')
  expect(small).not.toMatch(/NaN|undefined|<svg/)
  expect(page).not.toMatch(/NaN|undefined/)
})
