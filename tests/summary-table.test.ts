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
  expect(summaryTable({ rows: 5 })).toBe('')
})

it('sets the settings before what check found', () => {
  const table = summaryTable({
    checks: [{ check: 'source', status: 'failed', milliseconds: 12, detail: 'away', fix: 'start it' }],
    settings: { POSTGRES_PORT: { value: '5434', from: 'default' } },
  })
  expect(table).toBe('POSTGRES_PORT  default  5434\n\nfailed  source  12 ms  away: start it\n')
})
