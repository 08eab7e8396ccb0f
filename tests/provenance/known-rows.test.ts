import { describe, expect, it } from '@jest/globals'
import { addDays, daysBetween, rangesOf, type DayRange } from '../../jobs/calendar.ts'
import { everything, extentOfUnit, parseExtent, printExtent } from '../../jobs/provenance/extent.ts'
import { combined, noRows, type Fingerprint } from '../../jobs/provenance/fingerprint.ts'
import { parseInterval, printInterval, type Interval } from '../../jobs/provenance/interval.ts'
import { summed, type Intervals } from '../../jobs/provenance/intervals.ts'
import {
  afterOthers,
  afterWrite,
  emptied,
  hasRowsOf,
  intervalWith,
  knownOf,
  nothingKnown,
  partOf,
  partOfRead,
  whyUnknown,
  type KnownRows,
} from '../../jobs/provenance/known-rows.ts'
import { parseKnown, printKnown } from '../../jobs/provenance/known-text.ts'
import type { Replaced, SourceRead } from '../../jobs/provenance/provenance.ts'
import { expectSame } from '../support/expect-same.ts'
import { byName } from './by-name.ts'

const unit = (name: string): Interval => parseInterval(name)!
const of = (seed: number): Fingerprint => ({
  rows: seed % 1000,
  nulls: [0, seed % 7],
  sum: [seed * 2_654_435_769, seed * 40_503, seed ^ 0x5bd1e995, seed].map(
    (lane) => lane >>> 0,
  ) as unknown as Fingerprint['sum'],
})
const readOf = (intervals: Intervals, columns: readonly number[] = [1, 2]): SourceRead => ({
  runId: 'run',
  source: { table: 'public.t', database: 'app', systemId: '7' },
  sourceTime: '2024-09-16T00:00:00.000000Z',
  fieldIds: columns,
  readAs: { day: 1, casts: new Map(), lossyCasts: new Map(), decimals: new Map(), rowSecurity: false },
  intervals,
})
const write = (known: KnownRows, intervals: Intervals, replaced: Replaced, columns?: number[]): KnownRows =>
  afterWrite(known, partOfRead(readOf(intervals, columns), replaced), 1n)
const foreign = (known: KnownRows, ...names: string[]): KnownRows =>
  names.reduce((sum, name) => afterOthers(sum, extentOfUnit(unit(name)), `others wrote ${name}`), known)
const stored = (known: KnownRows): KnownRows => {
  const text = printKnown({ snapshotId: 1n, parts: known.parts })!
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(16_000)
  return { ...known, parts: parseKnown(text)!.parts }
}
const knownAt = (known: KnownRows, name: string): Fingerprint | undefined => {
  const part = partOf(known, unit(name))
  return part && knownOf(part, intervalWith(part, unit(name)))
}
const months = (first: string, last: string): Intervals =>
  byName(Object.fromEntries(daysBetween(first, last).map((day, at) => [day, of(at + 1)])))

describe('what is known of rows', () => {
  const full = write(nothingKnown, byName({ '2024-09-01': of(1), '2024-09-03': of(3), null: of(9) }), 'full')

  it('after a full export is everything, of days without rows too', () => {
    expect(
      ['2024-09-01', '2024-09-02', '2024-09-03', '1970-01-01', 'null'].map((one) => knownAt(full, one)),
    ).toEqual([of(1), noRows(2), of(3), noRows(2), of(9)])
    expect(knownAt(write(nothingKnown, byName({ all: of(5) }), 'full'), 'all')).toEqual(of(5))
    expect(
      knownAt(foreign(write(nothingKnown, byName({ all: of(5) }), 'full'), '2024-01-01'), 'all'),
    ).toBeUndefined()
  })

  it('is no more of what others have touched, and why, until it is exported again', () => {
    const touched = foreign(full, '2024-09-03', 'null')
    expect(['2024-09-01', '2024-09-03', 'null'].map((one) => knownAt(touched, one))).toEqual([
      of(1),
      undefined,
      undefined,
    ])
    expect(whyUnknown(touched, unit('2024-09-03'))).toBe('others wrote 2024-09-03')
    expect(whyUnknown(touched, unit('2030-01-01'))).toContain('no fingerprint of them is valid')
    const day = { from: '2024-09-03', to: '2024-09-03' }
    const again = write(touched, byName({ '2024-09-03': of(33) }), [day])
    expect(knownAt(again, '2024-09-03')).toEqual(of(33))
    expect(again.parts).toHaveLength(1)
    expect(again.lost.map(({ reason }) => reason)).toEqual(['others wrote null'])
  })

  it('is told of rows that others have left none of, until they are exported again', () => {
    const left = ['2024-09-01', 'null'].map(unit)
    const gone = foreign(full, '2024-09-03', '2024-09-05')
    expect(emptied(full, left)).toEqual([])
    expect(emptied(gone, left)).toEqual([unit('2024-09-03')])
    expect(emptied(gone, [...left, unit('2024-09-03')])).toEqual([])
    expect(emptied(foreign(foreign(full, '2024-09-03'), '2024-09-03'), left)).toEqual([unit('2024-09-03')])
    expect(emptied(write(gone, byName({}), [{ from: '2024-09-03', to: '2024-09-03' }]), left)).toEqual([])
    const whole = foreign(write(nothingKnown, byName({ all: of(5) }), 'full'), 'all')
    expect(emptied(whole, [])).toEqual([unit('all')])
    expect(emptied(whole, left)).toEqual([])
  })

  it('of a month ends with the first day of it that is written again; days beside it stay', () => {
    const long = stored(write(nothingKnown, months('2024-01-01', '2024-09-16'), 'full'))
    expect(knownAt(long, '2024-03-07')!.rows).toBeGreaterThan(of(67).rows)
    const day = { from: '2024-03-07', to: '2024-03-07' }
    const again = write(long, byName({ '2024-03-07': of(5) }), [day])
    expect(['2024-03-07', '2024-03-06', '2024-09-16'].map((one) => knownAt(again, one)?.rows)).toEqual([
      5,
      undefined,
      of(260).rows,
    ])
    expect(whyUnknown(again, unit('2024-03-06'))).toBe(
      'its fingerprint is that of 2024-03, of which snapshot 1 wrote a part',
    )
    const whole = write(long, byName({ '2024-03-07': of(5) }), [{ from: '2024-03-01', to: '2024-03-31' }])
    expect(knownAt(whole, '2024-03-06')!.rows).toBe(0)
  })

  it('of months before those that are told one by one is put together', () => {
    const month = { from: '2012-01-01', to: '2012-01-31' }
    const hole = foreign(
      write(nothingKnown, months('1995-01-01', '2024-09-16'), 'full'),
      ...daysBetween(month.from, month.to),
    )
    const long = stored(hole)
    const filled = write(long, byName({ '2012-01': of(5) }), [month])
    const rows = knownAt(long, '1995-01-01')!.rows + 5
    expect(['1995-01-01', '2012-01-07'].map((one) => knownAt(filled, one)?.rows)).toEqual([rows, rows])
  })

  it('of other columns, or another source, is kept beside', () => {
    const day = { from: '2024-09-03', to: '2024-09-03' }
    const { parts } = stored(write(full, byName({ '2024-09-03': of(4) }), [day], [1, 2, 3]))
    expect(parts.map(({ columns, extent }) => [columns, printExtent(extent)])).toEqual([
      [[1, 2, 3], '2024-09-03/2024-09-03'],
      [[1, 2], '0001-01-01/2024-09-02,2024-09-04/9999-12-31,null'],
    ])
  })
})

describe('a read of the rows that are there', () => {
  const intervals = months('2024-01-01', '2024-09-16')
  const known = stored(write(nothingKnown, intervals, 'full'))
  it('is recognised, whole and by day', () => {
    expect(hasRowsOf(known, readOf(intervals))('full')).toBe(true)
    const day = { from: '2024-09-10', to: '2024-09-10' }
    expect(hasRowsOf(known, readOf(intervals))([day])).toBe(true)
  })
  it('is not, where a row, a day, a column or the source differs, or a month is known as a whole only', () => {
    const other = summed([...intervals, ...byName({ '2024-02-01': of(1) })])
    expect(hasRowsOf(known, readOf(other))('full')).toBe(false)
    expect(hasRowsOf(known, readOf(intervals.slice(0, -1)))('full')).toBe(false)
    expect(hasRowsOf(known, readOf(summed([...intervals, ...byName({ null: of(1) })])))('full')).toBe(false)
    expect(hasRowsOf(known, readOf(intervals, [2, 1]))('full')).toBe(false)
    const elsewhere = { ...readOf(intervals), source: { table: 'public.other' } }
    expect(hasRowsOf(known, elsewhere)('full')).toBe(false)
    expect(hasRowsOf(foreign(known, '2024-09-01'), readOf(intervals))('full')).toBe(false)
    expect(hasRowsOf(known, readOf(intervals))([{ from: '2024-02-01', to: '2024-02-01' }])).toBe(false)
    expect(hasRowsOf(known, readOf(intervals))([{ from: '2024-02-01', to: '2024-02-29' }])).toBe(true)
  })
  it('is asked for of thousands of days without what is known being gone through for each', () => {
    const years = months('2016-01-01', '2024-09-16')
    const read = readOf(years)
    const isThere = hasRowsOf(stored(write(nothingKnown, years, 'full')), read)
    const there = years.filter(({ interval }) =>
      isThere([{ from: printInterval(interval), to: printInterval(interval) }]),
    )
    expect(there).toHaveLength(62)
  })
})

describe('as a property', () => {
  it.each(['', '{}', '[]', '{"snapshot":"x","parts":[]}', '{"snapshot":"1","parts":[{}]}', 'nonsense'])(
    'other than ours (%j) is none',
    (text) => {
      expect(parseKnown(text)).toBeUndefined()
    },
  )

  it('of thirty years, hundreds of gaps or a thousand columns is short, and still right', () => {
    const long = stored(write(nothingKnown, months('1995-01-01', '2024-09-16'), 'full'))
    expect(knownAt(long, '2024-09-16')).toEqual(of(10_852))
    const weekly = daysBetween('2019-01-01', '2024-09-16').filter((_, at) => at % 7 === 0)
    const gaps = stored(
      weekly.reduce((sum, day) => write(sum, byName({ [day]: of(1) }), rangesOf([day])), nothingKnown),
    )
    expect([knownAt(gaps, weekly.at(-1)!)?.rows, knownAt(gaps, weekly[0]!)]).toEqual([1, undefined])
    const columns = Array.from({ length: 1000 }, (_, at) => at)
    const wide: Intervals = months('2024-01-01', '2024-09-16').map(({ interval }) => ({
      interval,
      fingerprint: { ...noRows(1000), nulls: columns.map(() => 12_345) },
    }))
    expect(
      printKnown({ snapshotId: 1n, parts: write(nothingKnown, wide, 'full', columns).parts }),
    ).toBeUndefined()
  })

  it('an extent comes back as it was', () => {
    for (const text of ['full', '', 'null', '2024-09-01/2024-09-03,2024-10-01/9999-12-31,null'])
      expect(printExtent(parseExtent(text)!)).toBe(text)
    for (const text of ['2024-09-03/2024-09-01', '2024-09-01', 'all', '2024-02-30/2024-03-01'])
      expect(parseExtent(text)).toBeUndefined()
    expect(printExtent(everything)).toBe('full')
  })
})

describe('any history', () => {
  // Whatever has happened, what is said to be known is true.
  it.each(Array.from({ length: 12 }, (_, seed) => seed))('of seed %i', (seed) => {
    let state = seed * 7919 + 1
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return Math.floor((state / 2 ** 32) * below)
    }
    const days = random(2) === 0 ? 200 : 9000
    const dayAt = (at: number): string => addDays('2000-01-01', at)
    const table = new Map<string, { columns: number[]; fingerprint: Fingerprint }>()
    const range = (): DayRange => {
      const from = random(days)
      return { from: dayAt(from), to: dayAt(from + random(random(3) === 0 ? days : 3)) }
    }
    const isIn = (name: string, replaced: Replaced): boolean =>
      replaced === 'full' || (name !== 'null' && replaced.some(({ from, to }) => from <= name && name <= to))
    let known = nothingKnown
    for (let step = 0; step < 25; step++) {
      const kind = random(6)
      if (kind === 0) {
        const name = random(8) === 0 ? 'null' : dayAt(random(days))
        table.set(name, { columns: [], fingerprint: of(1 + random(999)) })
        known = foreign(known, name)
      } else if (kind === 1) known = stored(known)
      else {
        const columns = random(4) === 0 ? [2, 1] : [1, 2]
        const replaced: Replaced = random(5) === 0 ? 'full' : [range()]
        for (const name of [...table.keys()]) if (isIn(name, replaced)) table.delete(name)
        const rows: Record<string, Fingerprint> = {}
        const count = random(replaced === 'full' ? 500 : 8)
        for (let i = 0; i < count; i++) {
          const name = replaced === 'full' && random(50) === 0 ? 'null' : dayAt(random(days))
          if (isIn(name, replaced)) rows[name] = of(1 + random(999))
        }
        for (const [name, fingerprint] of Object.entries(rows)) table.set(name, { columns, fingerprint })
        known = write(known, summed(byName(rows)), replaced, columns)
        // What was just written is known.
        const written = Object.keys(rows)
        expectSame(
          written.map((name) => [name, partOf(known, unit(name))?.columns]),
          written.map((name) => [name, columns]),
        )
      }
      const holders = new Map([...table.keys()].map((name) => [name, partOf(known, unit(name))]))
      for (const part of known.parts) {
        const actual = new Map<string, Fingerprint>()
        for (const [name, { columns, fingerprint }] of table) {
          if (holders.get(name) !== part) continue
          expectSame(columns, part.columns)
          const interval = printInterval(intervalWith(part, unit(name)))
          actual.set(interval, combined(actual.get(interval) ?? noRows(2), fingerprint))
        }
        const told = new Map(part.intervals.map((one) => [printInterval(one.interval), one.fingerprint]))
        const some = (sums: Map<string, Fingerprint>): unknown[] =>
          [...sums].filter(([, { rows }]) => rows > 0).sort()
        expectSame(some(told), some(actual))
      }
    }
  })
})
