import { describe, expect, it } from '@jest/globals'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { day, eachWithBench, row } from './job.ts'

const bench = eachWithBench()
const logs = async (rows: number): Promise<void> => {
  await bench.log('2024-09-15.csv', row('old', 'READ', '2024-09-15 00:00:00'))
  await bench.log(`${day}.csv`, row('a').repeat(rows))
}

describe('a published result', () => {
  it.each([
    ['emptied logs', async () => bench.log(`${day}.csv`, '')],
    ['pruned logs', async () => rm(join(bench.folder, `input/${day}.csv`))],
    ['less than half', async () => logs(3)],
  ])('is not replaced after %s', async (_, change) => {
    await logs(9)
    await bench.run({ maxShrink: 0.5 })
    const before = await bench.read(`output/${day}.csv`)
    await change()
    await expect(bench.run({ maxShrink: 0.5 })).rejects.toMatchObject({
      ...{ code: 'data', field: '--max-shrink', fix: expect.stringContaining('--max-shrink 100%') },
      message: expect.stringMatching(/: a result of 10 events would be replaced by one of [14]$/),
      outcome: { missingDays: expect.any(Array) },
    })
    expect(await bench.read(`output/${day}.csv`)).toBe(before)
    await bench.run({ maxShrink: 1 })
    expect(await bench.read(`output/${day}.csv`)).not.toBe(before)
  })

  it('is replaced by half of it, and by any where it was removed', async () => {
    await logs(9)
    await bench.run({ maxShrink: 0.5 })
    await logs(4)
    await bench.run({ maxShrink: 0.5 })
    await rm(join(bench.folder, `output/${day}.csv`))
    await logs(0)
    await bench.run({ maxShrink: 0.5 })
    expect(await bench.read(`output/${day}.csv`)).toContain('old')
  })

  it('is not replaced by the way of --refresh either, nor is any other then', async () => {
    await logs(9)
    await bench.run()
    await logs(1)
    await bench.log('2024-09-10.csv', row('x'))
    await expect(bench.run({ date: '2024-09-10', refresh: true, maxShrink: 0.5 })).rejects.toMatchObject({
      field: '--max-shrink',
    })
    expect(await bench.files('output')).not.toContain('2024-09-10.csv')
  })
})
