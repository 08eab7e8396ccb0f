import { expect, it } from '@jest/globals'
import { freshnessOf } from '../../jobs/check/freshness.ts'
import type { Summary } from '../../jobs/summary.ts'
import { dataFile, eachWithTables, emptyTable } from '../iceberg/tables.ts'

const lake = eachWithTables()
const hour = 3_600_000

it('a whole table is as old as its last commit, or as the last run that had nothing to commit', async () => {
  const empty = await emptyTable(lake)
  const never = await freshnessOf(empty, [], 26 * hour, lake.clock.ms)
  expect(never).toMatchObject({ isLate: true, exportedMs: undefined })
  const table = await lake.commit(empty, { addFiles: [dataFile(empty, { count: 3 })] })
  const at = table.metadata.snapshots[0]!['timestamp-ms']
  const run = (hours: number, status: 'unchanged' | 'failed', name = 'default.web_logs'): Summary => ({
    job: 'export',
    status: 'ok',
    exit: 0,
    runId: 'r',
    startedAt: new Date(at + hours * hour).toISOString(),
    seconds: 1,
    tables: [{ table: name, status, mode: 'full', metadataLocation: table.metadataLocation }],
  })
  const isLate = async (hours: number, ...runs: readonly Summary[]): Promise<boolean> =>
    (await freshnessOf(table, runs, 26 * hour, at + hours * hour)).isLate
  expect(await isLate(25)).toBe(false)
  expect(await isLate(27)).toBe(true)
  expect(await isLate(27, run(20, 'unchanged'))).toBe(false)
  expect(await isLate(47, run(20, 'unchanged'))).toBe(true)
  expect(await isLate(27, run(20, 'failed'))).toBe(true)
  expect(await isLate(27, run(20, 'unchanged', 'default.other'))).toBe(true)
})
