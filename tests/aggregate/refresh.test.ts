import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Outcome } from '../../jobs/summary.ts'
import { createBench, header, type Bench } from './job.ts'

const row = (email: string): string => `${email},READ,2024-09-10 00:00:00\n`
const late = ['12', '13', '14', '15', '16'].map((date) => `2024-09-${date}`)
let bench: Bench
beforeEach(async () => {
  bench = await createBench()
  for (const date of ['10', '12', '14']) await bench.log(`2024-09-${date}.csv`, row(date))
  await bench.run({ from: '2024-09-10', to: '2024-09-16' })
})
afterEach(() => bench.remove())

const result = (date: string): Promise<string> => bench.read(`output/2024-09-${date}.csv`)

describe('aggregate --refresh', () => {
  it('publishes again the windows with a changed day, and names them', async () => {
    await bench.log('2024-09-12.csv', row('new'))
    const outcome = await bench.run({ date: '2024-09-12', refresh: true })
    expect(outcome.refreshed).toEqual(['2024-09-13', '2024-09-14', '2024-09-15', '2024-09-16'])
    expect(outcome).toMatchObject({ files: 5, rows: 2, scannedDays: 1 })
    for (const date of ['12', '13', '14', '15', '16']) expect(await result(date)).toContain('\nnew,0,1,0,0\n')
    expect(await result('16')).toContain('\n14,0,1,0,0\n')
    expect(await result('11')).not.toContain('new')
  })

  it('leaves the others alone, and all of them without the flag', async () => {
    expect(await bench.run({ date: '2024-09-12', refresh: true })).toMatchObject({ refreshed: [], files: 1 })
    await bench.log('2024-09-12.csv', row('new'))
    expect(await bench.run({ date: '2024-09-12' })).not.toHaveProperty('refreshed')
    expect(await result('13')).not.toContain('new')
  })

  it('sees a day that arrives late', async () => {
    await bench.log('2024-09-13.csv', row('late'))
    expect((await bench.run({ date: '2024-09-13', refresh: true })).refreshed).toEqual([
      '2024-09-14',
      '2024-09-15',
      '2024-09-16',
    ])
    expect(await result('16')).toContain('late')
  })

  it('takes a day from the cache whose log was removed since', async () => {
    await rm(join(bench.folder, 'input/2024-09-14.csv'))
    await bench.log('2024-09-12.csv', row('new'))
    await bench.run({ date: '2024-09-12', refresh: true })
    expect(await result('16')).toContain('\n14,0,1,0,0\nnew')
  })

  it.each([
    ['the entry', () => true],
    ['the counts', (name: string) => !name.endsWith('.json')],
  ])('leaves a window alone of which a day is gone from the cache, too: %s', async (_, isGone) => {
    await rm(join(bench.folder, 'input/2024-09-14.csv'))
    for (const name of await bench.files('cache/2024-09-14'))
      if (isGone(name)) await rm(join(bench.folder, 'cache/2024-09-14', name))
    await bench.log('2024-09-12.csv', row('new'))
    const outcome = await bench.run({ date: '2024-09-12', refresh: true })
    expect(outcome.refreshed).toEqual(['2024-09-13'])
    expect(bench.warnings).toContain('not refreshed: logs that it was made from are gone')
    expect(await result('16')).not.toContain('new')
  })

  it('does not put a removed day into a window that is asked for', async () => {
    await rm(join(bench.folder, 'input/2024-09-10.csv'))
    await bench.log('2024-09-12.csv', row('new'))
    const outcome = await bench.run({ date: '2024-09-14', refresh: true, missingDays: 'warn' })
    expect(outcome.missingDays).toContain('2024-09-10')
    expect(await result('14')).toBe(`${header}14,0,1,0,0\nnew,0,1,0,0\n`)
    const { missingDays } = JSON.parse(await bench.read('output/.lakejobs/2024-09-14.json')) as Outcome
    expect(missingDays).toContain('2024-09-10')
    expect(await result('16')).toBe(`${header}10,0,1,0,0\n14,0,1,0,0\nnew,0,1,0,0\n`)
  })

  it('counts a removed day in each window as its own result did', async () => {
    await bench.log('2024-09-12.csv', row('corrected'))
    await bench.run({ from: '2024-09-14', to: '2024-09-16', length: 3 })
    await rm(join(bench.folder, 'input/2024-09-12.csv'))
    await bench.log('2024-09-10.csv', row('first'))
    const outcome = await bench.run({ date: '2024-09-20', length: 7, refresh: true })
    expect(outcome.refreshed).toEqual(['2024-09-10', '2024-09-11', ...late])
    expect(await result('12')).toBe(`${header}12,0,1,0,0\nfirst,0,1,0,0\n`)
    expect(await result('14.3d')).toBe(`${header}14,0,1,0,0\ncorrected,0,1,0,0\n`)
    await bench.log('2024-09-14.csv', row('last'))
    await bench.run({ date: '2024-09-20', length: 7, refresh: true })
    expect(await result('14')).toBe(`${header}12,0,1,0,0\nfirst,0,1,0,0\nlast,0,1,0,0\n`)
    expect(await result('14.3d')).toBe(`${header}corrected,0,1,0,0\nlast,0,1,0,0\n`)
  })

  it('finds a changed day outside the window asked for, and results of any length', async () => {
    await bench.run({ date: '2024-09-16', length: 30 })
    await bench.run({ date: '2024-09-12', length: 1 })
    await bench.log('2024-09-12.csv', row('new'))
    const outcome = await bench.run({ date: '2024-09-10', refresh: true })
    expect(outcome.refreshed).toEqual(['2024-09-12', '2024-09-13', '2024-09-14', '2024-09-15', '2024-09-16'])
    expect(outcome.outputs).toHaveLength(8)
    for (const name of ['12', '12.1d', '16', '16.30d'])
      expect(await result(name)).toContain('\nnew,0,1,0,0\n')
    expect(await bench.run({ date: '2024-09-10', refresh: true })).toMatchObject({ refreshed: [] })
  })

  it('publishes nothing when another day of such a window has too many rejects', async () => {
    await bench.log('2024-09-12.csv', row('new'))
    await bench.log('2024-09-14.csv', `${row('14')}${row('14')}` + 'bad\n'.repeat(11))
    await expect(
      bench.run({ date: '2024-09-12', refresh: true, maxRejects: undefined }),
    ).rejects.toMatchObject({
      code: 'data',
      message: expect.stringContaining('2024-09-14'),
    })
    expect(await result('12')).not.toContain('new')
  })

  it.each(['{"last"', '[]', '{"last":"2024-09-14"}'])('ignores a damaged record: %s', async (text) => {
    await bench.write('output/.lakejobs/2024-09-14.json', text)
    await bench.log('2024-09-12.csv', row('new'))
    const { refreshed } = await bench.run({ date: '2024-09-12', refresh: true })
    expect(refreshed).toEqual(['2024-09-13', '2024-09-15', '2024-09-16'])
  })
})
