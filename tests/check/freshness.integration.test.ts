import { expect, it } from '@jest/globals'
import { readdir } from 'node:fs/promises'
import { readRuns } from '../../jobs/runs/read-runs.ts'
import { parseRun } from '../../jobs/summary.ts'
import { localFileIO } from '../../jobs/storage/local/local.ts'
import { run, summaryOf, type Ran } from '../support/cli.ts'
import { eachWithDatabase } from '../commands/each-with-database.ts'

const { place } = eachWithDatabase()
const lakejobs = (...words: readonly string[]): Promise<Ran> =>
  run(words, {
    cwd: place.cwd,
    env: { ...place.env, WAREHOUSE: `${place.cwd}/iceberg`, LAKEJOBS_FORMAT: 'iceberg' },
  })
const exported = async (...words: readonly string[]): Promise<void> => {
  expect(await lakejobs('export', '--skip-unchanged', ...words)).toMatchObject({ exit: 0 })
}
const day = (ago: number): string => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10)
const fresh = async (
  ...words: readonly string[]
): Promise<{ exit: number; missing: readonly string[]; checks: Record<string, string>; fix: string }> => {
  const ran = await lakejobs('check', '--fresh', ...words)
  const { missingDays = [], checks = [], error } = summaryOf(ran)
  return {
    exit: ran.exit ?? -1,
    missing: missingDays,
    checks: Object.fromEntries(checks.map(({ check, detail }) => [check, detail])),
    fix: error?.fix ?? '',
  }
}
/** Days before today, of 20 rows each. */
const rowsOf = (...days: readonly number[]): string =>
  days
    .map((ago) => `SELECT i AS id, timestamptz '${day(ago)} 08:00+00' AS at FROM generate_series(1, 20) i`)
    .join(' UNION ALL ')

it('tells the days that are missing, with the command that brings them, and exits 3', async () => {
  await place.query(`CREATE TABLE t AS ${rowsOf(6, 5, 4, 2)}`)
  await exported('--table', 'public.t', '--from', day(6), '--to', day(5))
  await exported('--table', 'public.t', '--date', day(2))
  const late = await fresh('0')
  expect(late).toMatchObject({ exit: 3, missing: [day(4), day(3), day(1)] })
  expect(late.checks['fresh default.t']).toContain(
    `3 days are missing: ${day(4)} to ${day(3)}, ${day(1)}; fresh to ${day(2)}, last export 0.0 h ago`,
  )
  // Yesterday ended less than a day ago.
  expect(await fresh('24h', '--table', 't')).toMatchObject({ exit: 3, missing: [day(4), day(3)] })
  expect(await fresh('30d')).toMatchObject({ exit: 0, missing: [] })

  const [, command = ''] = /run lakejobs (.*)$/.exec(late.fix) ?? []
  expect(await lakejobs(...command.split(' '))).toMatchObject({ exit: 0 })
  const { exit, checks } = await fresh('0')
  expect([exit, checks['fresh default.t']]).toEqual([0, expect.stringContaining(`fresh to ${day(1)}`)])
})

it('a day without rows, and one that was found unchanged, are as fresh as others: the run says so', async () => {
  await place.query(`CREATE TABLE t AS ${rowsOf(3, 2)}`)
  await exported('--table', 'public.t', '--from', day(3), '--to', day(2))
  expect(await fresh('0')).toMatchObject({ exit: 3, missing: [day(1)] })
  await exported('--table', 'public.t', '--date', day(1), '--dry-run')
  expect(await fresh('0')).toMatchObject({ exit: 3, missing: [day(1)] })
  await exported('--table', 'public.t', '--date', day(1), '--lookback', '2')
  expect(await readdir(`${place.cwd}/runs/export/${day(0)}`)).toHaveLength(2)
  expect(await fresh('0')).toMatchObject({ exit: 0 })
})

it('a table that is exported as a whole is as old as its last export, also one that found nothing to commit', async () => {
  await place.query('CREATE TABLE t AS SELECT 1 AS id')
  await exported('--table', 'public.t')
  expect(await fresh('26h')).toMatchObject({ exit: 0 })
  expect((await fresh('0')).checks['fresh default.t']).toMatch(
    /^default\.t is not fresh: last export 0\.0 h ago$/,
  )
  await exported('--table', 'public.t')
  const query = { job: 'export', since: day(1) }
  const { runs } = await readRuns(localFileIO(), `file://${place.cwd}/runs`, query, parseRun)
  expect(runs.at(-1)).toMatchObject({
    job: 'export',
    exit: 0,
    tables: [{ table: 'default.t', status: 'unchanged' }],
  })
})

it('a lake that is empty, and a table that is not there, are exit 3', async () => {
  await lakejobs('init')
  expect(await fresh('26h')).toMatchObject({ exit: 3 })
  await place.query('CREATE TABLE t AS SELECT 1 AS id')
  await exported('--table', 'public.t')
  expect(await fresh('26h', '--table', 'u')).toMatchObject({ exit: 3 })
})
