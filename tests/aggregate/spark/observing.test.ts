import { expect, it } from '@jest/globals'
import { observing } from '../../../jobs/aggregate/spark/observing.ts'
import type { Observed } from '../../../jobs/spark/execute.ts'

const plan = { root: { sql: { query: 'SELECT 1' } } }
const observed = (...names: string[]): Observed => new Map(names.map((name) => [name, { rows: 1 }]))

it.each<[string, Observed[], number, Observed]>([
  ['told at once', [observed('a', 'b')], 1, observed('a', 'b')],
  [
    'told by name alone',
    [
      new Map([
        ['a', { rows: 1 }],
        ['b', {}],
      ]),
      observed('a', 'b'),
    ],
    2,
    observed('a', 'b'),
  ],
  ['not all of it told', [observed('a'), observed('a', 'b')], 2, observed('a', 'b')],
  ['never told', [observed(), observed('b'), observed('a', 'b')], 2, observed('b')],
])('what is %s', async (_, answers, runs, result) => {
  const given = [...answers]
  const session = { run: () => Promise.resolve(given.shift()!) }
  expect(await observing(session, plan, ['a', 'b'])).toEqual(result)
  expect(answers.length - given.length).toBe(runs)
})
