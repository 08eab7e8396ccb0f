import { expect, it } from '@jest/globals'
import { summaryTable } from '../jobs/summary-table.ts'

it('aligns what init made', () => {
  const table = summaryTable({
    items: [
      { item: 'table public.web_logs', state: 'left out', note: 'DEMO_DATA is not true' },
      { item: 'bucket b', state: 'made' },
    ],
  })
  expect(table).toBe('left out  table public.web_logs  DEMO_DATA is not true\nmade      bucket b\n')
  expect(summaryTable({})).toBe('')
})

it('sets the settings before what check found', () => {
  const table = summaryTable({
    checks: [{ check: 'source', status: 'failed', milliseconds: 12, detail: 'away', fix: 'start it' }],
    settings: { POSTGRES_PORT: { value: '5434', from: 'default' } },
  })
  expect(table).toBe('POSTGRES_PORT  default  5434\n\nfailed  source  12 ms  away: start it\n')
})

it('shows what became of each table', () => {
  const table = summaryTable({
    rows: 12_345,
    tables: [
      { table: 'default.a', status: 'ok', mode: 'day', rows: 12_345, snapshotId: '7404802158434128421' },
      { table: 'default.b', status: 'failed', error: 'no such table' },
    ],
  })
  expect(table).toBe(
    'table     default.a: ok\nmode      day\nrows      12,345\nsnapshot  7404802158434128421\n\n' +
      'table  default.b: failed\nerror  no such table\n',
  )
})

it('shows the plan of a dry run', () => {
  const columns = [
    { name: 'at', source: 'timestamptz', id: 1, type: 'timestamptz', required: false },
    { name: 'user', source: 'integer', id: 2, type: 'int', required: true },
  ]
  const plan = { columns, estimatedRows: 10_000, partitionedBy: ['at_day'], changes: [], replacedRows: 0 }
  expect(summaryTable({ tables: [{ table: 'default.a', status: 'ok', plan }] })).toBe(
    'table            default.a: ok\nrows, estimated  10,000\npartitioned by   at_day\nrows replaced    0\n\n' +
      '  at    timestamptz  timestamptz\n  user  integer      int, required\n',
  )
})

it('shows what a job without tables counted', () => {
  const counts = { from: '2024-09-10', to: '2024-09-16', rows: 10, rejects: 0, missingDays: ['2024-09-12'] }
  expect(summaryTable(counts)).toBe('days     2024-09-10 to 2024-09-16\nrows     10\nmissing  2024-09-12\n')
})
