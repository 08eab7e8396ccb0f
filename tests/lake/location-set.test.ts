import { afterAll, describe, expect, it } from '@jest/globals'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocationSet, isFolderInside, isInside, locationKey } from '../../jobs/lake/location-set.ts'

it('knows a location under every spelling that writers have for it', () => {
  const spellings = [
    ['s3://b/t/data/x.parquet', 's3a://b/t/data/x.parquet', 's3n://b/t//data/x.parquet'],
    [
      '/w/t/a b.parquet',
      'file:/w/t/a b.parquet',
      'file:///w/t/a%20b.parquet',
      'file://localhost/w//t/a%2520b.parquet',
    ],
    ['s3://b/t/d=a%2Fb/x', 's3://b/t/d=a/b/x', 's3://b/t/d=a%252fb/x'],
    ['s3://b/t/é', 's3://b/t/%C3%A9', 's3://b/t/é/'],
    ['file:///w/100%', '/w/100%25'],
  ]
  for (const [first, ...others] of spellings) {
    const set = createLocationSet()
    expect(set.add(first!)).toBe(true)
    for (const other of others) {
      expect([other, set.has(other)]).toEqual([other, true])
      expect(set.add(other)).toBe(false)
    }
    expect(set.size).toBe(1)
  }
  expect(locationKey('s3://b/s1/x')).not.toBe(locationKey('s3://b/s1_old/x'))
  expect(locationKey('s3://b/A')).not.toBe(locationKey('s3://b/a'))
})

it('has what was added and nothing else, also among tens of thousands', () => {
  const set = createLocationSet()
  const name = (n: number): string =>
    `s3://bucket/warehouse/default/t/data/day=2024-01-01/00000-0-${n.toString(16).padStart(12, '0')}-00001.parquet`
  const count = 20_000
  for (let n = 0; n < count; n++) set.add(name(n))
  expect(set.size).toBe(count)
  for (let n = 0; n < 2 * count; n++) if (set.has(name(n)) !== n < count) throw new Error(name(n))
})

describe('on disk', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lakejobs-links-'))
  mkdirSync(join(folder, 'real/t/data'), { recursive: true })
  mkdirSync(join(folder, 'x'))
  symlinkSync('real', join(folder, 'link'))
  symlinkSync(join(folder, 'real/t'), join(folder, 'table'))
  afterAll(() => {
    rmSync(folder, { recursive: true })
  })
  const at = (path: string): string => `file://${folder}/${path}`

  it('knows a file behind links and dots, whether it is there or not', () => {
    const set = createLocationSet()
    set.add(at('real/t/data/a.parquet'))
    for (const path of ['link/t/data/a.parquet', 'table/data/a.parquet', 'x/../link/t/./data/a.parquet'])
      expect([path, set.has(at(path))]).toEqual([path, true])
    expect(set.has(at('real/t/data/b.parquet'))).toBe(false)
    expect(locationKey(at('link/new/folder/f'))).toBe(locationKey(at('real/new/../new/folder/f')))
    expect(locationKey(at('none/../real/f'))).toBe(locationKey(at('real/f')))
  })

  it('knows a folder that is a link', () => {
    expect(isFolderInside(at('table'), at('link'))).toBe(true)
    expect(isFolderInside(at('real/t'), at('table'))).toBe(true)
    expect(isFolderInside(at('link'), at('table'))).toBe(false)
    expect(isInside(at('link/t/data/a.parquet'), at('table'))).toBe(true)
  })

  it('leaves an object’s name as it is', () => {
    expect(locationKey('s3://b/x/../t/f')).not.toBe(locationKey('s3://b/t/f'))
  })
})
