import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { totalsOf } from '../../jobs/aggregate/counts.ts'
import { mergeCounts } from '../../jobs/aggregate/merge-counts.ts'
import { countsOf } from './counts.ts'
import { listCounts } from './log/scan.ts'

const bytewise = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))
const emails = fc.constantFrom('', 'a', 'aa', 'ab', 'B', 'é', '\uFFEE', '\u{1F600}', '\uFEFFa', 'a\nb')
const source = fc.dictionary(emails, fc.tuple(fc.nat(9), fc.nat(9), fc.nat(9), fc.nat(9)))

describe('mergeCounts', () => {
  it('sums any sorted sources into one', () => {
    fc.assert(
      fc.property(fc.array(source, { maxLength: 7 }), (sources) => {
        const sums = new Map<string, number[]>()
        for (const [email, counts] of sources.flatMap((of) => Object.entries(of))) {
          sums.set(
            email,
            counts.map((count, i) => count + (sums.get(email)?.[i] ?? 0)),
          )
        }
        const sorted = sources.map((of) =>
          countsOf(
            Object.entries(of)
              .sort(([a], [b]) => bytewise(a, b))
              .map(([email, counts]) => [email, ...counts]),
          ),
        )
        const expected = [...sums].sort(([a], [b]) => bytewise(a, b))
        expect(listCounts(mergeCounts(sorted))).toEqual(
          expected.map(([email, counts]) => [Buffer.from(email).toString('latin1'), ...counts]),
        )
      }),
      { numRuns: 300 },
    )
  })

  it('comes to the totals of its sources: each event weighs the bytes of its email', () => {
    const [one, other] = [
      countsOf([['a', 1, 2, 0, 0]]),
      countsOf([
        ['a', 0, 0, 3, 0],
        ['bé', 0, 0, 0, 4],
      ]),
    ]
    expect(totalsOf(mergeCounts([one, other]))).toEqual({
      rows: 10,
      events: [1, 2, 3, 4],
      emailBytes: 6 + 12,
    })
    expect(totalsOf(mergeCounts([]))).toEqual({ rows: 0, events: [0, 0, 0, 0], emailBytes: 0 })
  })

  it('reads emails that lie anywhere in their buffer', () => {
    const { emails: data, ...rest } = countsOf([['b', 1, 0, 0, 0]])
    const shifted = { ...rest, emails: Buffer.concat([Buffer.from('zz'), data]).subarray(2) }
    expect(
      listCounts(
        mergeCounts([
          countsOf([
            ['a', 2, 0, 0, 0],
            ['b', 3, 0, 0, 0],
          ]),
          shifted,
        ]),
      ),
    ).toEqual([
      ['a', 2, 0, 0, 0],
      ['b', 4, 0, 0, 0],
    ])
  })

  it('is exact beyond 32 bits', () => {
    const large = countsOf([['a', 2 ** 52, 2 ** 32, 0, 1]])
    expect(listCounts(mergeCounts([large, large]))).toEqual([['a', 2 ** 53, 2 ** 33, 0, 2]])
  })
})
