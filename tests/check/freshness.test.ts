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

it('rows that another program deleted since make no export of it', async () => {
  const empty = await emptyTable(lake)
  const summary = {
    'lakejobs.run-id': 'r',
    'lakejobs.source': 'public.web_logs',
    'lakejobs.source-snapshot-time': '2024-05-20T00:00:00.000000Z',
    'lakejobs.scope': 'full',
  }
  const exported = await lake.commit(empty, { addFiles: [dataFile(empty, { count: 3 })], summary })
  const at = exported.metadata.snapshots[0]!['timestamp-ms']
  lake.clock.ms = at + 47 * hour
  const table = await lake.commit(exported, { addFiles: [dataFile(exported, { count: 1 })] })
  expect(table.metadata.snapshots.at(-1)!['timestamp-ms']).toBeGreaterThanOrEqual(at + 47 * hour)
  const now = at + 48 * hour
  expect(await freshnessOf(table, [], 26 * hour, now)).toMatchObject({ exportedMs: at, isLate: true })
})
