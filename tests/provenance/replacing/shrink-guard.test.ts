import { describe, expect, it } from '@jest/globals'
import { assertNoShrink } from '../../../jobs/provenance/replacing/shrink-guard.ts'

const check = (before: number, after: number, share: number) => () => {
  assertNoShrink('default.t', before, after, share)
}

describe('the shrink guard', () => {
  it.each([
    [0, 0, 0.5],
    [100, 50, 0.5],
    [100, 1000, 0],
    [100, 0, 1],
    [3, 3, 0],
  ])('lets %d rows become %d at %d', (before, after, share) => {
    expect(check(before, after, share)).not.toThrow()
  })
  it.each([
    [100, 49, 0.5],
    [100, 0, 0.99],
    [1, 0, 0.5],
    [100, 99, 0],
  ])('refuses %d rows to become %d at %d', (before, after, share) => {
    expect(check(before, after, share)).toThrow(`${before} rows would be replaced by ${after}`)
  })
})
