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
