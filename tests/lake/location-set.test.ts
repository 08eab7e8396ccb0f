import { expect, it } from '@jest/globals'
import { createLocationSet, locationKey } from '../../jobs/lake/location-set.ts'

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
