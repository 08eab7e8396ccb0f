import { describe, expect, it } from '@jest/globals'
import { without } from '../../../jobs/inspect/facts/partitions.ts'

describe('ranges without others', () => {
  it.each([
    [[['01', '09']], [], [['01', '09']]],
    [
      [['01', '09']],
      [['03', '04']],
      [
        ['01', '02'],
        ['05', '09'],
      ],
    ],
    [[['01', '09']], [['05', '20']], [['01', '04']]],
    [
      [
        ['01', '02'],
        ['05', '09'],
      ],
      [['02', '05']],
      [
        ['01', '01'],
        ['06', '09'],
      ],
    ],
    [
      [['01', '02']],
      [
        ['01', '01'],
        ['02', '02'],
      ],
      [],
    ],
  ] as const)('%j without %j are %j', (ranges, taken, left) => {
    const of = (pairs: readonly (readonly [string, string])[]) =>
      pairs.map(([from, to]) => ({ from: `2024-05-${from}`, to: `2024-05-${to}` }))
    expect(without(of(ranges), of(taken))).toEqual(of(left))
  })
})
