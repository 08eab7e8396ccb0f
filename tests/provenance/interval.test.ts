import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  compareIntervals,
  isWithin,
  monthOf,
  parseInterval,
  printInterval,
} from '../../jobs/provenance/interval.ts'

const names = ['earlier', '2024-06', '2024-07', '2024-07-01', '2024-07-31', '2024-08', 'null', 'all']
const parsed = names.map((name) => parseInterval(name)!)

describe('an interval', () => {
  it('is printed as it was read, for lakes have it so', () => {
    expect(parsed.map(({ kind }) => kind)).toEqual([
      'earlier',
      'month',
      'month',
      'day',
      'day',
      'month',
      'nulls',
      'all',
    ])
    expect(parsed.map(printInterval)).toEqual(names)
  })

  it('has one order', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(parsed, { minLength: parsed.length }), (shuffled) => {
        expect([...shuffled].sort(compareIntervals)).toEqual(parsed)
      }),
    )
    expect(compareIntervals(parseInterval('2024-07-01')!, { kind: 'day', day: '2024-07-01' })).toBe(0)
  })

  it.each(['', '2024', '2024-13', '2024-02-30', '2024-W36', '2024-07-01T00', 'nulls', 'ALL', '0000-01'])(
    'is not %j',
    (text) => {
      expect(parseInterval(text)).toBeUndefined()
    },
  )

  it('has a month where it is one, or one of its days', () => {
    expect(parsed.map(monthOf)).toEqual([
      undefined,
      '2024-06',
      '2024-07',
      '2024-07',
      '2024-07',
      '2024-08',
      undefined,
      undefined,
    ])
  })

  it.each([
    ['2024-07-01', '2024-07-01/2024-07-02', true],
    ['2024-07-03', '2024-07-01/2024-07-02', false],
    ['2024-07', '2024-07-01/2024-07-31', true],
    ['2024-07', '2024-07-01/2024-07-30', false],
    ['2024-02', '2024-02-01/2024-02-29', true],
    ['2023-02', '2023-02-01/2023-02-28', true],
    ['9999-12', '9999-12-01/9999-12-31', true],
    ['null', '0001-01-01/9999-12-31', false],
    ['all', '0001-01-01/9999-12-31', false],
    ['earlier', '0001-01-01/9999-12-31', false],
  ])('%s within %s: %s', (name, range, expected) => {
    const [from = '', to = ''] = range.split('/')
    expect(isWithin(parseInterval(name)!, [{ from, to }])).toBe(expected)
    expect(isWithin(parseInterval(name)!, [])).toBe(false)
  })
})
