import { describe, expect, it } from '@jest/globals'
import type { DataFile } from '../../jobs/iceberg/data-file.ts'
import type { PartitionColumnType } from '../../jobs/iceberg/partition-spec.ts'
import { mayMatch, positionOf, type TimeRanges } from '../../jobs/iceberg/row-filter.ts'
import { toSingleValue } from '../../jobs/iceberg/single-value.ts'
import { parseTransform } from '../../jobs/iceberg/transforms.ts'
import type { PrimitiveType, Value } from '../../jobs/iceberg/types.ts'
import { dayNumber, micros } from './tables.ts'

const [from, to] = [micros('2024-05-02T00:00:00Z'), micros('2024-05-03T00:00:00Z')]
const day: TimeRanges = {
  kind: 'time-ranges',
  columnId: 1,
  columnName: 'timestamp',
  columnType: { kind: 'timestamptz' },
  ranges: [{ from, to }],
}

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
    const within = bounds({ kind: 'timestamptz' }, from, to - 1n)
    const beyond = bounds({ kind: 'timestamptz' }, from, to)
    expect(positionOf(day, file([54 * 12 + 4], within), inMay)).toBe('inside')
    expect(positionOf(day, file([54 * 12 + 4], beyond), inMay)).toBe('straddles')
    expect(positionOf(day, file([54 * 12 + 4], { ...within, nullValueCounts: new Map() }), inMay)).toBe(
      'inside',
    )
    expect(positionOf(day, file([], { ...within, nullValueCounts: new Map() }), [])).toBe('straddles')
  })

  it('goes by days for a date column', () => {
    const dates: TimeRanges = { ...day, columnType: { kind: 'date' } }
    expect(positionOf(dates, file([], bounds({ kind: 'date' }, d, d)), [])).toBe('inside')
    expect(positionOf(dates, file([], bounds({ kind: 'date' }, d, d + 1)), [])).toBe('straddles')
    expect(positionOf(dates, file([], bounds({ kind: 'date' }, d + 1, d + 1)), [])).toBe('outside')
  })

  it('without rows is outside, of NULLs only too', () => {
    expect(positionOf(day, file([], { recordCount: 0 }), [])).toBe('outside')
    expect(positionOf(day, file([], { recordCount: 3, nullValueCounts: new Map([[1, 3]]) }), [])).toBe(
      'outside',
    )
    expect(positionOf({ kind: 'all' }, file([], { recordCount: 0 }), [])).toBe('inside')
  })

  it('is looked for in every range, and between two of them it straddles or is outside', () => {
    const apart: TimeRanges = {
      ...day,
      ranges: [
        { from, to },
        { from: micros('2024-05-05T00:00:00Z'), to: micros('2024-05-07T00:00:00Z') },
      ],
    }
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
    const dates: TimeRanges = { ...apart, columnType: { kind: 'date' } }
    const over = (first: number, last: number): string =>
      positionOf(dates, file([], bounds({ kind: 'date' }, d + first, d + last)), [])
    expect([over(3, 4), over(1, 2), over(0, 3), over(2, 3), over(4, 9)]).toEqual([
      'inside',
      'outside',
      'straddles',
      'straddles',
      'straddles',
    ])
    expect(positionOf({ ...day, ranges: [] }, file([d]), by('day', 'date'))).toBe('outside')
  })

  it('knows months of years before 100', () => {
    const ranges = [{ from: micros('0001-01-01T00:00:00Z'), to: micros('0002-01-01T00:00:00Z') }]
    const old: TimeRanges = { ...day, ranges }
    expect(positionOf(old, file([1 - 1970]), by('year'))).toBe('inside')
    expect(positionOf(old, file([2 - 1970]), by('year'))).toBe('outside')
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
    expect(mayMatch({ kind: 'all' }, [summary(d - 5, d - 1)], days)).toBe(true)
  })
})
