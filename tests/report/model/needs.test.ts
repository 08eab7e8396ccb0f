import { expect, test } from '@jest/globals'
import { eventsIn } from '../../../jobs/report/gather/events.ts'
import { needsOf } from '../../../jobs/report/model/needs.ts'
import type { LakeTable } from '../../../jobs/report/gather/tables.ts'
import { parseRun, type Run } from '../../../jobs/summary.ts'

const log = 'http://localhost:8080/dags/web_logs_lake/runs/r/tasks/export_to_lake'
const airflow = { dag: 'web_logs_lake', task: 'export_to_lake', run: 'r', log }
const run = (more: object): Run => {
  const parsed = parseRun({
    ...{ job: 'export', runId: 'one', status: 'failed', exit: 1, seconds: 1 },
    ...{ startedAt: '2024-09-17T03:00:00.000Z', version: '0.1.0' },
    ...more,
  })
  if (parsed === undefined) throw new Error('not what a run leaves')
  return parsed
}
const needs = (runs: readonly Run[], table = 'default.web_logs'): unknown => {
  const freshness = { isByDay: false, missing: [], isLate: false } as unknown as LakeTable['freshness']
  const lakeTable = { name: table, freshness, events: eventsIn(runs, table), looked: { verdicts: [] } }
  return needsOf({ tables: [lakeTable as unknown as LakeTable], runs, crud: undefined })
}

test('what failed in Airflow says where its log is, what failed elsewhere does not', () => {
  const tables = [{ table: 'default.web_logs', status: 'failed', error: 'no space left', fix: 'free space' }]
  const need = { table: 'default.web_logs', what: 'its export failed: no space left', fix: 'free space' }
  const since = '2024-09-17T03:00:00.000Z'
  expect(needs([run({ airflow, tables })])).toEqual([{ ...need, since, log }])
  expect(needs([run({ tables })])).toEqual([{ ...need, since }])
})

test('so does a run that failed before it came to a table', () => {
  const error = { code: 'failed', message: 'no answer', fix: 'start it' }
  expect(needs([run({ airflow, error })])).toEqual([
    { table: 'lakejobs export', what: 'no answer', since: '2024-09-17T03:00:00.000Z', fix: 'start it', log },
  ])
})

test('what a verify left without a fix is to be verified row by row, by a command that a shell reads as it is meant', () => {
  const intervals = [{ interval: 'all', result: 'incomplete', rows: 1 }]
  const found = { match: 0, changed: 0, mismatch: 0, unverified: 0, incomplete: 1, intervals }
  const verified = { against: 'written', columns: 1, ...found }
  const tables = [{ table: "shop.it's new", status: 'failed', verified }]
  expect(needs([run({ job: 'verify', exit: 3, tables })], "shop.it's new")).toMatchObject([
    { command: String.raw`lakejobs verify --table 'shop.it'\''s new' --deep` },
  ])
})
