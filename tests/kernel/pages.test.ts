import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { compressSync } from 'snappy'
import { kernel } from '../../jobs/kernel/kernel.ts'
import { byteTarget } from '../../jobs/parquet/encoding/bit-packing.ts'
import { encodeIndices, hybridCapacity } from '../../jobs/parquet/encoding/hybrid.ts'
import { expectSame } from '../support/expect-same.ts'

const { arena, bytes, words, view, decodeIndices, unpackSnappy, int32Statistics, int64Statistics } = kernel()
/** Behind everything that may be written are bytes that nothing may change. */
const guard = 64
const untouched = new Uint8Array(guard).fill(0xa5)

/** Runs and values that differ, below 2^width. */
const valuesOf = (width: number): fc.Arbitrary<number[]> =>
  fc
    .array(fc.tuple(fc.nat(2 ** width - 1), fc.integer({ min: 1, max: 70 })), { minLength: 1, maxLength: 60 })
    .map((runs) =>
      runs.flatMap(([value, length]) => Array<number>(length % 3 === 0 ? length : 1).fill(value)),
    )

function encoded(values: readonly number[], width: number): Uint8Array {
  const target = byteTarget(hybridCapacity(values.length))
  const room = new Int32Array(values.length + 7)
  room.set(values)
  return target.bytes.subarray(0, encodeIndices(room, values.length, width, target, 0))
}

/** What the kernel makes of it; undefined: it is damaged. Behind the bytes is what would be a value, too. */
function decoded(content: Uint8Array, width: number, count: number, limit: number): number[] | undefined {
  return arena.scope((take) => {
    const [from, target] = [take(content.length + guard), take(4 * count + guard)]
    bytes.fill(0xff, from, from + content.length + guard)
    bytes.set(content, from)
    bytes.fill(0xa5, target, target + 4 * count + guard)
    const isWhole = decodeIndices(from, from + content.length, width, count, limit, target) !== 0
    const end = target + 4 * count
    expectSame(bytes.slice(end, end + guard), untouched)
    return isWhole ? [...words.subarray(target >> 2, end >> 2)] : undefined
  })
}

describe('indices of a dictionary', () => {
  it.each(Array.from({ length: 24 }, (_, i) => i + 1))('of %i bits are what was encoded', (width) => {
    fc.assert(
      fc.property(valuesOf(width), (values) => {
        const content = encoded(values, width)
        const most = Math.max(...values)
        expectSame(decoded(content, width, values.length, most + 1), values)
        // One of them is not in a dictionary that is smaller.
        expect(decoded(content, width, values.length, most)).toBeUndefined()
        expect(decoded(content.subarray(0, -1), width, values.length, most + 1)).toBeUndefined()
      }),
      { numRuns: 30 },
    )
  })

  it('are told from the padding of the last group, whatever is in it', () => {
    for (let width = 1; width <= 24; width++) {
      const content = Buffer.concat([Buffer.from([(2 << 1) | 1]), Buffer.alloc(2 * width)])
      // Eleven zeros, five times ones.
      for (let bit = 11 * width; bit < 16 * width; bit++) content[1 + (bit >> 3)]! |= 1 << (bit & 7)
      expect(decoded(content, width, 11, 1)).toEqual(Array(11).fill(0))
      expect(decoded(content, width, 12, 1)).toBeUndefined()
    }
  })
})

describe('statistics of a page', () => {
  const statistics = (width: 4 | 8, values: readonly bigint[]): bigint[] =>
    arena.scope((take) => {
      const [from, result] = [take(values.length * width), take(32)]
      for (const [at, value] of values.entries())
        if (width === 4) view.setInt32(from + 4 * at, Number(value), true)
        else view.setBigInt64(from + 8 * at, value, true)
      if (width === 4) {
        int32Statistics(from, values.length, result)
        const [least, most] = [view.getInt32(result, true), view.getInt32(result + 4, true)]
        return [BigInt(least), BigInt(most), view.getBigInt64(result + 8, true)]
      }
      int64Statistics(from, values.length, result)
      const parts = [0, 8, 16, 24].map((at) => view.getBigInt64(result + at, true))
      return [parts[0]!, parts[1]!, (parts[3]! << 32n) + parts[2]!]
    })

  it.each([4, 8] as const)('of %i bytes a value are those of its values', (width) => {
    const edge = 1n << BigInt(8 * width - 1)
    const value = fc.oneof(
      fc.bigInt({ min: -edge, max: edge - 1n }),
      fc.constantFrom(-edge, edge - 1n, 0n, -1n, 1n, -(1n << 31n), (1n << 31n) - 1n),
      fc.bigInt({ min: -100n, max: 100n }),
    )
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 70 }), (values) => {
        const sorted = values.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0))
        const sum = values.reduce((all, one) => all + one, 0n)
        expect(statistics(width, values)).toEqual([sorted[0], sorted.at(-1), sum])
      }),
      { numRuns: 500 },
    )
  })
})

describe('a page in Snappy', () => {
  const unpacked = (block: Uint8Array, size: number): Buffer | undefined =>
    arena.scope((take) => {
      const [from, target] = [take(block.length + guard), take(size + guard)]
      bytes.set(block, from)
      bytes.fill(0xa5, target, target + size + guard)
      const isWhole = unpackSnappy(from, from + block.length, target, size) !== 0
      const end = target + size
      expectSame(bytes.slice(end + 16, end + guard), untouched.subarray(16))
      return isWhole ? Buffer.from(bytes.slice(target, end)) : undefined
    })

  it('is what the package has packed', () => {
    const part = fc.tuple(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 40 }), fc.nat())
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 60 }), (parts) => {
        // Pieces of bytes that repeat themselves after 1 to 40.
        const pieces = parts.map(([length, period, seed]) =>
          Buffer.from(
            Uint8Array.from({ length }, (_, at) => Math.imul((at % period) + seed, 0x9e3779b1) >>> 24),
          ),
        )
        const page = Buffer.concat(pieces)
        const block = compressSync(page)
        expectSame(unpacked(block, page.length), page)
        expect(unpacked(block, page.length + 1)).toBeUndefined()
        expect(unpacked(block.subarray(0, -1), page.length)).toBeUndefined()
      }),
      { numRuns: 1000 },
    )
  })

  it('repeats what it makes, from any distance, for any length', () => {
    for (let offset = 1; offset <= 40; offset++)
      for (let length = 4; length <= 64; length++) {
        const literal = Buffer.from(Array.from({ length: offset }, (_, at) => at + 1))
        const size = offset + length
        // A literal, and a copy with its offset in two bytes.
        const block = Buffer.from([size, (offset - 1) << 2, ...literal, ((length - 1) << 2) | 2, offset, 0])
        const page = Buffer.from(Array.from({ length: size }, (_, at) => (at % offset) + 1))
        expectSame(unpacked(block, size), page)
      }
  })
})
