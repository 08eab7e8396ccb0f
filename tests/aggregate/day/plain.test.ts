import { describe, expect, it } from '@jest/globals'
import { isPlain } from '../../../jobs/aggregate/day/plain.ts'

const bom = Buffer.from('\uFEFFa')

describe('isPlain', () => {
  it.each(['', 'a,READ,2024-09-16 00:00:00\n\n', 'é, \t\x7f', 'a\uFEFF'])('%j is', (text) => {
    expect(isPlain(Buffer.from(text), true)).toBe(true)
  })

  it.each(['"', 'a\r\n', 'a\0'])('%j is not', (text) => {
    for (const first of [true, false]) expect(isPlain(Buffer.from(text), first)).toBe(false)
  })

  it('minds a BOM at the start of the file alone', () => {
    expect([isPlain(bom, true), isPlain(bom, false)]).toEqual([false, true])
  })

  it('looks at its own bytes of a larger buffer', () => {
    expect(isPlain(Buffer.from('"a"').subarray(1, 2), true)).toBe(true)
  })
})
