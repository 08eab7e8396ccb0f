import { describe, expect, it } from '@jest/globals'
import { checkMissing, daysOf, planWindows, type WindowRequest } from '../../jobs/aggregate/window.ts'

const asked = (request: Partial<WindowRequest>): WindowRequest => ({
  date: undefined,
  from: undefined,
  to: undefined,
  days: 3,
  yesterday: '2024-03-01',
  ...request,
})

describe('planWindows', () => {
  it('ends with the date, or with yesterday', () => {
    expect(planWindows(asked({ date: '2024-01-02' }))).toEqual([
      { last: '2024-01-02', days: ['2023-12-31', '2024-01-01', '2024-01-02'], length: 3 },
    ])
    expect(planWindows(asked({}))).toEqual([
      { last: '2024-03-01', days: ['2024-02-28', '2024-02-29', '2024-03-01'], length: 3 },
    ])
  })

  it('has a window for each day of a backfill', () => {
    const windows = planWindows(asked({ from: '2024-02-29', to: '2024-03-01' }))
    expect(windows.map(({ last }) => last)).toEqual(['2024-02-29', '2024-03-01'])
    expect(daysOf(windows)).toEqual(['2024-02-27', '2024-02-28', '2024-02-29', '2024-03-01'])
    expect(daysOf([])).toEqual([])
  })

  it.each([
    [{ date: '2024-01-01', from: '2024-01-01' }, '--date'],
    [{ date: '2024-01-01', to: '2024-01-01' }, '--date'],
    [{ from: '2024-01-01' }, '--to'],
    [{ to: '2024-01-01' }, '--from'],
    [{ from: '2024-01-02', to: '2024-01-01' }, '--to'],
    [{ days: 3661 }, '--days'],
    [{ from: '0204-09-10', to: '2024-09-16' }, '--from'],
  ])('refuses %j', (request, field) => {
    expect(() => planWindows(asked(request))).toThrow(expect.objectContaining({ code: 'usage', field }))
  })
})

describe('checkMissing', () => {
  const windows = planWindows(asked({ from: '2024-03-01', to: '2024-03-05' }))
  const check = (present: readonly string[], policy: 'latest' | 'warn' | 'fail' | 'ignore') =>
    checkMissing(windows, new Set(present), policy, 'file:///in')

  it.each(['warn', 'ignore'] as const)('%s: publishes what has a day', (policy) => {
    const { publishable, missing } = check(['2024-03-01'], policy)
    expect(publishable.map(({ last }) => last)).toEqual(['2024-03-01', '2024-03-02', '2024-03-03'])
    expect(missing).toEqual([
      '2024-02-28',
      '2024-02-29',
      '2024-03-02',
      '2024-03-03',
      '2024-03-04',
      '2024-03-05',
    ])
  })

  it('latest: waits for the newest day alone', () => {
    expect(check(['2024-03-05'], 'latest').publishable).toHaveLength(1)
    const notYet = { code: 'notYet', message: 'no log of 2024-03-05 in file:///in yet' }
    expect(() => check(['2024-03-04'], 'latest')).toThrow(expect.objectContaining(notYet))
    expect(() => check([], 'latest')).toThrow(expect.objectContaining(notYet))
  })

  it('fail: wants them all', () => {
    expect(check(daysOf(windows), 'fail').missing).toEqual([])
    expect(() => check(daysOf(windows).slice(1), 'fail')).toThrow(
      expect.objectContaining({ code: 'data', message: 'no log of 2024-02-28 in file:///in' }),
    )
  })

  it.each(['warn', 'ignore', 'fail'] as const)('%s: something must be there', (policy) => {
    expect(() => check([], policy)).toThrow(expect.objectContaining({ code: 'data', field: 'input' }))
  })
})
