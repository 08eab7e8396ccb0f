import { describe, expect, it } from '@jest/globals'
import * as node from 'node:buffer'
import { isUtf8, utf8SequenceLength } from '../../jobs/aggregate/utf8.ts'

describe('isUtf8', () => {
  it('agrees with Node on every pair of leading bytes, complete and cut short', () => {
    for (let first = 0; first < 256; first++) {
      for (let second = 0; second < 256; second++) {
        const bytes = Buffer.from([first, second, 0x80, 0xbf])
        for (const end of [1, 2, 3, 4]) {
          if (isUtf8(bytes, 0, end) !== node.isUtf8(bytes.subarray(0, end))) {
            throw new Error(`differs for ${bytes.toString('hex', 0, end)}`)
          }
        }
      }
    }
  })

  it('checks the third and fourth byte', () => {
    for (const bytes of [
      [0xe2, 0x82, 0x28],
      [0xf0, 0x9f, 0x98, 0xc0],
    ]) {
      expect(isUtf8(Buffer.from(bytes), 0, bytes.length)).toBe(false)
    }
  })
})

describe('utf8SequenceLength', () => {
  it.each(['a', 'é', '€', '😀'])('is the length of %s', (text) => {
    const bytes = Buffer.from(`${text}x`)
    expect(utf8SequenceLength(bytes, 0, bytes.length)).toBe(bytes.length - 1)
  })
})
