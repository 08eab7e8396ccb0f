import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { murmur3 } from '../../../jobs/iceberg/partition/murmur3.ts'
import { sourceRange } from '../../../jobs/iceberg/partition/source-range.ts'
import { applyTransform } from '../../../jobs/iceberg/partition/transform-vector.ts'
import { parseTransform, type OrderedTransform } from '../../../jobs/iceberg/partition/transforms.ts'
import type { PrimitiveType } from '../../../jobs/iceberg/schema/types.ts'
import type { ColumnVector } from '../../../jobs/vector/vector.ts'
import { bytes, fixed, spreadOut } from './vectors.ts'

const results = (transform: string, type: PrimitiveType, vector: ColumnVector): unknown[] =>
  spreadOut(applyTransform(parseTransform(transform), type, vector))

const micros = (iso: string): bigint => BigInt(Date.parse(iso)) * 1000n
const floorDiv = (a: bigint, b: bigint): bigint => (a - (((a % b) + b) % b)) / b
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
/** Years 1 to 9999, what PostgreSQL's export lets through (export-spec §1.5). */
const instant = fc.bigInt({ min: micros('0001-01-01T00:00:00Z'), max: micros('9999-12-31T23:59:59Z') })

describe('bucket: the test vectors of the specification, appendix B', () => {
  const most = 2 ** 31 - 1
  const vectors: [string, PrimitiveType, ColumnVector, number][] = [
    ['int 34', { kind: 'int' }, fixed(4, [34]), 2017239379],
    ['long 34', { kind: 'long' }, fixed(8, [34n]), 2017239379],
    ['decimal 14.20', { kind: 'decimal', precision: 9, scale: 2 }, fixed(4, [1420]), -500754589],
    ['decimal(18) 14.20', { kind: 'decimal', precision: 18, scale: 2 }, fixed(8, [1420n]), -500754589],
    [
      'decimal(38) 14.20',
      { kind: 'decimal', precision: 38, scale: 2 },
      fixed(16, [Buffer.from('0000000000000000000000000000058c', 'hex')]),
      -500754589,
    ],
    ['date 2017-11-16', { kind: 'date' }, fixed(4, [17486]), -653330422],
    ['time 22:31:08', { kind: 'time' }, fixed(8, [81068000000n]), -662762989],
    ['timestamp', { kind: 'timestamp' }, fixed(8, [micros('2017-11-16T22:31:08Z')]), -2047944441],
    ['timestamptz', { kind: 'timestamptz' }, fixed(8, [micros('2017-11-16T22:31:08Z')]), -2047944441],
    ['string iceberg', { kind: 'string' }, bytes(['iceberg']), 1210000089],
    [
      'uuid',
      { kind: 'uuid' },
      fixed(16, [Buffer.from('f79c3e09677c4bbda4793f349cb785e7', 'hex')]),
      1488055340,
    ],
    ['fixed 00010203', { kind: 'fixed', length: 4 }, fixed(4, [Uint8Array.of(0, 1, 2, 3)]), -188683207],
    ['binary 00010203', { kind: 'binary' }, bytes([Uint8Array.of(0, 1, 2, 3)]), -188683207],
  ]

  it.each(vectors)('%s', (_name, type, vector, hash) => {
    expect(results(`bucket[${most}]`, type, vector)).toEqual([(hash & 0x7fffffff) % most])
    expect(results('bucket[16]', type, vector)).toEqual([(hash & 0x7fffffff) % 16])
  })

  it('hashes negative ints as longs', () => {
    expect(results('bucket[1000]', { kind: 'int' }, fixed(4, [-34, null]))).toEqual([
      ...results('bucket[1000]', { kind: 'long' }, fixed(8, [-34n])),
      null,
    ])
  })

  it('has murmur3 right for every tail length', () => {
    // MurmurHash3_x86_32, seed 0: known values of the reference implementation.
    const known: [string, number][] = [
      ['', 0],
      ['a', 0x3c2569b2],
      ['ab', 0x9bbfd75f],
      ['abc', 0xb3dd93fa],
      ['abcd', 0x43ed676a],
    ]
    for (const [text, hash] of known) expect(murmur3(Buffer.from(text), 0, text.length) >>> 0).toBe(hash)
  })
})

describe('time transforms', () => {
  it('round down before 1970', () => {
    const vector = fixed(8, [-1n, 0n, micros('1969-12-31T00:00:00Z'), micros('1968-02-29T12:00:00Z'), null])
    const type: PrimitiveType = { kind: 'timestamptz' }
    expect(results('day', type, vector)).toEqual([-1, 0, -1, -672, null])
    expect(results('hour', type, vector)).toEqual([-1, 0, -24, -16116, null])
    expect(results('month', type, vector)).toEqual([-1, 0, -1, -23, null])
    expect(results('year', type, vector)).toEqual([-1, 0, -1, -2, null])
  })

  it('equal exact arithmetic for every instant from year 1 to 9999', () => {
    const onBoundary = instant.chain((at) =>
      fc.constantFrom(-1n, 0n, 1n).map((by) => floorDiv(at, 3_600_000_000n) * 3_600_000_000n + by),
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(instant, onBoundary), { maxLength: 20 }), (values) => {
        const type: PrimitiveType = { kind: 'timestamp' }
        const vector = fixed(8, values)
        expect(results('day', type, vector)).toEqual(values.map((v) => Number(floorDiv(v, 86_400_000_000n))))
        expect(results('hour', type, vector)).toEqual(values.map((v) => Number(floorDiv(v, 3_600_000_000n))))
        const dates = values.map((v) => new Date(Number(floorDiv(v, 1000n))))
        expect(results('month', type, vector)).toEqual(
          dates.map((date) => (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth()),
        )
        expect(results('year', type, vector)).toEqual(dates.map((date) => date.getUTCFullYear() - 1970))
      }),
    )
  })

  it('are one value for a batch within one day, and two from its first microsecond outside', () => {
    const day = 86_400_000_000n
    const within = fc.bigInt({ min: 0n, max: day - 1n })
    fc.assert(
      fc.property(instant, fc.array(within, { minLength: 1, maxLength: 6 }), (some, offsets) => {
        const number = floorDiv(some, day)
        const rows = [null, ...offsets.map((offset) => number * day + offset), null]
        const expected = rows.map((row) => (row === null ? null : Number(number)))
        expect(results('day', { kind: 'timestamptz' }, fixed(8, rows))).toEqual(expected)
        for (const [outside, other] of [
          [number * day - 1n, number - 1n],
          [(number + 1n) * day, number + 1n],
        ] as const)
          expect(results('day', { kind: 'timestamptz' }, fixed(8, [...rows, outside]))).toEqual([
            ...expected,
            Number(other),
          ])
      }),
    )
  })

  const units: [string, PrimitiveType['kind'], number, number][] = [
    ['year', 'timestamp', -1969, 130],
    ['month', 'timestamptz', -1969 * 12, 130 * 12],
    ['day', 'timestamp', -1500, 1500],
    ['hour', 'timestamptz', -1500, 1500],
    ['year', 'date', -1969, 130],
    ['month', 'date', -1969 * 12, 130 * 12],
    ['day', 'date', -1500, 1500],
  ]
  it.each(units)(
    '%s of a %s: the range of each result has its values and no other',
    (text, kind, from, to) => {
      const type = { kind } as PrimitiveType
      const transform = parseTransform(text) as OrderedTransform
      const values = Array.from({ length: to - from }, (_, at) => from + at)
      const width = kind === 'date' ? 4 : 8
      const ends = values.map((value) => sourceRange(transform, type, value)!)
      const lower = ends.map((range) => range.lower as number | bigint)
      const upper = ends.map((range) => range.upper as number | bigint)
      const of = (instants: readonly (number | bigint)[]): unknown[] =>
        results(text, type, fixed(width, instants))
      expect(of(lower)).toEqual(values)
      expect(of(upper)).toEqual(values)
      expect(lower.slice(1)).toEqual(
        upper.slice(0, -1).map((one) => (typeof one === 'bigint' ? one + 1n : one + 1)),
      )
    },
  )

  it('take dates too', () => {
    expect(results('month', { kind: 'date' }, fixed(4, [17486, -1]))).toEqual([574, -1])
    expect(results('day', { kind: 'date' }, fixed(4, [17486, -1]))).toEqual([17486, -1])
  })
})

describe('truncate', () => {
  it('rounds integers down, also below zero', () => {
    expect(results('truncate[10]', { kind: 'int' }, fixed(4, [1, -1, 19, -20, -21]))).toEqual([
      0, -10, 10, -20, -30,
    ])
  })

  it('equals exact arithmetic for longs and decimals of every width', () => {
    const width = fc.integer({ min: 1, max: 2 ** 31 - 1 })
    fc.assert(
      fc.property(int64, width, (value, by) => {
        const expected = BigInt.asIntN(64, floorDiv(value, BigInt(by)) * BigInt(by))
        expect(results(`truncate[${by}]`, { kind: 'long' }, fixed(8, [value]))).toEqual([expected])
        const wide = Buffer.alloc(16, value < 0n ? 0xff : 0)
        wide.writeBigInt64BE(value, 8)
        const type: PrimitiveType = { kind: 'decimal', precision: 38, scale: 0 }
        expect(results(`truncate[${by}]`, type, fixed(16, [wide]))).toEqual([
          floorDiv(value, BigInt(by)) * BigInt(by),
        ])
      }),
    )
  })

  it('truncates decimals by their unscaled value: 10.65 by 50 is 10.50', () => {
    const type: PrimitiveType = { kind: 'decimal', precision: 9, scale: 2 }
    expect(results('truncate[50]', type, fixed(4, [1065, -1065]))).toEqual([1050n, -1100n])
  })

  it('cuts strings by code points and binary by bytes', () => {
    expect(results('truncate[3]', { kind: 'string' }, bytes(['iceberg', 'é😀xyz', '', null, 'ab']))).toEqual([
      'ice',
      'é😀x',
      '',
      null,
      'ab',
    ])
    expect(results('truncate[2]', { kind: 'binary' }, bytes([Uint8Array.of(1, 2, 3)]))).toEqual([
      Uint8Array.of(1, 2),
    ])
  })
})

describe('identity', () => {
  it('gives each distinct value one ordinal, in order of appearance', () => {
    const { ordinals, values } = applyTransform(
      { kind: 'identity' },
      { kind: 'string' },
      bytes(['b', null, 'a', 'b']),
    )
    expect([...ordinals]).toEqual([0, 2, 1, 0])
    expect(values).toEqual(['b', 'a', null])
  })

  it('keeps thousands of distinct values apart', () => {
    const texts = Array.from({ length: 5000 }, (_, i) => `v${i % 2500}`)
    const column = applyTransform({ kind: 'identity' }, { kind: 'string' }, bytes(texts))
    expect(column.values).toHaveLength(2500)
    expect(spreadOut(column)).toEqual(texts)
  })

  it('keeps every type’s values', () => {
    expect(results('identity', { kind: 'boolean' }, fixed(1, [1, 0]))).toEqual([true, false])
    expect(results('identity', { kind: 'long' }, fixed(8, [-(2n ** 63n)]))).toEqual([-(2n ** 63n)])
    expect(results('identity', { kind: 'decimal', precision: 9, scale: 2 }, fixed(4, [-1]))).toEqual([-1n])
    expect(results('void', { kind: 'int' }, fixed(4, [1, 2]))).toEqual([null, null])
  })

  it('reads bytes vectors whose first offset is not 0', () => {
    const vector = bytes(['xx', 'ab', 'cd'])
    const rest = { ...vector, offsets: vector.offsets.subarray(1), count: 2, rows: 2 }
    expect(results('identity', { kind: 'string' }, rest)).toEqual(['ab', 'cd'])
  })
})

it('refuses a transform that the type does not allow', () => {
  expect(() => applyTransform({ kind: 'day' }, { kind: 'string' }, bytes(['a']))).toThrow(
    'day is not possible for type string',
  )
})
