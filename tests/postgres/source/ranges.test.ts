import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { daysBetween } from '../../../jobs/calendar.ts'
import { ctidConditions, dayConditions, daysCondition } from '../../../jobs/postgres/source/ranges.ts'

/** First page and the page behind the last one; undefined: open. */
const bounds = (condition: string | undefined): [number, number | undefined] => {
  const page = (operator: string): number | undefined => {
    const found = new RegExp(`ctid ${operator} '\\((\\d+),0\\)'::tid`).exec(condition ?? '')
    return found?.[1] === undefined ? undefined : Number(found[1])
  }
  return [page('>=') ?? 0, page('<')]
}

describe('ctidConditions', () => {
  it('covers every page once, the last range without an end', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 1, max: 8 }), (pages, workers) => {
        const ranges = ctidConditions(pages, workers).map(bounds)
        expect(ranges[0]?.[0]).toBe(0)
        expect(ranges.at(-1)?.[1]).toBeUndefined()
        for (const [index, [, end]] of ranges.slice(0, -1).entries()) expect(ranges[index + 1]?.[0]).toBe(end)
      }),
    )
  })

  it('ends with small ranges, however large the table is', () => {
    for (const pages of [10_000, 40_000, 400_000, 4_000_000]) {
      const sizes = ctidConditions(pages, 2).map((condition) => {
        const [start, end] = bounds(condition)
        return (end ?? pages) - start
      })
      expect(sizes).toEqual([...sizes].sort((a, b) => b - a))
      expect(sizes.slice(-4).every((size) => size <= 256)).toBe(true)
      expect(sizes[0]).toBeLessThanOrEqual(8192)
    }
    expect(ctidConditions(39_000, 2).length).toBeLessThan(32)
  })

  it('is one range without a condition where there is little', () => {
    expect(ctidConditions(0, 8)).toEqual([undefined])
    expect(ctidConditions(256, 8)).toEqual([undefined])
  })
})

describe('dayConditions', () => {
  const column = { name: 'at', type: 'date' } as const
  const datesIn = (conditions: readonly string[]): string[] =>
    conditions.flatMap((one) => one.match(/\d{4,5}-\d\d-\d\d/g) ?? [])

  it('is one for each day of a year, each ending where the next one begins', () => {
    const dates = datesIn(dayConditions(column, daysBetween('2024-01-01', '2024-12-31'), 2))
    expect(dates).toHaveLength(2 * 366)
    expect(dates.slice(1, -1).every((date, at, all) => at % 2 === 1 || date === all[at + 1])).toBe(true)
    expect([dates[0], dates.at(-1)]).toEqual(['2024-01-01', '2025-01-01'])
  })

  it('are no more for a thousand years, each day in one of them', () => {
    const dates = datesIn(dayConditions(column, daysBetween('9000-01-01', '9999-12-31'), 2))
    expect(dates.length).toBeLessThanOrEqual(2 * 366)
    expect(dates.slice(1, -1).every((date, at, all) => at % 2 === 1 || date === all[at + 1])).toBe(true)
    expect([dates[0], dates.at(-1)]).toEqual(['9000-01-01', '10000-01-01'])
  })
})

it('clamped values are of the first and the last day, NULL of none', () => {
  const of = (from: string, to: string): string =>
    daysCondition({ name: 'at', type: 'date', isClamped: true }, daysBetween(from, to))
  expect(of('0001-01-01', '0001-01-02')).toBe(`(("at" < '0001-01-03'::date))`)
  expect(of('9999-12-31', '9999-12-31')).toBe(`(("at" >= '9999-12-31'::date))`)
  expect(of('2024-09-16', '2024-09-16')).toContain(' AND ')
})
