import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { truncateLower, truncateUpper, type Length } from '../../../jobs/parquet/statistics/truncate.ts'

const bound = (text: string): { bytes: Uint8Array; exact: boolean } => ({
  bytes: Buffer.from(text),
  exact: true,
})
const inBytes = (most: number): Length => ({ unit: 'bytes', most })
const inPoints = (most: number): Length => ({ unit: 'code points', most })
const text = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && new TextDecoder('utf-8', { fatal: true }).decode(bytes)

describe('truncated bounds', () => {
  it('stay exact while they fit', () => {
    expect(truncateLower(bound('abc'), inBytes(3), true)).toEqual(bound('abc'))
    expect(truncateUpper(bound('abc'), inBytes(3), true)).toEqual(bound('abc'))
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
    const low = truncateLower(bound(value), inBytes(length), true)
    const high = truncateUpper(bound(value), inBytes(length), true)
    expect([text(low.bytes), low.exact]).toEqual([lower, false])
    expect(text(high?.bytes)).toBe(upper)
    expect(high?.exact).toBe(high && false)
  })

  it.each([
    ['abc', 3, 'abc', 'abc'],
    ['abcd', 3, 'abc', 'abd'],
    ['ab\u{10ffff}d', 3, 'ab\u{10ffff}', 'ac'],
    ['a\ud7ffz', 2, 'a\ud7ff', 'a\ue000'],
    ['\u{10ffff}\u{10ffff}', 1, '\u{10ffff}', undefined],
    ['😀😀😀', 2, '😀😀', '😀😁'],
  ])('%j cut to %i characters lies between %j and %j', (value, length, lower, upper) => {
    expect(text(truncateLower(bound(value), inPoints(length), true).bytes)).toBe(lower)
    expect(text(truncateUpper(bound(value), inPoints(length), true)?.bytes)).toBe(upper)
  })

  it('of binary increments bytes, and gives up when all are 0xFF', () => {
    const max = (...bytes: number[]): unknown =>
      truncateUpper({ bytes: Uint8Array.from(bytes), exact: true }, inBytes(2), false)
    expect(max(1, 2, 3)).toEqual({ bytes: Uint8Array.of(1, 3), exact: false })
    expect(max(1, 255, 3)).toEqual({ bytes: Uint8Array.of(2), exact: false })
    expect(max(255, 255, 3)).toBeUndefined()
    const buffer = Buffer.from([1, 2, 3])
    truncateUpper({ bytes: buffer, exact: true }, inBytes(2), false)
    expect(buffer).toEqual(Buffer.from([1, 2, 3]))
  })

  it('enclose the value, in order of bytes, and are valid UTF-8', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', minLength: 1, maxLength: 30 }),
        fc.integer({ min: 1, max: 20 }),
        (value, most) => {
          const { bytes } = bound(value)
          for (const length of [inBytes(most), inPoints(most)]) {
            const low = truncateLower(bound(value), length, true)
            const high = truncateUpper(bound(value), length, true)
            expect(Buffer.compare(low.bytes, bytes)).toBeLessThanOrEqual(0)
            if (high) expect(Buffer.compare(high.bytes, bytes)).toBeGreaterThanOrEqual(0)
            expect(() => [text(low.bytes), text(high?.bytes)]).not.toThrow()
          }
        },
      ),
      { numRuns: 500 },
    )
  })
})
