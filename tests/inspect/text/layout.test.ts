import { describe, expect, it } from '@jest/globals'
import { aligned, cut, cutMiddle, painted, plain, wrapped } from '../../../jobs/inspect/text/layout.ts'
import { ageText, bytesText, changeText, countText } from '../../../jobs/inspect/text/words.ts'

describe('text on a screen', () => {
  it('is cut by the columns that it takes', () => {
    expect(cut('abcdef', 6)).toBe('abcdef')
    expect(cut('abcdef', 5)).toBe('abcd…')
    expect(cut('日本語', 5)).toBe('日本…')
    expect(cut('日本語', undefined)).toBe('日本語')
    expect(cutMiddle('abcdefghij', 7)).toBe('abc…hij')
    expect(cutMiddle('日本語日本語', 7)).toBe('日本語…')
  })

  it('is aligned, numbers to the right', () => {
    expect(
      aligned(
        [
          ['a', '1', 'x'],
          ['日本', '100', ''],
        ],
        [false, true],
      ),
    ).toEqual(['a       1  x', '日本  100'])
  })

  it('is wrapped between words', () => {
    expect(wrapped('aa bb cc dd', 5, 1)).toEqual(['aa bb', ' cc', ' dd'])
    expect(wrapped('aaaaaaaaa b', 5)).toEqual(['aaaaaaaaa', 'b'])
  })

  it('has no control of others, and colours only where they are wanted', () => {
    expect(plain('a\u{1b}[31mb\nc\u{202e}d')).toBe(String.raw`a\u{1b}[31mb\u{a}c\u{202e}d`)
    expect(painted('a', 'red', { width: 80, colours: false })).toBe('a')
    expect(painted('a', 'red', { width: 80, colours: true })).toBe('\u{1b}[31ma\u{1b}[0m')
  })
})

describe('words for numbers', () => {
  it.each([
    [0, '0 bytes'],
    [1023, '1023 bytes'],
    [1024, '1 kB'],
    [12_595, '12.3 kB'],
    [1024 * 1023.7, '1 MB'],
    [2 ** 29, '512 MB'],
    [5 * 2 ** 40, '5 TB'],
  ])('%d is %s', (bytes, text) => {
    expect(bytesText(bytes)).toBe(text)
  })

  it.each([
    [3, 'just now'],
    [60, '60 s ago'],
    [600, '10 min ago'],
    [7200, '2 h ago'],
    [86_400 * 3, '3 days ago'],
    [-600, 'in 10 min, by a clock that is ahead'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(ageText(seconds)).toBe(text)
  })

  it('are counts of things, and changes', () => {
    expect([countText(1, 'file'), countText(1200, 'file')]).toEqual(['1 file', '1,200 files'])
    expect([changeText(1, 2000), changeText(undefined, 5), changeText(undefined, undefined)]).toEqual([
      '+1 -2,000',
      '-5',
      '',
    ])
  })
})
