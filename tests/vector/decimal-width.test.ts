import { expect, it } from '@jest/globals'
import { decimalWidth, leastDecimalWidth } from '../../jobs/vector/decimal-width.ts'

const precisions = Array.from({ length: 38 }, (_, index) => index + 1)

it('the fewest bytes of a decimal hold all of its values, and one fewer does not', () => {
  for (const precision of precisions) {
    const greatest = 10n ** BigInt(precision) - 1n
    const width = leastDecimalWidth(precision)
    const holds = (bytes: number, value: bigint): boolean => BigInt.asIntN(8 * bytes, value) === value
    expect([holds(width, greatest), holds(width, -greatest), holds(width - 1, greatest)]).toEqual([
      true,
      true,
      false,
    ])
  }
  expect([1, 2, 3, 9, 18, 19, 38].map(leastDecimalWidth)).toEqual([1, 1, 2, 4, 8, 9, 16])
})

it('in a vector it is an integer while one is wide enough', () => {
  expect([1, 9, 10, 18, 19, 38].map(decimalWidth)).toEqual([4, 4, 8, 8, 9, 16])
})
