import { describe, expect, it } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { mapConcurrently } from '../jobs/concurrency.ts'

describe('mapConcurrently', () => {
  it('keeps the order, and at most so many at a time', async () => {
    let running = 0
    let most = 0
    const results = await mapConcurrently([5, 1, 4, 2, 3], 2, async (item) => {
      most = Math.max(most, ++running)
      await sleep(item)
      running--
      return item * 10
    })
    expect(results).toEqual([50, 10, 40, 20, 30])
    expect(most).toBe(2)
    expect(await mapConcurrently([], 2, () => Promise.resolve(1))).toEqual([])
  })

  it('throws the first failure when all that was started is over, and starts no more', async () => {
    const over: number[] = []
    const work = async (item: number): Promise<void> => {
      await sleep(item)
      over.push(item)
      if (item < 10) throw new Error(String(item))
    }
    await expect(mapConcurrently([30, 1, 50], 2, work)).rejects.toThrow('1')
    expect(over).toEqual([1, 30])
  })
})
