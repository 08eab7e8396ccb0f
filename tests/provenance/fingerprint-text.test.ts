import { createHash } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import { addDays, daysBetween } from '../../jobs/calendar.ts'
import {
  fingerprintText,
  parseFingerprints,
  sameFingerprint,
} from '../../jobs/provenance/fingerprint-text.ts'
import { printInterval } from '../../jobs/provenance/interval.ts'
import { intervalsIn, ofInterval, type Intervals } from '../../jobs/provenance/intervals.ts'
import { byName } from './by-name.ts'
import { combined, type Fingerprint } from '../../jobs/provenance/fingerprint.ts'

const of = (rows: number): Fingerprint => ({
  rows,
  nulls: [0, rows % 5, rows],
  sum: [rows * 2_654_435_769, rows * 40_503, 7, 0xffffffff].map(
    (lane) => lane >>> 0,
  ) as unknown as Fingerprint['sum'],
})
const zero: Fingerprint = { rows: 0, nulls: [0, 0, 0], sum: [0, 0, 0, 0] }
const daily = (first: string, last: string): Intervals =>
  byName(Object.fromEntries(daysBetween(first, last).map((day, i) => [day, of(1 + (i % 1000))])))
const total = (intervals: Intervals): Fingerprint =>
  intervals.map(({ fingerprint }) => fingerprint).reduce(combined, zero)
const parsed = (intervals: Intervals): NonNullable<ReturnType<typeof parseFingerprints>> =>
  parseFingerprints(fingerprintText(intervals, [4, 5, 9]))!

describe('as text', () => {
  it('come back as they were, and the text is short and readable', () => {
    const intervals: Intervals = [...daily('2024-09-01', '2024-09-03'), ...byName({ null: of(2 ** 40) })]
    expect(parsed(intervals)).toEqual({ columns: [4, 5, 9], intervals })
    expect(fingerprintText(byName({ '2024-09-01': of(10) }), [4, 5, 9])).toBe(
      '{"columns":[4,5,9],"intervals":{"2024-09-01":"10 LirBOgAGLiYAAAAH_____w 2:10"}}',
    )
    expect(parsed([])).toEqual({ columns: [4, 5, 9], intervals: [] })
  })

  it.each([
    '',
    '{}',
    '[]',
    '{"columns":[1],"intervals":{"2024-09-01":"x"}}',
    '{"columns":[1],"intervals":{"2024-W36":"1 LirBOgAGLiYAAAAH_____w"}}',
    'nonsense',
  ])('other than ours (%j) are none', (text) => {
    expect(parseFingerprints(text)).toBeUndefined()
  })

  it('are written as they have been since the first lake', () => {
    const text = fingerprintText(
      [
        ...daily('2010-06-30', '2010-07-01'),
        ...daily('2012-01-31', '2024-09-16'),
        ...byName({ null: of(3) }),
      ],
      [1, 2, 3],
    )
    expect(createHash('sha256').update(text).digest('hex')).toBe(
      'e97f80b70166c79d1ec61e532f2edf8e767551e2f05bc282ddce0d307a308804',
    )
    expect(text).toMatch(/^{"columns":\[1,2,3\],"intervals":{"earlier":"\d+ /)
    expect(text).toMatch(/"2024-07":"[^"]*","2024-07-17":"[^"]*","2024-07-18":/)
    expect(text).toMatch(/"null":"3 [^"]*"}}$/)
  })

  it('of thirty years take 12 kB, and lose none of their rows', () => {
    const intervals = daily('1995-01-01', '2024-09-16')
    const text = fingerprintText(intervals, [4, 5, 9])
    expect(text.length).toBeLessThan(12_000)
    const bounded = parseFingerprints(text)!.intervals
    expect(total(bounded)).toEqual(total(intervals))
    const names = bounded.map(({ interval }) => printInterval(interval))
    expect(names.slice(0, 3)).toEqual(['earlier', '2014-08', '2014-09'])
    expect(names.slice(-2)).toEqual(['2024-09-15', '2024-09-16'])
    const july = { from: '2024-07-01', to: addDays('2024-09-16', -62) }
    expect(ofInterval(bounded, { kind: 'month', month: '2024-07' })).toEqual(
      total(intervalsIn(intervals, [july])),
    )
  })
})

it('are equal where rows, NULLs and sum are', () => {
  expect(sameFingerprint(of(3), of(3))).toBe(true)
  expect(sameFingerprint(of(3), { ...of(3), nulls: [1, 3, 3] })).toBe(false)
})
