import { describe, expect, it } from '@jest/globals'
import {
  cacheVersion,
  entryText,
  type DayEntry,
  type WindowEntry,
} from '../../../jobs/aggregate/cache/entry.ts'
import { pruneCache, superseded } from '../../../jobs/aggregate/cache/prune.ts'
import { noTotals } from '../../../jobs/aggregate/log/totals.ts'
import { memoryFileIO } from '../../../jobs/storage/memory.ts'

const now = new Date('2024-09-20T12:00:00Z')
const hour = 3_600_000
const key = (digit: string): string => digit.repeat(16)

/** Locations that go, of files given with their age in hours. */
const gone = (files: Readonly<Record<string, number>>, keepDays = 90): string[] =>
  superseded(
    Object.entries(files).map(([location, hours]) => ({
      location,
      size: 1,
      identity: '',
      modifiedMs: now.getTime() - hours * hour,
    })),
    keepDays,
    now,
  ).sort()

describe('superseded', () => {
  const day = (of: string, ending: string): string => `memory://c/2024-09-10/2024-09-10.${key(of)}${ending}`

  it('keeps the newest entry of a day and its files', () => {
    const files = {
      [day('a', '.json')]: 2,
      [day('a', `.${key('1')}.parquet`)]: 3,
      [day('a', `.${key('2')}.rejects`)]: 3,
    }
    expect(gone(files)).toEqual([])
  })

  it('removes what a newer entry replaces, after an hour', () => {
    const old = { [day('a', '.json')]: 2, [day('a', `.${key('1')}.parquet`)]: 2 }
    const recent = { [day('b', '.json')]: 1.5, [day('b', `.${key('1')}.parquet`)]: 1.5 }
    expect(gone({ ...old, ...recent })).toEqual(Object.keys(old).sort())
    expect(gone({ [day('a', '.json')]: 0.9, [day('b', '.json')]: 0.5 })).toEqual([])
  })

  it('removes files without an entry, after an hour', () => {
    const file = day('a', `.${key('1')}.parquet`)
    expect(gone({ [file]: 1.1 })).toEqual([file])
    expect(gone({ [file]: 0.9 })).toEqual([])
  })

  it('removes entries that are too old, with their files', () => {
    const files = { [day('a', '.json')]: 24 * 90.1, [day('a', `.${key('1')}.parquet`)]: 24 * 91 }
    expect(gone(files)).toEqual(Object.keys(files).sort())
    expect(gone(files, 91)).toEqual([])
    expect(gone(files, 999_999_999)).toEqual([])
  })

  it('keeps the files of an entry that was written again', () => {
    expect(gone({ [day('a', '.json')]: 2, [day('a', `.${key('1')}.parquet`)]: 24 * 91 })).toEqual([])
  })

  it('takes windows of another length for others', () => {
    const window = (length: number, of: string): string =>
      `memory://c/windows/2024-09-10.${length}d.${key(of)}.json`
    expect(gone({ [window(7, 'a')]: 3, [window(30, 'b')]: 2, [day('c', '.json')]: 2 })).toEqual([])
    expect(gone({ [window(7, 'a')]: 3, [window(7, 'b')]: 2 })).toEqual([window(7, 'a')])
  })

  it.each([
    '2024-09-10.csv',
    '2024-09-10.csv.gz',
    'notes.json',
    `x.${key('a')}.json`,
    `2024-09-10.${key('a')}.txt`,
    `2024-09-10.${key('A')}.json`,
  ])('leaves %s alone', (name) => {
    expect(gone({ [`memory://c/${name}`]: 1e6 })).toEqual([])
  })
})

it('pruneCache deletes them', async () => {
  let at = now.getTime() - 3 * hour
  const io = memoryFileIO(() => new Date(at))
  const entry = (of: string): string => `memory://c/2024-09-10/2024-09-10.${key(of)}.json`
  await io.write(entry('a'), Buffer.from('{}'))
  at += hour
  await io.write(entry('b'), Buffer.from('{}'))
  await pruneCache(io, 'memory://c', 90, now)
  expect(await io.stat(entry('a'))).toBeUndefined()
  expect(await io.stat(entry('b'))).toBeDefined()
})

it('pruneCache deletes what the entry beside it does not name, after an hour', async () => {
  let at = now.getTime() - 3 * hour
  const io = memoryFileIO(() => new Date(at))
  const folder = 'memory://c/2024-09-10'
  const stem = `2024-09-10.${key('a')}`
  const sha256 = 'a'.repeat(64)
  const file = (own: string, ending: string, of = stem): { name: string; size: number; sha256: string } => ({
    name: `2024-09-10/${of}.${key(own)}.${ending}`,
    size: 1,
    sha256,
  })
  const put = ({ name }: { name: string }): Promise<unknown> =>
    io.write(`memory://c/${name}`, Buffer.from('x'))
  const window = `2024-09-10.7d.${key('a')}`
  const right = [file('1', 'parquet'), file('2', 'list'), file('3', 'csv', window)]
  const orphans = [file('4', 'parquet'), file('5', 'list'), file('6', 'csv', window)]
  const unread = [
    file('1', 'parquet', `2024-09-11.${key('b')}`),
    file('2', 'parquet', `2024-09-11.${key('b')}`),
  ]
  for (const one of [...right, ...orphans, ...unread]) await put(one)
  const day: DayEntry = {
    ...{ version: cacheVersion, day: '2024-09-10', key: sha256, emails: 1, totals: { ...noTotals() } },
    ...{ source: { location: 'x', identity: 'x', size: 1, readMs: 1 }, counts: right[0]!, list: right[1]! },
  }
  await io.write(`${folder}/${stem}.json`, Buffer.from(entryText(day)))
  const result: WindowEntry = {
    version: cacheVersion,
    last: '2024-09-10',
    key: sha256,
    result: right[2]!,
    rows: 1,
  }
  await io.write(`${folder}/${window}.json`, Buffer.from(entryText(result)))
  await io.write(`${folder}/2024-09-11.${key('b')}.json`, Buffer.from('{}'))
  at = now.getTime() - hour / 2
  const young = file('7', 'parquet')
  await put(young)
  const there = async (files: readonly { name: string }[]): Promise<boolean[]> =>
    Promise.all(files.map(async ({ name }) => (await io.stat(`memory://c/${name}`)) !== undefined))
  await pruneCache(io, 'memory://c', 90, now)
  expect(await there(orphans)).toEqual([false, false, false])
  expect(await there([...right, ...unread, young])).toEqual(Array(6).fill(true))
})
