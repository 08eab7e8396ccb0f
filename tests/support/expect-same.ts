import { expect } from '@jest/globals'
import { isDeepStrictEqual } from 'node:util'

/** `expect(actual).toEqual(expected)` of much data or very often: Jest, which is slow at it, is asked only where they differ. */
export function expectSame(actual: unknown, expected: unknown): void {
  if (!isDeepStrictEqual(actual, expected)) expect(actual).toEqual(expected)
}
