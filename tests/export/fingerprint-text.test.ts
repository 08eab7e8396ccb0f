import { describe, expect, it } from '@jest/globals'
import { addDays, daysBetween } from '../../jobs/calendar.ts'
import {
  fingerprintOfDay,
  fingerprintText,
  parseFingerprints,
  sameFingerprint,
} from '../../jobs/export/fingerprint-text.ts'
import type { Intervals } from '../../jobs/export/intervals.ts'
import { combined, type Fingerprint } from '../../jobs/export/read/fingerprint.ts'

const of = (rows: number): Fingerprint => ({
  rows,
  nulls: [0, rows % 5, rows],
  sum: [rows * 2_654_435_769, rows * 40_503, 7, 0xffffffff].map(
    (lane) => lane >>> 0,
  ) as unknown as Fingerprint['sum'],
})
const zero: Fingerprint = { rows: 0, nulls: [0, 0, 0], sum: [0, 0, 0, 0] }
const daily = (first: string, last: string): Intervals =>
  new Map(daysBetween(first, last).map((day, i) => [day, of(1 + (i % 1000))]))
const total = (intervals: Intervals): Fingerprint => [...intervals.values()].reduce(combined, zero)
const parsed = (intervals: Intervals): NonNullable<ReturnType<typeof parseFingerprints>> =>
  parseFingerprints(fingerprintText(intervals, [4, 5, 9]))!

describe('as text', () => {
  it('come back as they were, and the text is short and readable', () => {
    const intervals: Intervals = new Map([...daily('2024-09-01', '2024-09-03'), ['null', of(2 ** 40)]])
    expect(parsed(intervals)).toEqual({ columns: [4, 5, 9], intervals })
    expect(fingerprintText(new Map([['2024-09-01', of(10)]]), [4, 5, 9])).toBe(
      '{"columns":[4,5,9],"intervals":{"2024-09-01":"10 LirBOgAGLiYAAAAH_____w 2:10"}}',
    )
    expect(parsed(new Map())).toEqual({ columns: [4, 5, 9], intervals: new Map() })
  })

  it.each(['', '{}', '[]', '{"columns":[1],"intervals":{"2024-09-01":"x"}}', 'nonsense'])(
    'other than ours (%j) are none',
    (text) => {
      expect(parseFingerprints(text)).toBeUndefined()
    },
  )

  it('of thirty years take 12 kB, and lose none of their rows', () => {
    const intervals = daily('1995-01-01', '2024-09-16')
    const text = fingerprintText(intervals, [4, 5, 9])
    expect(text.length).toBeLessThan(12_000)
    const bounded = parseFingerprints(text)!.intervals
    expect(total(bounded)).toEqual(total(intervals))
    expect([...bounded.keys()].slice(0, 3)).toEqual(['earlier', '2014-08', '2014-09'])
    expect([...bounded.keys()].slice(-2)).toEqual(['2024-09-15', '2024-09-16'])
    const july = [...intervals].filter(([day]) => day >= '2024-07-01' && day <= addDays('2024-09-16', -62))
    expect(bounded.get('2024-07')).toEqual(total(new Map(july)))
  })
})

describe('of a day', () => {
  const long = parsed(daily('2010-01-01', '2024-09-16'))

  it('are its own, or of no rows where no other interval holds it', () => {
    const some = parsed(
      new Map([
        ['2024-09-02', of(3)],
        ['null', of(1)],
      ]),
    )
    expect(fingerprintOfDay(some, '2024-09-02')).toEqual(of(3))
    expect(fingerprintOfDay(some, '2024-09-01')).toEqual(zero)
    expect(fingerprintOfDay(long, '2024-09-17')).toEqual(zero)
    expect(sameFingerprint(fingerprintOfDay(some, '2024-09-01')!, zero)).toBe(true)
    expect(sameFingerprint(of(3), { ...of(3), nulls: [1, 3, 3] })).toBe(false)
  })

  it('are unknown where it is together with others', () => {
    expect(fingerprintOfDay(parsed(new Map([['all', of(3)]])), '2024-09-01')).toBeUndefined()
    for (const day of ['2024-07-02', '2015-03-01', '2011-01-01', '1980-01-01'])
      expect(fingerprintOfDay(long, day)).toBeUndefined()
  })
})
