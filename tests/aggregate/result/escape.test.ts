import { describe, expect, it } from '@jest/globals'
import { isUtf8 } from 'node:buffer'
import fc from 'fast-check'
import { maxEscapedLength, putEscaped } from '../../../jobs/aggregate/result/escape.ts'

function escaped(bytes: Uint8Array): Buffer {
  const target = Buffer.alloc(maxEscapedLength * bytes.length)
  return target.subarray(0, putEscaped(target, 0, bytes))
}

/** As its docstring says: from left to right. */
const unescaped = (text: Buffer): Buffer =>
  Buffer.from(
    text
      .toString('latin1')
      .replace(/\\(?:\\|x(..))/g, (_, hex?: string) =>
        hex === undefined ? '\\' : String.fromCharCode(Number.parseInt(hex, 16)),
      ),
    'latin1',
  )

describe('putEscaped', () => {
  it.each([
    ['plain ~ "text", é € 😀', 'plain ~ "text", é € 😀'],
    ['a\tb', 'a\tb'],
    ['\0\n\r\x1f\x7f', '\\x00\\x0a\\x0d\\x1f\\x7f'],
    ['\u0080\u009f\u00a0', '\\xc2\\x80\\xc2\\x9f\u00a0'],
    ['\\', '\\\\'],
    ['\\x00', '\\\\x00'],
  ])('writes %j as %j', (text, expected) => {
    expect(escaped(Buffer.from(text)).toString()).toBe(expected)
  })

  it('writes bytes that are not UTF-8 one by one', () => {
    expect(escaped(Buffer.from('a\xff\xc3(\xed\xa0\x80\xe2\x82', 'latin1')).toString()).toBe(
      'a\\xff\\xc3(\\xed\\xa0\\x80\\xe2\\x82',
    )
  })

  it('can be read back, is UTF-8 and a single line', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 40 }),
          fc.string({ unit: 'binary' }).map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          const text = escaped(bytes)
          expect(unescaped(text).equals(bytes)).toBe(true)
          expect(isUtf8(text)).toBe(true)
          expect(text.toString()).not.toMatch(/[\n\r\0]/)
        },
      ),
      { numRuns: 2000 },
    )
  })
})
