import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { ctidConditions } from '../../../jobs/postgres/source/ranges.ts'

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
