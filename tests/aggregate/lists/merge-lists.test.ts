import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mergeLists, type CountsList } from '../../../jobs/aggregate/lists/merge-lists.ts'
import { listOf, writeList } from '../../../jobs/aggregate/lists/write-list.ts'
import { countsOf } from '../counts.ts'
import { listCounts, type Scanned } from '../log/scan.ts'

const bytewise = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))
const words = fc.constantFrom(
  '',
  'a',
  'aa',
  'ab',
  'B',
  'é',
  '\uFFEE',
  '\u{1F600}',
  '\uFEFFa',
  'a\nb',
  'a\0',
  'abcdefgh',
  'abcdefghi',
  'abcdefgh\0',
)
const count = fc.oneof(fc.nat(9), fc.constantFrom(255, 256, 2 ** 32, 2 ** 50))
const source = fc.dictionary(words, fc.tuple(count, count, count, count))

const sortedCounts = (of: Record<string, readonly number[]>): ReturnType<typeof countsOf> =>
  countsOf(
    Object.entries(of)
      .sort(([a], [b]) => bytewise(a, b))
      .map(([email, counts]) => [email, ...(counts as [number, number, number, number])]),
  )

/** The rows of all batches, which share their storage. */
const merged = (lists: readonly CountsList[], rows: number, sizes: number[] = []): Scanned['counts'] => {
  const all: Scanned['counts'] = []
  for (const batch of mergeLists(lists, rows)) {
    sizes.push(batch.rows)
    all.push(...listCounts(batch))
  }
  return all
}

describe('mergeLists', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lakejobs-lists-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  it('sums any sorted lists into one, whatever a batch holds', () => {
    fc.assert(
      fc.property(fc.array(source, { maxLength: 7 }), fc.integer({ min: 1, max: 5 }), (sources, rows) => {
        const sums = new Map<string, number[]>()
        for (const [email, counts] of sources.flatMap((of) => Object.entries(of)))
          sums.set(
            email,
            counts.map((more, i) => more + (sums.get(email)?.[i] ?? 0)),
          )
        const expected = [...sums]
          .sort(([a], [b]) => bytewise(a, b))
          .map(([email, counts]) => [Buffer.from(email).toString('latin1'), ...counts])
        const sizes: number[] = []
        const found = merged(
          sources.map((of) => listOf(sortedCounts(of))),
          rows,
          sizes,
        )
        expect(found).toEqual(expected)
        expect(sizes.every((size, i) => size === rows || i === sizes.length - 1)).toBe(true)
      }),
      { numRuns: 200 },
    )
  })

  it('reads files whose windows end anywhere in a record', () => {
    // More than a window of each, and records of any length, so that many are cut.
    const names = Array.from(
      { length: 30_000 },
      (_, i) => `user${String(i).padStart(6, '0')}${'z'.repeat(i % 50)}`,
    )
    const emails = names.toSorted(bytewise)
    const files = [2, 3, 5].map((step, file) => {
      const path = join(folder, `${file}.list`)
      const rows = emails
        .filter((_, i) => i % step === 0)
        .map((email) => [email, 1, 0, file * 300, 0] as const)
      const written = writeList(path, [countsOf(rows)])
      expect(written.size).toBeGreaterThan(200_000)
      return path
    })
    const expected = emails
      .map((email, i) => [
        email,
        [2, 3, 5].filter((step) => i % step === 0).length,
        0,
        (i % 3 === 0 ? 300 : 0) + (i % 5 === 0 ? 600 : 0),
        0,
      ])
      .filter(([, creates]) => creates !== 0)
    // As text: what differs in lists of this length takes minutes to show.
    expect(JSON.stringify(merged(files, 1000)) === JSON.stringify(expected)).toBe(true)
  })

  it('takes records that are longer than a window', () => {
    const long = 'x'.repeat(600_000)
    const lists = [
      listOf(countsOf([[long, 1, 0, 0, 0]])),
      listOf(
        countsOf([
          ['a', 1, 0, 0, 0],
          [long, 2, 300, 0, 0],
          [`${long}y`, 0, 0, 4, 0],
        ]),
      ),
    ]
    const found = merged(lists, 10).map(([email, ...counts]) => [email.length, ...counts])
    expect(found).toEqual([
      [1, 1, 0, 0, 0],
      [600_000, 3, 300, 0, 0],
      [600_001, 0, 0, 4, 0],
    ])
  })

  it('has nothing to merge in none, and in empty ones', () => {
    expect(merged([], 10)).toEqual([])
    expect(merged([new Uint8Array(0), listOf(countsOf([['a', 1, 0, 0, 0]])), new Uint8Array(0)], 10)).toEqual(
      [['a', 1, 0, 0, 0]],
    )
    expect(merged([new Uint8Array(0)], 10)).toEqual([])
  })

  it('fails where a file is not there, or ends inside a record', async () => {
    const path = join(folder, 'cut.list')
    writeList(path, [
      countsOf([
        ['a', 1, 0, 0, 0],
        ['bcd', 1, 0, 0, 0],
      ]),
    ])
    for (const size of [11, 16]) {
      await truncate(path, size)
      expect(() => merged([path], 10)).toThrow(
        expect.objectContaining({
          code: 'failed',
          message: `a list of counts ends inside a record: ${path}`,
        }),
      )
      await rm(path)
      writeList(path, [
        countsOf([
          ['a', 1, 0, 0, 0],
          ['bcd', 1, 0, 0, 0],
        ]),
      ])
    }
    expect(() => merged([join(folder, 'none')], 10)).toThrow(expect.objectContaining({ code: 'failed' }))
    await writeFile(join(folder, 'empty'), '')
    expect(merged([join(folder, 'empty')], 10)).toEqual([])
  })
})
