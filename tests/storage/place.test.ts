import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { homedir } from 'node:os'
import { basename, canonicalLocation, join, parsePlace, placeText } from '../../jobs/storage/place.ts'

const place = (text: string): string => parsePlace(text, 'INPUT', '/home/here')

describe('placeText', () => {
  it('is what parsePlace takes for the same place', () => {
    for (const location of ['file:///a b/100%/x', 'file:///a%20b', 's3://b/k%20', "file:///it's"])
      expect(place(placeText(location))).toBe(location)
    expect(place(placeText('file:/a'))).toBe('file:///a')
  })
})

describe('parsePlace', () => {
  it.each([
    ['./folder', 'file:///home/here/folder'],
    ['folder/', 'file:///home/here/folder'],
    ['../up', 'file:///home/up'],
    ['.', 'file:///home/here'],
    ['/', 'file:///'],
    ['/abs//x/', 'file:///abs/x'],
    ['/a b/100%/#1/ü', 'file:///a b/100%/#1/ü'],
    ['~/lake', `file://${homedir()}/lake`],
    ['file:///x', 'file:///x'],
    ['file:/x', 'file:///x'],
    ['FILE://localhost/x/', 'file:///x'],
    ['file:///a%20b/100%25/%231/%C3%BC', 'file:///a b/100%/#1/ü'],
    ['s3://bucket', 's3://bucket'],
    ['s3://bucket/', 's3://bucket'],
    ['s3a://bucket/a/b/', 's3://bucket/a/b'],
    ['S3N://bucket/a%20b', 's3://bucket/a%20b'],
  ])('%s is %s', (text, location) => {
    expect(place(text)).toBe(location)
  })

  it.each([
    ['', 'empty'],
    ['a\0b', 'NUL'],
    ['gs://bucket/x', 'unknown scheme gs:'],
    ['C:\\data', 'unknown scheme c:'],
    ['s3://', 'no bucket'],
    ['s3:///key', 'no bucket'],
    ['s3:bucket', 'no bucket'],
    ['s3://bucket/a/../b', '".."'],
    ['s3://bucket/./b', '".."'],
    ['s3://bucket//b', '".."'],
    ['file://host/x', 'host'],
    ['file:x', 'absolute'],
    ['file:///100%', 'valid'],
  ])('refuses %j', (text, why) => {
    expect(() => place(text)).toThrow(why)
    expect(() => place(text)).toThrow(expect.objectContaining({ code: 'usage', field: 'INPUT' }))
    expect(() => place(text)).toThrow('INPUT: ')
  })

  it('reads encoded file URIs, paths and its own locations', () => {
    const name = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 20 })
      .filter((text) => !/[/\0]/.test(text) && text !== '.' && text !== '..')
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 4 }), (names) => {
        const path = `/${names.join('/')}`
        expect(place(`file:///${names.map(encodeURIComponent).join('/')}`)).toBe(`file://${path}`)
        expect(place(path)).toBe(`file://${path}`)
        expect(canonicalLocation(`file://${path}`)).toBe(`file://${path}`)
      }),
    )
  })
})

describe('canonicalLocation', () => {
  it.each([
    ['file:/a%20b', 'file:///a%20b'],
    ['file:///x', 'file:///x'],
    ['s3a://b/k', 's3://b/k'],
    ['S3://b/K', 's3://b/K'],
    ['memory://store/x', 'memory://store/x'],
    ['/x/a b', 'file:///x/a b'],
    ['//x', 'file:///x'],
    ['x/y', 'x/y'],
  ])('%s is %s', (given, location) => {
    expect(canonicalLocation(given)).toBe(location)
  })
})

describe('join and basename', () => {
  it('put locations together and apart', () => {
    expect(join('s3://bucket', 'a', 'b/c.csv')).toBe('s3://bucket/a/b/c.csv')
    expect(join('file:///', 'a')).toBe('file:///a')
    expect(join('file:///x', 'a')).toBe('file:///x/a')
    expect(basename('file:///x/2024-09-24.csv')).toBe('2024-09-24.csv')
  })
})
