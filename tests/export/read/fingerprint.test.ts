import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { combined, fingerprintOf, noRows, sumText } from '../../../jobs/export/read/fingerprint.ts'
import { gather } from '../../../jobs/export/read/gather.ts'
import type { PrimitiveType } from '../../../jobs/iceberg/types.ts'
import type { ColumnVector } from '../../../jobs/parquet/vector.ts'
import { bigEndian, bytes, doubles, floats, int32s, int64s } from '../../parquet/support.ts'

const int: PrimitiveType = { kind: 'int' }
const long: PrimitiveType = { kind: 'long' }
const text: PrimitiveType = { kind: 'string' }
const decimal = (precision: number): PrimitiveType => ({ kind: 'decimal', precision, scale: 0 })

const sumOf = (type: PrimitiveType, vector: ColumnVector): string => sumText(fingerprintOf([type], [vector]))

describe('fingerprint', () => {
  it('does not change when a column is widened', () => {
    const numbers = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), null, 123_456]
    const bigs = numbers.map((number) => (number === null ? null : BigInt(number)))
    const narrow = sumOf(int, int32s(numbers))
    expect(sumOf(long, int64s(bigs))).toBe(narrow)
    expect(sumOf(decimal(9), int32s(numbers))).toBe(narrow)
    expect(sumOf(decimal(18), int64s(bigs))).toBe(narrow)
    expect(sumOf(decimal(20), bigEndian(9, bigs))).toBe(narrow)
    expect(sumOf(decimal(38), bigEndian(16, bigs))).toBe(narrow)

    const large = [10n ** 20n, -(10n ** 20n), 2n ** 64n, -(2n ** 63n) - 1n]
    expect(sumOf(decimal(38), bigEndian(16, large))).toBe(sumOf(decimal(22), bigEndian(10, large)))

    const fractions = [0, 1.5, -0, Infinity, NaN, null]
    expect(sumOf({ kind: 'double' }, doubles(fractions))).toBe(sumOf({ kind: 'float' }, floats(fractions)))
  })

  it('is the same in whatever order and however many batches the rows come', () => {
    const cells = Array.from({ length: 10_000 }, (_, i) => (i % 11 === 0 ? null : `row ${i * i}`))
    const numbers = cells.map((_, i) => (i % 7 === 0 ? null : i))
    const all = fingerprintOf([text, int], [bytes(cells), int32s(numbers)])
    const order = cells.map((_, i) => (i * 7919) % cells.length)
    const shuffled = fingerprintOf(
      [text, int],
      [bytes(order.map((i) => cells[i]!)), int32s(order.map((i) => numbers[i]!))],
    )
    expect(shuffled).toEqual(all)
    const parts = [0, 1, 2].map((part) => {
      const rows = Int32Array.from(cells.keys()).filter((i) => i % 3 === part)
      return fingerprintOf([text, int], [gather(bytes(cells), rows), gather(int32s(numbers), rows)])
    })
    expect(parts.reduce(combined, noRows(2))).toEqual(all)
    expect(all).toMatchObject({ rows: 10_000, nulls: [910, 1429] })
  })

  it('tells values, columns, NULL and lengths apart', () => {
    const sums = [
      sumOf(text, bytes([''])),
      sumOf(text, bytes([null])),
      ...['\0', '\0\0', 'a', 'ab', 'abc', 'abcd', 'abcde', 'abcdefgh', 'abcdefghi'].map((value) =>
        sumOf(text, bytes([value])),
      ),
      sumOf(text, bytes(['abcdefghabcdefgh'])),
      sumOf(int, int32s([1])),
      sumText(fingerprintOf([int, int], [int32s([1]), int32s([2])])),
      sumText(fingerprintOf([int, int], [int32s([2]), int32s([1])])),
      sumText(fingerprintOf([int, int], [int32s([1]), int32s([null])])),
      sumText(fingerprintOf([int, int], [int32s([null]), int32s([1])])),
    ]
    expect(new Set(sums).size).toBe(sums.length)
    expect(new Set(sums.flatMap((sum) => sum.match(/.{8}/g)!)).size).toBe(4 * sums.length)
  })

  it('changes with any byte of a text', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 70 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (value, at, flip) => {
          const other = Uint8Array.from(value)
          other[at % value.length]! ^= flip
          expect(sumOf(text, bytes([other]))).not.toBe(sumOf(text, bytes([value])))
        },
      ),
    )
  })
})

describe('gather', () => {
  const vectors = [
    int32s([1, 2, 3, 4, 5, 6]),
    int64s([1n, null, 3n, 4n, null, 6n]),
    bytes(['a', 'bc', '', null, 'def', 'g']),
    bigEndian(16, [1n, 2n, 3n, 4n, 5n, null]),
  ]
  it.each([[[1, 2, 3, 4]], [[0, 2, 5]], [[4]], [[]]])('takes the rows %j', (rows) => {
    for (const vector of vectors) {
      const taken = gather(vector, Int32Array.from(rows))
      expect(cellsOf(taken)).toEqual(rows.map((row) => cellsOf(vector)[row]))
      expect(taken.data.byteOffset % 8).toBe(0)
    }
  })
})

/** Each row's bytes in hexadecimal, or null. */
function cellsOf(vector: ColumnVector): (string | null)[] {
  let value = 0
  return Array.from({ length: vector.rows }, (_, row) => {
    if (vector.defined?.[row] === 0) return null
    const at = value++
    const [from, to] =
      vector.kind === 'fixed'
        ? [at * vector.width, (at + 1) * vector.width]
        : [vector.offsets[at]!, vector.offsets[at + 1]!]
    return Buffer.from(vector.data.subarray(from, to)).toString('hex')
  })
}
