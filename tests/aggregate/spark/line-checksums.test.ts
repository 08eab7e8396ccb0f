import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { crc32 } from 'node:zlib'
import { lineChecksums } from '../../../jobs/aggregate/spark/line-checksums.ts'

const lineFeed = 0x0a
/** By zlib, line by line. */
function expected(lines: Uint8Array): number {
  let sum = 0
  for (let from = 0; from < lines.length;) {
    const at = lines.indexOf(lineFeed, from)
    const end = at < 0 ? lines.length : at
    sum = (sum + crc32(lines.subarray(from, end))) % 2 ** 32
    from = end + 1
  }
  return sum
}
/** Bytes that differ from a line feed by a bit or a carry are among them more often than others. */
const byte = fc.oneof(fc.constantFrom(0x0a, 0x0b, 0x09, 0x8a, 0x0a ^ 0x01, 0x00, 0xff), fc.nat(255))

describe('checksums of lines', () => {
  it('are zlib’s, whatever is in them and wherever they end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.array(byte, { maxLength: 400 }), (any, chosen) => {
        for (const lines of [any, Uint8Array.from(chosen)])
          expect(lineChecksums(lines, 1000)).toBe(expected(lines))
      }),
      { numRuns: 2000 },
    )
  })

  it('of more than there is room for at once', () => {
    const lines = Buffer.from('x'.repeat(999) + '\n')
      .toString()
      .repeat(5000)
    for (const text of [lines, `${lines}\n\nabc`, `${'y'.repeat(2 ** 20)}\n${lines}`])
      expect(lineChecksums(Buffer.from(text), 2 ** 20)).toBe(expected(Buffer.from(text)))
  })

  it.each([
    ['x'.repeat(17), 17, 16],
    [`a\n${'x'.repeat(17)}\nb`, 17, 16],
    ['x'.repeat(2 ** 20), 2 ** 20, 2 ** 20 - 1],
    [`${'x'.repeat(2 ** 20)}\n${'y\n'.repeat(2 ** 20)}`, 2 ** 20, 2 ** 20 - 1],
  ])('are none where a line is longer than it may be (%#)', (text, longest, less) => {
    const lines = Buffer.from(text)
    expect(lineChecksums(lines, longest)).toBe(expected(lines))
    expect(lineChecksums(lines, less)).toBeUndefined()
  })

  it('are none where a line has no room', () => {
    expect(lineChecksums(Buffer.alloc(2 ** 22, 'x'), 2 ** 20)).toBeUndefined()
    expect(lineChecksums(Buffer.from(`a\n${'x'.repeat(2 ** 21 + 5)}\nb`), 2 ** 20)).toBeUndefined()
  })
})
