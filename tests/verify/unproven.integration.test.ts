import { describe, expect, it } from '@jest/globals'
import type { VerifiedInterval } from '../../jobs/summary.ts'
import { firstUnproven } from '../../jobs/verify/verify.ts'
import { eachWithLake } from '../export/each-with-lake.ts'
import { runExport } from '../export/lake.ts'
import { results, threeDays } from './verify-lake.ts'

const { server, lake } = eachWithLake(threeDays)
const [first, second, third] = ['2024-09-01', '2024-09-02', '2024-09-03'] as const

describe('a day that was never exported', () => {
  it('is not proven, and it is said that the lake has none of its rows, with the export', async () => {
    const scope = { mode: 'day', from: second, to: second } as const
    await runExport(server, lake, { partitionBy: ['day(at)'], scope })
    const { code, found, table } = await results(server, lake)
    expect([code, found]).toEqual([
      'ok',
      { [first]: 'unverified', [second]: 'match', [third]: 'unverified', null: 'unverified' },
    ])
    for (const interval of table.verified!.intervals.filter(({ result }) => result === 'unverified'))
      expect(interval).toMatchObject({
        rows: 0,
        reason: 'the lake has none of its rows, and nothing tells that it was exported',
      })
    expect(table.error).toBeUndefined()
    expect(table.fix).toMatch(/^export it again: lakejobs export --table .* --force$/)
  })

  it('is what to export only where no rows are unproven', () => {
    const day = (interval: string, result: VerifiedInterval['result'], rows: number): VerifiedInterval => ({
      interval,
      result,
      rows,
    })
    const never = day(first, 'unverified', 0)
    const touched = day(third, 'unverified', 3)
    expect(firstUnproven([never, touched, day(second, 'match', 3)])).toBe(touched)
    expect(firstUnproven([day(second, 'changed', 3), never])).toBe(never)
    expect(firstUnproven([day(second, 'match', 3)])).toBeUndefined()
  })
})
