import { expect, it } from '@jest/globals'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Report } from '../../jobs/report/schema.ts'
import { eachWithLake } from './lake-with-database.ts'

const { place, lakejobs, ok } = eachWithLake()
const report = async (): Promise<Report> =>
  JSON.parse((await ok('report', '2024-09-14', '--json')).stdout) as Report
const runs = async (...words: readonly string[]): Promise<string> => (await ok('runs', ...words)).stdout

it('rows that a verify found wrong are told first, with the command that mends them, until a verify proves them', async () => {
  await place.query(
    `CREATE TABLE t AS SELECT i AS id, timestamptz '2024-09-12 08:00+00' + i * interval '1 day' AS at FROM generate_series(0, 2) i`,
  )
  await ok('export', '--table', 'public.t', '--from', '2024-09-12', '--to', '2024-09-14')
  await ok('verify', '--against', 'written')
  expect(await report()).toMatchObject({ needs: [], tables: [{ state: 'fresh' }] })
  expect(await runs()).not.toContain('WRONG')

  const warehouse = join(place.cwd, 'lake/iceberg')
  const file = (await readdir(warehouse, { recursive: true })).find((name) =>
    /at_day=2024-09-13\/.*\.parquet$/.test(name),
  )
  await rm(join(warehouse, file!))
  expect(await lakejobs('verify', '--against', 'written')).toMatchObject({ exit: 3 })
  // Of another day, as the DAG's of the next morning is.
  await ok('verify', '--against', 'written', '--date', '2024-09-14')
  const wrong = await report()
  expect(wrong).toMatchObject({
    verdict: { word: 'wrong', text: '0 of 1 tables fresh. 1 WRONG.' },
    tables: [{ name: 'default.t', state: 'wrong' }],
  })
  const { command = '', what } = wrong.needs[0]!
  expect(what).toMatch(/^WRONG: 2024-09-13: incomplete: /)
  expect(command).toMatch(/^lakejobs export --table .*--date 2024-09-13 --force$/)
  const told = `${what.slice('WRONG: '.length)}: export it again: ${command}\n`
  const said = await runs()
  expect(said.slice(said.indexOf('WRONG since '))).toMatch(/^WRONG since .* default\.t: 2024-09-13/)
  expect(said.endsWith(told)).toBe(true)
  expect(await runs('export')).not.toContain('WRONG')
  expect(JSON.parse(await runs('--json'))).toMatchObject({
    wrong: [{ table: 'default.t', intervals: ['2024-09-13'] }],
  })
  await ok('report', '2024-09-14', '--output', 'lake.html')
  expect(await readFile(join(place.cwd, 'lake.html'), 'utf8')).toContain(
    '<span class="state wrong">wrong</span>',
  )

  await ok(...command.replaceAll("'", '').split(' ').slice(1))
  // Exported again, and not proven yet.
  expect(await report()).toMatchObject({ verdict: { word: 'wrong' } })
  await ok('verify', '--against', 'written', '--date', '2024-09-13')
  const mended = await report()
  expect(mended).toMatchObject({ verdict: { word: 'fresh' }, tables: [{ state: 'fresh' }] })
  // Old snapshots still need the file.
  expect(mended.needs.map((need) => need.what).join()).not.toContain('WRONG')
  expect(await runs()).not.toContain('WRONG')
})
