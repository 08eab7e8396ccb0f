import { expect, it } from '@jest/globals'
import { plainText } from '../../jobs/verify/columns/value-text.ts'

const int32 = (value: number): Uint8Array => new Uint8Array(Int32Array.of(value).buffer)
const int64 = (value: bigint): Uint8Array => new Uint8Array(BigInt64Array.of(value).buffer)

it('tells dates and times, and those that no calendar has, as a damaged file may have them', () => {
  expect(plainText({ kind: 'date' }, int32(19_967))).toBe('2024-09-01')
  expect(plainText({ kind: 'date' }, int32(2 ** 31 - 1))).toBe('2147483647 days since 1970')
  expect(plainText({ kind: 'timestamptz' }, int64(-1n))).toBe('1969-12-31T23:59:59.999999Z')
  expect(plainText({ kind: 'timestamp' }, int64(2n ** 63n - 1n))).toBe(
    '9223372036854775807 microseconds since 1970',
  )
})
