import { expect, it } from '@jest/globals'
import { readdir, readFile } from 'node:fs/promises'
import * as v from 'valibot'
import { reportSchema, type Report } from '../../jobs/report/schema.ts'
import { summaryOf } from '../support/cli.ts'
import { eachWithLake } from './lake-with-database.ts'

const { place, lakejobs, ok } = eachWithLake()
const numbers = (text: string): Report => v.parse(v.strictObject(reportSchema.entries), JSON.parse(text))
const day = (ago: number): string => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10)

it('writes a page a day and its numbers beside it, and tells which days of which tables are missing', async () => {
  await place.query(
    `CREATE TABLE t AS SELECT i AS id, timestamptz '${day(2)} 08:00+00' - i * interval '1 day' AS at FROM generate_series(0, 3) i`,
  )
  await ok('export', '--table', 'public.t', '--from', day(5), '--to', day(4))
  await ok('export', '--table', 'public.t', '--date', day(2))
  const ran = await ok('report', '--output', 'pages/')
  const folder = `file://${place.cwd}/pages`
  expect(summaryOf(ran)).toMatchObject({
    to: day(1),
    outputs: [`${folder}/${day(1)}.html`, `${folder}/${day(1)}.json`],
  })
  expect((await readdir(`${place.cwd}/pages`)).sort()).toEqual([`${day(1)}.html`, `${day(1)}.json`])
  const report = numbers(await readFile(`${place.cwd}/pages/${day(1)}.json`, 'utf8'))
  expect(report).toMatchObject({
    date: day(1),
    verdict: { word: 'late', text: '0 of 1 tables fresh. 1 late.' },
    needs: [{ table: 'default.t', what: `2 days are missing: ${day(3)}, ${day(1)}`, since: day(3) }],
    tables: [{ name: 'default.t', state: 'late', kind: 'days', freshTo: day(2), rows: 3, lastRows: 1 }],
    lake: { tables: 1, rows: 3 },
  })
  expect(report.tables[0]!.days.slice(-6).map(({ state }) => state)).toEqual([
    ...['none', 'exported', 'exported', 'missing', 'exported', 'missing'],
  ])
  const page = await readFile(`${place.cwd}/pages/${day(1)}.html`, 'utf8')
  expect(page).toContain('0 of 1 tables fresh. 1 late.')
  expect(page).not.toMatch(/<script|style=|https?:\/\/(?!www\.w3\.org)/)

  // What it says mends it does.
  const [, command = ''] = /^lakejobs (.*)$/.exec(report.needs[0]!.command ?? '') ?? []
  await ok(...command.split(' '))
  const mended = numbers((await ok('report', '--json')).stdout)
  expect(mended).toMatchObject({ verdict: { word: 'fresh', text: 'The table is fresh.' }, needs: [] })
})

it('an empty lake and no logs are a page, too; one file is written where it is named', async () => {
  await ok('init')
  const ran = await ok('report', '2024-09-16', '--output', 'lake.html')
  expect(summaryOf(ran)).toMatchObject({ outputs: [`file://${place.cwd}/lake.html`], files: 1 })
  expect(await readFile(`${place.cwd}/lake.html`, 'utf8')).toContain('No table yet.')
  await ok('report', '2024-09-16')
  expect((await readdir(`${place.cwd}/lake/reports`)).sort()).toEqual(['2024-09-16.html', '2024-09-16.json'])
})

it('an output that is neither a folder nor a page, and a price that is none, are refused', async () => {
  expect(await lakejobs('report', '--output', 'pages')).toMatchObject({
    exit: 2,
    stderr: expect.stringContaining('give pages/ for a folder'),
  })
  expect(await lakejobs('report', '--price-per-gb-month', 'cheap')).toMatchObject({
    exit: 2,
    stderr: expect.stringContaining('give a number such as 0.023'),
  })
})
