import { describe, expect, it } from '@jest/globals'
import type { DataFile } from '../../../jobs/iceberg/manifest/data-file.ts'
import type { PartitionColumnType } from '../../../jobs/iceberg/partition/partition-spec.ts'
import { mayMatch, positionOf } from '../../../jobs/iceberg/expression/position.ts'
import {
  alwaysTrue,
  and,
  atLeast,
  atMost,
  equalTo,
  greaterThan,
  isIn,
  isNull,
  lessThan,
  not,
  notEqualTo,
  notNull,
  or,
  startsWith,
  type Column,
  type Predicate,
} from '../../../jobs/iceberg/expression/predicate.ts'
import { toSingleValue } from '../../../jobs/iceberg/schema/single-value.ts'
import { parseTransform } from '../../../jobs/iceberg/partition/transforms.ts'
import type { PrimitiveType, Value } from '../../../jobs/iceberg/schema/types.ts'
import { dayNumber, micros } from '../tables.ts'

const [from, to] = [micros('2024-05-02T00:00:00Z'), micros('2024-05-03T00:00:00Z')]
const timestamp: Column = { id: 1, name: 'timestamp', type: { kind: 'timestamptz' } }
const date: Column = { id: 1, name: 'date', type: { kind: 'date' } }
const within = (...ranges: readonly (readonly [from: Value, to: Value])[]): Predicate =>
  or(...ranges.map(([first, end]) => and(atLeast(timestamp, first), lessThan(timestamp, end))))
const onDays = (...ranges: readonly (readonly [from: number, to: number])[]): Predicate =>
  or(...ranges.map(([first, end]) => and(atLeast(date, first), lessThan(date, end))))
const day = within([from, to])

const by = (
  transform: string,
  kind: 'int' | 'date' | 'timestamptz' = 'int',
  sourceId = 1,
): PartitionColumnType[] => [
  { id: 1000, name: 'p', sourceId, transform: parseTransform(transform), type: { kind } },
]

const file = (partition: readonly (Value | null)[], partial: Partial<DataFile> = {}): DataFile => ({
  content: 0,
  filePath: 'x',
  fileFormat: 'PARQUET',
  specId: 0,
  partition,
  recordCount: 1,
  fileSizeInBytes: 1,
  ...partial,
})

const bounds = (type: PrimitiveType, lower: Value, upper: Value): Partial<DataFile> => ({
  lowerBounds: new Map([[1, toSingleValue(type, lower)]]),
  upperBounds: new Map([[1, toSingleValue(type, upper)]]),
  nullValueCounts: new Map([[1, 0]]),
})

const d = dayNumber('2024-05-02')

describe('the position of a file', () => {
  it.each([
    ['day', 'date', d, 'inside'],
    ['day', 'date', d + 1, 'outside'],
    ['day', 'date', d - 1, 'outside'],
    ['day', 'date', null, 'outside'],
    ['hour', 'int', d * 24, 'inside'],
    ['hour', 'int', d * 24 + 23, 'inside'],
    ['hour', 'int', d * 24 + 24, 'outside'],
    ['month', 'int', 54 * 12 + 4, 'straddles'],
    ['month', 'int', 54 * 12 + 5, 'outside'],
    ['year', 'int', 54, 'straddles'],
    ['year', 'int', 53, 'outside'],
    ['identity', 'timestamptz', from, 'inside'],
    ['identity', 'timestamptz', to, 'outside'],
    ['bucket[4]', 'int', 1, 'straddles'],
  ] as const)('in partition %s (%s) %s is %s', (transform, kind, value, position) => {
    expect(positionOf(day, file([value]), by(transform, kind))).toBe(position)
  })

  it('is decided by partition and bounds together', () => {
    const inMay = by('month')
    const inside = bounds({ kind: 'timestamptz' }, from, to - 1n)
    const beyond = bounds({ kind: 'timestamptz' }, from, to)
    expect(positionOf(day, file([54 * 12 + 4], inside), inMay)).toBe('inside')
    expect(positionOf(day, file([54 * 12 + 4], beyond), inMay)).toBe('straddles')
    expect(positionOf(day, file([54 * 12 + 4], { ...inside, nullValueCounts: new Map() }), inMay)).toBe(
      'inside',
    )
    expect(positionOf(day, file([], { ...inside, nullValueCounts: new Map() }), [])).toBe('straddles')
  })

  it('goes by days for a date column', () => {
    const dates = onDays([d, d + 1])
    expect(positionOf(dates, file([], bounds({ kind: 'date' }, d, d)), [])).toBe('inside')
    expect(positionOf(dates, file([], bounds({ kind: 'date' }, d, d + 1)), [])).toBe('straddles')
    expect(positionOf(dates, file([], bounds({ kind: 'date' }, d + 1, d + 1)), [])).toBe('outside')
  })

  it('without rows is outside, of NULLs only too', () => {
    expect(positionOf(day, file([], { recordCount: 0 }), [])).toBe('outside')
    expect(positionOf(day, file([], { recordCount: 3, nullValueCounts: new Map([[1, 3]]) }), [])).toBe(
      'outside',
    )
    expect(positionOf(alwaysTrue, file([], { recordCount: 0 }), [])).toBe('inside')
  })

  it('is looked for in every range, and between two of them it straddles or is outside', () => {
    const apart = within([from, to], [micros('2024-05-05T00:00:00Z'), micros('2024-05-07T00:00:00Z')])
    const at = (days: number): string => positionOf(apart, file([d + days]), by('day', 'date'))
    expect([-1, 0, 1, 2, 3, 4, 5].map(at)).toEqual([
      'outside',
      'inside',
      'outside',
      'outside',
      'inside',
      'inside',
      'outside',
    ])
    const dates = onDays([d, d + 1], [d + 3, d + 5])
    const over = (first: number, last: number): string =>
      positionOf(dates, file([], bounds({ kind: 'date' }, d + first, d + last)), [])
    expect([over(3, 4), over(1, 2), over(0, 3), over(2, 3), over(4, 9)]).toEqual([
      'inside',
      'outside',
      'straddles',
      'straddles',
      'straddles',
    ])
    expect(positionOf(within(), file([d]), by('day', 'date'))).toBe('outside')
  })

  it('knows months of years before 100', () => {
    const old = within([micros('0001-01-01T00:00:00Z'), micros('0002-01-01T00:00:00Z')])
    expect(positionOf(old, file([1 - 1970]), by('year'))).toBe('inside')
    expect(positionOf(old, file([2 - 1970]), by('year'))).toBe('outside')
  })
})

describe('a file of which little is known', () => {
  const text: Column = { id: 1, name: 'url', type: { kind: 'string' } }
  const float: Column = { id: 1, name: 'x', type: { kind: 'double' } }
  const of = (type: PrimitiveType, lower: Value, upper: Value, partial: Partial<DataFile> = {}): DataFile =>
    file([], { recordCount: 5, ...bounds(type, lower, upper), ...partial })

  it('straddles what its metrics do not decide', () => {
    for (const predicate of [
      isNull(text),
      equalTo(text, 'a'),
      startsWith(text, 'a'),
      not(lessThan(text, 'b')),
    ])
      expect(positionOf(predicate, file([]), [])).toBe('straddles')
  })

  it('may hold NaN, which is above every number and equal to itself', () => {
    const numbers = of(float.type, 1, 2)
    const none = { ...numbers, nanValueCounts: new Map([[1, 0]]) }
    const only = {
      ...file([]),
      recordCount: 5,
      nullValueCounts: new Map([[1, 2]]),
      nanValueCounts: new Map([[1, 3]]),
    }
    expect(positionOf(greaterThan(float, 5), numbers, [])).toBe('straddles')
    expect(positionOf(greaterThan(float, 5), none, [])).toBe('outside')
    expect(positionOf(atMost(float, 2), numbers, [])).toBe('straddles')
    expect(positionOf(atMost(float, 2), none, [])).toBe('inside')
    expect(positionOf(lessThan(float, Number.NaN), none, [])).toBe('inside')
    expect(positionOf(equalTo(float, Number.NaN), none, [])).toBe('outside')
    expect(positionOf(equalTo(float, 1.5), only, [])).toBe('outside')
    expect(positionOf(and(notNull(float), atLeast(float, 5)), only, [])).toBe('straddles')
    expect(positionOf(or(isNull(float), atLeast(float, 5)), only, [])).toBe('straddles')
    expect(
      positionOf(greaterThan(float, 5), { ...only, nullValueCounts: new Map([[1, 0]]), recordCount: 3 }, []),
    ).toBe('inside')
  })

  it('has one zero, whatever its sign', () => {
    const zeros = of(float.type, -0, 0, { nanValueCounts: new Map([[1, 0]]) })
    expect([-0, 0].map((zero) => positionOf(equalTo(float, zero), zeros, []))).toEqual(['inside', 'inside'])
    expect([-0, 0].map((zero) => positionOf(lessThan(float, zero), zeros, []))).toEqual([
      'outside',
      'outside',
    ])
  })

  it('knows nothing of bounds that are NaN, lie the wrong way round, or cut a character', () => {
    const nans = of(float.type, Number.NaN, Number.NaN, { nanValueCounts: new Map([[1, 0]]) })
    expect(positionOf(greaterThan(float, 5), nans, [])).toBe('straddles')
    expect(positionOf(equalTo(text, 'b'), of(text.type, 'c', 'a'), [])).toBe('straddles')
    const cut = { ...of(text.type, 'a', 'z'), upperBounds: new Map([[1, Buffer.from('é').subarray(0, 1)]]) }
    expect(positionOf(equalTo(text, 'é'), cut, [])).toBe('straddles')
  })

  it('is enclosed by truncated bounds of text, and equal to a value only where both are that', () => {
    const urls = of(text.type, '/api', '/apj')
    expect(positionOf(startsWith(text, '/api/'), urls, [])).toBe('straddles')
    expect(positionOf(startsWith(text, '/b'), urls, [])).toBe('outside')
    expect(positionOf(startsWith(text, '/ap'), urls, [])).toBe('inside')
    expect(positionOf(equalTo(text, '/api'), urls, [])).toBe('straddles')
    expect(positionOf(notEqualTo(text, '/b'), urls, [])).toBe('inside')
    const one = of(text.type, '/api', '/api')
    expect(positionOf(isIn(text, ['/x', '/api']), one, [])).toBe('inside')
    expect(positionOf(not(isIn(text, ['/x', '/api'])), one, [])).toBe('outside')
  })

  it('is told by what began with the partition’s text, and by its bucket', () => {
    const cut: PartitionColumnType[] = [
      {
        id: 1000,
        name: 'p',
        sourceId: 1,
        transform: parseTransform('truncate[3]'),
        type: { kind: 'string' },
      },
    ]
    expect(positionOf(startsWith(text, '/a'), file(['/ap']), cut)).toBe('inside')
    expect(positionOf(startsWith(text, '/api'), file(['/ap']), cut)).toBe('straddles')
    expect(positionOf(equalTo(text, '/'), file(['/']), cut)).toBe('inside')
    expect(positionOf(isNull(text), file([null]), cut)).toBe('inside')
    const id: Column = { id: 1, name: 'id', type: { kind: 'int' } }
    // 34 hashes to 2017239379 (spec App. B).
    expect(positionOf(equalTo(id, 34), file([2017239379 % 16]), by('bucket[16]'))).toBe('straddles')
    expect(positionOf(equalTo(id, 34), file([(2017239379 % 16) + 1]), by('bucket[16]'))).toBe('outside')
    expect(positionOf(isNull(id), file([3]), by('bucket[16]'))).toBe('outside')
  })

  it('that deletes rows lies where its partition is: its metrics are of other rows', () => {
    const deletes = { ...of(timestamp.type, to, to), content: 2 }
    expect(positionOf(day, deletes, [])).toBe('straddles')
    expect(positionOf(day, { ...deletes, partition: [d] }, by('day', 'date'))).toBe('inside')
    expect(positionOf(alwaysTrue, deletes, [])).toBe('inside')
  })
})

describe('a manifest’s summaries', () => {
  const summary = (
    lower: number,
    upper: number,
  ): { containsNull: boolean; lowerBound: Buffer; upperBound: Buffer } => ({
    containsNull: false,
    lowerBound: toSingleValue({ kind: 'date' }, lower),
    upperBound: toSingleValue({ kind: 'date' }, upper),
  })

  it('rule out manifests of other days only', () => {
    const days = by('day', 'date')
    expect(mayMatch(day, [summary(d - 5, d - 1)], days)).toBe(false)
    expect(mayMatch(day, [summary(d + 1, d + 1)], days)).toBe(false)
    expect(mayMatch(day, [summary(d - 5, d + 5)], days)).toBe(true)
    expect(mayMatch(day, [{ containsNull: true }], days)).toBe(false)
    expect(mayMatch(day, [{ containsNull: false }], days)).toBe(true)
    expect(mayMatch(day, undefined, days)).toBe(true)
    expect(mayMatch(day, [summary(d - 5, d - 1)], by('day', 'date', 2))).toBe(true)
    expect(mayMatch(alwaysTrue, [summary(d - 5, d - 1)], days)).toBe(true)
  })
})
