import { expect, it } from '@jest/globals'
import { eventsIn } from '../../../jobs/report/gather/events.ts'
import type { Run, VerifiedInterval } from '../../../jobs/summary.ts'

const day = (interval: string, result: VerifiedInterval['result'], rows: number): VerifiedInterval => ({
  interval,
  result,
  rows,
  sourceRows: 720,
  ...(result !== 'match' && { reason: 'because' }),
})

/** A verify of the whole table, of which so many intervals were left out. */
const verifyOf = (intervals: readonly VerifiedInterval[], leftOut = 0): Run => {
  const count = (wanted: string): number => intervals.filter(({ result }) => result === wanted).length
  return {
    job: 'verify',
    runId: 'r',
    startedAt: '2024-09-17T07:00:00.000Z',
    status: 'ok',
    tables: [
      {
        table: 'default.t',
        status: 'verified',
        fix: 'export it',
        verified: {
          match: count('match'),
          changed: count('changed'),
          mismatch: count('mismatch'),
          unverified: count('unverified') + leftOut,
          incomplete: count('incomplete'),
          intervals: [...intervals],
        },
      },
    ],
  } as unknown as Run
}
const eventOf = (run: Run) => eventsIn([run], 'default.t')[0]

it('takes days that were never exported for nothing to prove', () => {
  expect(
    eventOf(verifyOf([day('2024-09-10', 'unverified', 0), day('2024-09-16', 'match', 720)])),
  ).toMatchObject({
    kind: 'verified',
    days: 'full',
    wrong: [],
    error: undefined,
  })
})

it('takes rows that were proven for that, also where `verify --strict` failed as the source has others by now', () => {
  const run = verifyOf([day('2024-09-15', 'changed', 705), day('2024-09-10', 'unverified', 0)])
  const tables = run.tables!.map((one) => ({
    ...one,
    status: 'failed' as const,
    error: '2024-09-15: changed',
  }))
  expect(eventOf({ ...run, tables })).toMatchObject({ wrong: [], error: undefined, fix: undefined })
  const cut = verifyOf([day('2024-09-15', 'changed', 705)], 1)
  expect(
    eventOf({ ...cut, tables: cut.tables!.map((one) => ({ ...one, error: 'unverified' })) }),
  ).toMatchObject({
    wrong: [],
    error: 'unverified',
  })
})

it('has rows that could not be proven, and those that are gone, as wrong', () => {
  const run = verifyOf([
    day('2024-09-10', 'unverified', 0),
    day('2024-09-11', 'unverified', 3),
    day('2024-09-12', 'mismatch', 0),
  ])
  expect(eventOf(run)).toMatchObject({
    wrong: ['2024-09-11', '2024-09-12'],
    error: '2024-09-11: unverified: because',
    fix: 'export it',
  })
})

it('says nothing of days that are not among the worst', () => {
  const run = verifyOf([day('2024-09-10', 'unverified', 0), day('2024-09-12', 'mismatch', 0)], 5)
  expect(eventOf(run)?.days).toEqual([{ from: '2024-09-12', to: '2024-09-12' }])
})
