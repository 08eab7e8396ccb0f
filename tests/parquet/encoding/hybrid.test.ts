import { decodeValues } from '@dsnp/parquetjs/dist/lib/codec/rle.js'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { byteTarget } from '../../../jobs/parquet/encoding/bit-packing.ts'
import { encodeIndices, encodeLevels, hybridCapacity } from '../../../jobs/parquet/encoding/hybrid.ts'

/** Runs of random lengths, mostly short, of values below 2^width. */
const runsOf = (width: number): fc.Arbitrary<number[]> =>
  fc
    .array(fc.tuple(fc.integer({ min: 0, max: 2 ** width - 1 }), fc.integer({ min: 1, max: 70 })), {
      minLength: 1,
      maxLength: 40,
    })
    .map((runs) =>
      runs.flatMap(([value, length]) => Array<number>(length % 3 === 0 ? length : 1).fill(value)),
    )

function encode(values: readonly number[], width: number): Buffer {
  const target = byteTarget(hybridCapacity(values.length) + 3)
  const room = new Int32Array(values.length + 7).fill(-1)
  room.set(values)
  const end = encodeIndices(room, values.length, width, target, 3)
  return Buffer.from(target.bytes.subarray(3, end))
}

/** parquetjs's decoder, which shares nothing with ours. */
const decode = (buffer: Buffer, count: number, bitWidth: number): number[] =>
  decodeValues('INT32', { buffer, offset: 0, size: buffer.length }, count, {
    bitWidth,
    disableEnvelope: true,
  }) as number[]

describe('dictionary indices', () => {
  it.each(Array.from({ length: 24 }, (_, i) => i + 1))('of %i bits are read back by parquetjs', (width) => {
    fc.assert(
      fc.property(runsOf(width), (values) => {
        expect(decode(encode(values, width), values.length, width)).toEqual(values)
      }),
      { numRuns: 20 },
    )
  })

  it('of pages longer than the kernel takes at once follow each other without padding between them', () => {
    // Runs of 13 leave groups that end between the slices.
    const values = Array.from({ length: 100_003 }, (_, i) => (i % 1000 < 13 ? 3 : (i * 7919) % 128))
    expect(decode(encode(values, 7), values.length, 7)).toEqual(values)
  })

  it('are padded with zeros to a group of eight', () => {
    expect([...encode([3], 2)]).toEqual([(1 << 1) | 1, 3, 0])
  })

  it('of one repeated value take a run of a few bytes', () => {
    expect(encode(Array<number>(20_000).fill(5), 3)).toHaveLength(4)
  })

  it('never need more room than hybridCapacity says, and no more than packing plus a header', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 400 }), (width, count) => {
        const values = Array.from({ length: count }, (_, i) => (i * 7919) % 2 ** width)
        expect(encode(values, width).length).toBeLessThanOrEqual(Math.ceil(count / 8) * width + 2)
      }),
    )
  })
})

describe('definition levels', () => {
  const levels = (defined: Uint8Array | undefined, from: number, to: number): number[] => {
    const target = byteTarget(hybridCapacity(to - from) + 4)
    const end = encodeLevels(defined, from, to, target, 0)
    const buffer = Buffer.from(target.bytes.subarray(0, end))
    expect(buffer.readInt32LE(0)).toBe(end - 4)
    return decode(buffer.subarray(4), to - from, 1)
  }

  it('are read back by parquetjs', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 1, max: 200 })), {
          minLength: 1,
          maxLength: 20,
        }),
        fc.nat(50),
        (runs, skip) => {
          const defined = Uint8Array.from(runs.flatMap(([flag, length]) => Array<number>(length).fill(flag)))
          const from = Math.min(skip, defined.length - 1)
          expect(levels(defined, from, defined.length)).toEqual([...defined.subarray(from)])
        },
      ),
    )
  })

  it('without NULLs are one run', () => {
    expect(levels(undefined, 10, 1010)).toEqual(Array(1000).fill(1))
  })
})
