import { describe, expect, it } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { inTwoSteps, mapConcurrently, oneOnTheWay } from '../jobs/concurrency.ts'

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

describe('oneOnTheWay', () => {
  it('begins a piece when the one before is done, and does not wait for it', async () => {
    const events: string[] = []
    const work = (name: string) => async (): Promise<void> => {
      events.push(`${name} begins`)
      await sleep(5)
      events.push(`${name} ends`)
    }
    const { start, done } = oneOnTheWay()
    await start(work('a'))
    events.push('started')
    await start(work('b'))
    await done()
    expect(events).toEqual(['a begins', 'started', 'a ends', 'b begins', 'b ends'])
  })

  it('throws a failure to whoever waits next, and begins nothing after it', async () => {
    const { start, done } = oneOnTheWay()
    await start(() => Promise.reject(new Error('failed')))
    await sleep(1)
    let begun = false
    await expect(start(() => Promise.resolve(void (begun = true)))).rejects.toThrow('failed')
    await expect(done()).rejects.toThrow('failed')
    expect(begun).toBe(false)
  })
})

describe('inTwoSteps', () => {
  const ran = async (
    ...items: readonly { first: number; second: number; fails?: 'first' | 'second' }[]
  ): Promise<string> => {
    const told: string[] = []
    const done = inTwoSteps(items, async ({ first, second, fails }, index, begun) => {
      told.push(`${index} begins`)
      await sleep(first)
      if (fails === 'first') throw new Error(`${index} fails`)
      await begun()
      told.push(`${index} goes on`)
      await sleep(second)
      if (fails === 'second') throw new Error(`${index} fails`)
      told.push(`${index} is through`)
    })
    await done.catch((error: unknown) => told.push((error as Error).message))
    return told.join(', ')
  }

  it('begins an item while the one before is at its second step, and those go on in their order', async () => {
    expect(await ran({ first: 1, second: 30 }, { first: 1, second: 1 }, { first: 20, second: 1 })).toBe(
      '0 begins, 0 goes on, 1 begins, 0 is through, 1 goes on, 2 begins, 1 is through, 2 goes on, 2 is through',
    )
  })

  it('begins none after a failure, which it throws when all that was started is over', async () => {
    expect(
      await ran({ first: 1, second: 30 }, { first: 1, second: 1, fails: 'first' }, { first: 1, second: 1 }),
    ).toBe('0 begins, 0 goes on, 1 begins, 0 is through, 1 fails')
    expect(
      await ran({ first: 1, second: 5, fails: 'second' }, { first: 40, second: 1 }, { first: 1, second: 1 }),
    ).toBe('0 begins, 0 goes on, 1 begins, 1 goes on, 1 is through, 0 fails')
    expect(await ran()).toBe('')
  })
})
