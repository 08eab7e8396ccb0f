import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { truncateLower, truncateUpper } from '../../jobs/parquet/truncate.ts'

const bound = (text: string): { bytes: Uint8Array; exact: boolean } => ({
  bytes: Buffer.from(text),
  exact: true,
})
const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && new TextDecoder('utf-8', { fatal: true }).decode(bytes)

describe('truncated bounds', () => {
  it('stay exact while they fit', () => {
    expect(truncateLower(bound('abc'), 3, true)).toEqual(bound('abc'))
    expect(truncateUpper(bound('abc'), 3, true)).toEqual(bound('abc'))
  })

  it.each([
    ['abcd', 3, 'abc', 'abd'],
    // Cut before a code point that does not fit whole.
    ['aé', 2, 'a', 'b'],
    ['ab😀', 5, 'ab', 'ac'],
    // U+D7FF is followed by U+E000, because surrogates are no code points.
    ['\ud7ffx', 3, '\ud7ff', '\ue000'],
    // A code point that cannot be incremented carries over.
    ['a\u{10ffff}x', 5, 'a\u{10ffff}', 'b'],
    // One byte may become two.
    ['\u007fx', 1, '\u007f', '\u0080'],
    ['\u{10ffff}x', 4, '\u{10ffff}', undefined],
  ])('%j cut to %i bytes lies between %j and %j', (value, length, lower, upper) => {
    const low = truncateLower(bound(value), length, true)
    const high = truncateUpper(bound(value), length, true)
    expect([text(low.bytes), low.exact]).toEqual([lower, false])
    expect(text(high?.bytes)).toBe(upper)
    expect(high?.exact).toBe(high && false)
  })

  it('of binary increments bytes, and gives up when all are 0xFF', () => {
    const max = (...bytes: number[]): unknown =>
      truncateUpper({ bytes: Uint8Array.from(bytes), exact: true }, 2, false)
    expect(max(1, 2, 3)).toEqual({ bytes: Uint8Array.of(1, 3), exact: false })
    expect(max(1, 255, 3)).toEqual({ bytes: Uint8Array.of(2), exact: false })
    expect(max(255, 255, 3)).toBeUndefined()
  })

  it('enclose the value, in order of bytes, and are valid UTF-8', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }),
        fc.integer({ min: 4, max: 20 }),
        (value, length) => {
          const { bytes } = bound(value)
          const low = truncateLower(bound(value), length, true)
          const high = truncateUpper(bound(value), length, true)
          expect(Buffer.compare(low.bytes, bytes)).toBeLessThanOrEqual(0)
          if (high) expect(Buffer.compare(high.bytes, bytes)).toBeGreaterThanOrEqual(0)
          expect(() => [text(low.bytes), text(high?.bytes)]).not.toThrow()
        },
      ),
      { numRuns: 500 },
    )
  })
})
