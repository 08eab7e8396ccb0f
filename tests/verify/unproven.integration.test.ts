import { describe, expect, it } from '@jest/globals'
import type { VerifiedInterval } from '../../jobs/summary.ts'
import { firstUnproven } from '../../jobs/verify/verify.ts'
import { eachWithLake } from '../export/each-with-lake.ts'
import { currentSnapshot, dataFilesOf, load, runExport } from '../export/lake.ts'
import { commit, results, threeDays } from './verify-lake.ts'

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

describe('rows that others have deleted', () => {
  const withoutFiles = async (isGone: (path: string) => boolean): Promise<void> => {
    const table = await load(lake)
    const paths = (await dataFilesOf(table)).map(({ filePath }) => filePath).filter(isGone)
    await commit(lake, table, {
      startingSnapshotId: currentSnapshot(table)['snapshot-id'],
      branch: 'main',
      operation: 'delete',
      addFiles: [],
      removeFiles: { kind: 'paths', paths: new Set(paths) },
      summary: {},
      tableUpdates: [],
      tableRequirements: [],
    })
  }
  const reason = expect.stringMatching(/^written by others: snapshot \d+ \(delete\)$/) as unknown

  it('are not proven, though no row of theirs is left to tell of them', async () => {
    await runExport(server, lake, { partitionBy: ['day(at)'] })
    await withoutFiles((path) => path.includes(second))
    const others = { [first]: 'match', [third]: 'match', null: 'match' }
    const written = await results(server, lake, { against: 'written' })
    expect([written.code, written.found]).toEqual(['ok', { ...others, [second]: 'unverified' }])
    expect(written.table.verified?.intervals[0]).toMatchObject({ rows: 0, reason })
    expect(written.table.fix).toMatch(/ --date 2024-09-02 --force$/)
    expect((await results(server, lake, { against: 'written', strict: true })).code).toBe('data')
    expect((await results(server, lake, { counts: true })).found).toEqual(written.found)
    expect((await results(server, lake)).table.verified?.intervals[0]).toMatchObject({
      result: 'unverified',
      sourceRows: 100,
      reason,
    })
    const days = { from: first, to: first }
    expect((await results(server, lake, { against: 'written', days })).found).toEqual({ [first]: 'match' })
  })

  it('are all of a table that has one fingerprint', async () => {
    await runExport(server, lake)
    await withoutFiles(() => true)
    const { code, found } = await results(server, lake, { against: 'written', strict: true })
    expect([code, found]).toEqual(['data', { all: 'unverified' }])
  })
})
