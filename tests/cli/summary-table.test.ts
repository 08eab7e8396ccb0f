import { expect, it } from '@jest/globals'
import { summaryTable } from '../../jobs/cli/summary-table.ts'

it('aligns what init made', () => {
  const table = summaryTable(
    {
      items: [
        { item: 'table public.web_logs', state: 'left out', note: 'DEMO_DATA is not true' },
        { item: 'bucket b', state: 'made' },
      ],
    },
    1,
  )
  expect(table).toBe('left out  table public.web_logs  DEMO_DATA is not true\nmade      bucket b\n')
  expect(summaryTable({}, 1)).toBe('')
})

it('sets the settings before what check found', () => {
  const table = summaryTable(
    {
      checks: [{ check: 'source', status: 'failed', milliseconds: 12, detail: 'away', fix: 'start it' }],
      settings: { POSTGRES_PORT: { value: '5434', from: 'default' } },
    },
    1,
  )
  expect(table).toBe('POSTGRES_PORT  default  5434\n\nfailed  source  12 ms  away: start it\n')
})

it('shows what became of each table', () => {
  const table = summaryTable(
    {
      rows: 12_345,
      tables: [
        { table: 'default.a', status: 'ok', mode: 'day', rows: 12_345, snapshotId: '7404802158434128421' },
        { table: 'default.b', status: 'failed', error: 'no such table' },
      ],
    },
    2.5,
  )
  expect(table).toBe(
    'table     default.a: ok\nmode      day\nrows      12,345\nsnapshot  7404802158434128421\n\n' +
      'table  default.b: failed\nerror  no such table\n\n' +
      'seconds  2.5\nrows/s   4,938\n',
  )
})

it('shows the plan of a dry run', () => {
  const columns = [
    { name: 'at', source: 'timestamptz', id: 1, type: 'timestamptz', required: false },
    { name: 'user', source: 'integer', id: 2, type: 'int', required: true },
  ]
  const plan = { columns, estimatedRows: 10_000, partitionedBy: ['at_day'], changes: [], replacedRows: 0 }
  expect(summaryTable({ tables: [{ table: 'default.a', status: 'ok', plan }] }, 1)).toBe(
    'table            default.a: ok\nrows, estimated  10,000\npartitioned by   at_day\nrows replaced    0\n\n' +
      '  at    timestamptz  timestamptz\n  user  integer      int, required\n',
  )
})

it('shows what a job without tables counted', () => {
  const counts = { from: '2024-09-10', to: '2024-09-16', rows: 10, rejects: 0, missingDays: ['2024-09-12'] }
  expect(summaryTable(counts, 0.5)).toBe(
    'days     2024-09-10 to 2024-09-16\nrows     10\nmissing  2024-09-12\nseconds  0.5\nrows/s   20\n',
  )
})

it('names 20 of a long list', () => {
  const outputs = Array.from({ length: 3_660 }, (_, index) => `${index}.csv`)
  expect(summaryTable({ outputs }, 1)).toMatch(/^results {2}0\.csv, .*, 19\.csv and 3640 more\n$/)
})

it('shows results that are files beside the table that they are in, too', () => {
  const outcome = { rows: 10, files: 1, outputs: ['/out/2024-09-16.csv'] }
  expect(
    summaryTable({ ...outcome, tables: [{ table: 'default.crud_weekly', status: 'ok', rows: 3 }] }, 2),
  ).toBe(
    'table  default.crud_weekly: ok\nrows   3\n\n' +
      'rows     10\nfiles    1\nresults  /out/2024-09-16.csv\nseconds  2\nrows/s   5\n',
  )
})

it('lists the tables of maintain list, a line each', () => {
  expect(summaryTable({ managed: { 'default.web_logs': true, 'shop.orders': true } }, 1)).toBe(
    'default.web_logs\nshop.orders\n',
  )
})
