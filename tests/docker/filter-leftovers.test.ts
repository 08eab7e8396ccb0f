import { describe, expect, it } from '@jest/globals'
import { follow, followAll, type Engine } from '../../docker/filter/leftovers.ts'

const noPause = (): Promise<void> => Promise.resolve()

/** An engine that answers `wait` and `DELETE` with these, one after the other; an Error is one that is away. */
function engine(answers: readonly (number | Error)[], ids: readonly (readonly string[] | Error)[] = []) {
  const asked: string[] = []
  const left = [...answers]
  const lists = [...ids]
  const next = <T>(from: (T | Error)[]): Promise<T> => {
    const value = from.shift()
    if (value === undefined) throw new Error('asked too often')
    return value instanceof Error ? Promise.reject(value) : Promise.resolve(value)
  }
  const made: Engine = {
    status: (method, path) => {
      asked.push(`${method} ${path}`)
      return next(left)
    },
    ours: () => next(lists),
  }
  return { made, asked, left }
}

const wait = 'POST /containers/a/wait'
const remove = 'DELETE /containers/a?v=1'

describe('follow', () => {
  it.each([
    ['removes a container that has ended', [200, 204], [wait, remove]],
    ['has nothing to do for one that the operator removed', [404, 404], [wait, remove]],
    ['waits again for one that runs on', [200, 409, 200, 204], [wait, remove, wait, remove]],
    ['goes on where the engine was away', [new Error('away'), 200, 204], [wait, wait, remove]],
  ] as const)('%s', async (_, answers, calls) => {
    const { made, asked, left } = engine(answers)
    await follow('a', made, noPause)
    expect(asked).toEqual(calls)
    expect(left).toEqual([])
  })

  it('gives the operator time before each call that could be in its way', async () => {
    const { made, asked } = engine([200, 204])
    const seen: number[] = []
    const pause = (): Promise<void> => {
      seen.push(asked.length)
      return Promise.resolve()
    }
    await follow('a', made, pause)
    // Between create and start, and between the end and the removal.
    expect(seen).toEqual([0, 1])
  })
})

describe('followAll', () => {
  it('follows all that are there, once the engine answers', async () => {
    const { made, asked } = engine([200, 200, 204, 204], [new Error('away'), ['a', 'b']])
    await followAll(made, noPause)
    expect(asked.toSorted()).toEqual(
      [remove, 'DELETE /containers/b?v=1', wait, 'POST /containers/b/wait'].toSorted(),
    )
  })
})
