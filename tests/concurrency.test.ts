import { describe, expect, it } from '@jest/globals'
import { setTimeout as sleep } from 'node:timers/promises'
import { inTwoSteps, mapConcurrently, mapOverlapping, oneOnTheWay } from '../jobs/concurrency.ts'

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

describe('mapOverlapping', () => {
  /** Items that let the next one go on, end and fail when they are told to. */
  function begun(items: readonly string[], limit: number) {
    const events: string[] = []
    const told = new Map<string, { letNext: () => void; end: () => void; fail: () => void }>()
    const all = mapOverlapping(items, limit, (item, letNext) => {
      events.push(item)
      return new Promise<string>((resolve, reject) => {
        told.set(item, {
          letNext,
          end: () => {
            resolve(item.toUpperCase())
          },
          fail: () => {
            reject(new Error(item))
          },
        })
      })
    }).then(String, String)
    /** What has begun when all is said that follows from what an item was told. */
    const tell = async (item: string, what: 'letNext' | 'end' | 'fail'): Promise<string> => {
      told.get(item)![what]()
      await sleep(0)
      return events.join('')
    }
    return { tell, all, events }
  }

  it('begins an item while the one before goes on, but none before the one before that has ended', async () => {
    const { tell, all, events } = begun(['a', 'b', 'c'], 1)
    expect(events).toEqual(['a'])
    expect(await tell('a', 'letNext')).toBe('ab')
    expect(await tell('b', 'letNext')).toBe('ab')
    expect(await tell('a', 'end')).toBe('abc')
    expect(await tell('c', 'end')).toBe('abc')
    await tell('b', 'end')
    expect(await all).toBe('A,B,C')
  })

  it('begins one in each lane, and takes an item that ends for one that lets the next go on', async () => {
    const { tell, all, events } = begun(['a', 'b', 'c', 'd'], 2)
    expect(events).toEqual(['a', 'b'])
    expect(await tell('b', 'end')).toBe('abc')
    expect(await tell('a', 'letNext')).toBe('abcd')
    for (const item of ['c', 'd', 'a']) await tell(item, 'end')
    expect(await all).toBe('A,B,C,D')
  })

  it('throws the first failure when all that was started is over, and starts no more', async () => {
    const { tell, all } = begun(['a', 'b', 'c'], 1)
    await tell('a', 'letNext')
    await tell('a', 'fail')
    let isOver = false
    void all.then(() => (isOver = true))
    expect(await tell('b', 'letNext')).toBe('ab')
    expect(isOver).toBe(false)
    await tell('b', 'end')
    expect(await all).toBe('Error: a')
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
