import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import {
  compareValues,
  fromBigEndian,
  fromSingleValue,
  minimalBigEndian,
  toSingleValue,
} from '../../../jobs/iceberg/schema/single-value.ts'
import type { PrimitiveType, Value } from '../../../jobs/iceberg/schema/types.ts'

const uuid = Buffer.from('f79c3e09677c4bbda4793f349cb785e7', 'hex')
const cases: [string, PrimitiveType, Value][] = [
  ['01', { kind: 'boolean' }, true],
  ['feffffff', { kind: 'int' }, -2],
  ['4e440000', { kind: 'date' }, 17486],
  ['0000000000000080', { kind: 'long' }, -(2n ** 63n)],
  ['ffffffffffffffff', { kind: 'timestamptz' }, -1n],
  ['0000803f', { kind: 'float' }, 1],
  ['000000000000f0bf', { kind: 'double' }, -1],
  ['c3a9f09f9880', { kind: 'string' }, 'é😀'],
  ['058c', { kind: 'decimal', precision: 9, scale: 2 }, 1420n],
  ['ff7f', { kind: 'decimal', precision: 9, scale: 2 }, -129n],
  ['00', { kind: 'decimal', precision: 9, scale: 2 }, 0n],
  [uuid.toString('hex'), { kind: 'uuid' }, uuid],
  ['00ff', { kind: 'binary' }, Buffer.from([0, 255])],
]

describe('single values', () => {
  it.each(cases)('%s is %j %s', (hex, type, value) => {
    expect(toSingleValue(type, value).toString('hex')).toBe(hex)
    expect(fromSingleValue(type, Buffer.from(hex, 'hex'))).toEqual(value)
  })

  it('of a promoted column are read by their length', () => {
    expect(fromSingleValue({ kind: 'long' }, toSingleValue({ kind: 'int' }, -7))).toBe(-7n)
    expect(fromSingleValue({ kind: 'double' }, toSingleValue({ kind: 'float' }, 0.5))).toBe(0.5)
    const microsOfDay = BigInt(Date.UTC(1969, 11, 30)) * 1000n
    expect(fromSingleValue({ kind: 'timestamp' }, toSingleValue({ kind: 'date' }, -2))).toBe(microsOfDay)
    expect(() => fromSingleValue({ kind: 'int' }, Buffer.alloc(8))).toThrow('a int value of 8 bytes')
  })

  it('of decimals have the least bytes that hold them', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }), (value) => {
        const bytes = minimalBigEndian(value)
        expect(fromBigEndian(bytes)).toBe(value)
        if (bytes.length > 1) expect(fromBigEndian(bytes.subarray(1))).not.toBe(value)
      }),
    )
  })

  it('are ordered by their type', () => {
    expect(compareValues('z', 'é')).toBeLessThan(0)
    expect(compareValues('\uffff', '😀')).toBeLessThan(0)
    expect(compareValues(Uint8Array.of(0x80), Uint8Array.of(0x7f))).toBeGreaterThan(0)
    expect(compareValues(-2n, 1n)).toBeLessThan(0)
    expect(compareValues(3, 3)).toBe(0)
  })
})
