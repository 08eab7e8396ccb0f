import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { mayMatch, positionOf } from '../../../jobs/iceberg/expression/position.ts'
import {
  and,
  greaterThan,
  isIn,
  isNull,
  lessThan,
  not,
  or,
  startsWith,
  type Column,
  type Predicate,
} from '../../../jobs/iceberg/expression/predicate.ts'
import type { DataFile } from '../../../jobs/iceberg/manifest/data-file.ts'
import type { PartitionColumnType } from '../../../jobs/iceberg/partition/partition-spec.ts'
import { fieldSummaries } from '../../../jobs/iceberg/partition/partition-value.ts'
import { bucketOf } from '../../../jobs/iceberg/partition/transform-bucket.ts'
import { parseTransform, resultType, type Transform } from '../../../jobs/iceberg/partition/transforms.ts'
import { compareValues, toSingleValue } from '../../../jobs/iceberg/schema/single-value.ts'
import type { PrimitiveType, Value } from '../../../jobs/iceberg/schema/types.ts'
import { truncateLower, truncateUpper } from '../../../jobs/parquet/statistics/truncate.ts'
import { truthOf, type Row } from './oracle.ts'

/** Few values each, so that they meet: limits, neighbours of day and month boundaries, texts with common beginnings. */
const hour = 3_600_000_000n
const values: Readonly<Record<string, readonly Value[]>> = {
  int: [-2147483648, -11, -10, -1, 0, 1, 9, 10, 2147483647],
  long: [-(2n ** 63n), -10n, -1n, 0n, 1n, 10n, 2n ** 63n - 1n],
  double: [Number.NaN, -Infinity, -1.5, -0, 0, 1.5, Infinity],
  date: [-31, -1, 0, 1, 30, 31, 364, 365, 19_844, 19_845],
  timestamptz: [-1n, 0n, hour - 1n, hour, 24n * hour - 1n, 24n * hour, 24n * 31n * hour, 24n * 366n * hour],
  string: ['', 'a', 'ab', 'abc', 'abcd', 'abd', 'b', 'é', '😀', '😀a', '\u{10ffff}', '\u{10ffff}a'],
  decimal: [-101n, -100n, -1n, 0n, 1n, 99n, 100n],
  boolean: [false, true],
  binary: [Buffer.of(), Buffer.of(1), Buffer.of(1, 2), Buffer.of(1, 255, 3), Buffer.of(255, 255)],
}
const typeOf = (kind: string): PrimitiveType =>
  kind === 'decimal' ? { kind, precision: 9, scale: 2 } : ({ kind } as PrimitiveType)
const columns = Object.keys(values).map((kind, index): Column => ({
  id: index + 1,
  name: kind,
  type: typeOf(kind),
}))

const transforms = [
  'identity',
  'year',
  'month',
  'day',
  'hour',
  'bucket[4]',
  'truncate[2]',
  'truncate[10]',
  'void',
]
const fields = columns.flatMap((column) =>
  transforms.flatMap((text): PartitionColumnType[] => {
    const transform = parseTransform(text)
    const type = resultType(transform, column.type.kind === 'decimal' ? 'decimal(9,2)' : column.type.kind)
    return type === undefined ? [] : [{ id: 1000, name: text, sourceId: column.id, transform, type }]
  }),
)

/** Transforms as the specification's text has them, value by value. */
function transformed(transform: Transform, type: PrimitiveType, value: Value | null): Value | null {
  if (value === null || transform.kind === 'void') return null
  const instant = (): Date =>
    new Date(type.kind === 'date' ? Number(value) * 86_400_000 : floored(value as bigint, 1000n))
  switch (transform.kind) {
    case 'year':
      return instant().getUTCFullYear() - 1970
    case 'month':
      return 12 * (instant().getUTCFullYear() - 1970) + instant().getUTCMonth()
    case 'day':
      return type.kind === 'date' ? value : floored(value as bigint, 24n * hour)
    case 'hour':
      return floored(value as bigint, hour)
    case 'bucket':
      return bucketOf(type, value, transform.buckets)
    case 'truncate': {
      const { width } = transform
      if (typeof value === 'string') return Array.from(value).slice(0, width).join('')
      if (typeof value === 'object') return value.subarray(0, width)
      // Below what the type can hold it goes on from above, as in Java.
      if (typeof value === 'number') return (value - (((value % width) + width) % width)) | 0
      const wide = BigInt(width)
      return BigInt.asIntN(64, (value as bigint) - ((((value as bigint) % wide) + wide) % wide))
    }
    default:
      return value
  }
}

const floored = (value: bigint, by: bigint): number => Number((value - (((value % by) + by) % by)) / by)

const rowOf = fc.tuple(
  ...columns.map(({ type }) => fc.option(fc.constantFrom(...values[type.kind]!), { nil: null, freq: 4 })),
)
const toRow = (tuple: readonly (Value | null)[]): Row =>
  new Map(columns.map(({ id }, index) => [id, tuple[index]!]))

const conditionOn = (column: Column): fc.Arbitrary<Predicate> => {
  const value = fc.constantFrom(...values[column.type.kind]!)
  const plain = [
    fc.constant(isNull(column)),
    value.map((one) => lessThan(column, one)),
    value.map((one) => greaterThan(column, one)),
    fc.array(value, { maxLength: 3 }).map((some) => isIn(column, some)),
  ]
  if (column.type.kind !== 'string') return fc.oneof(...plain)
  return fc.oneof(
    ...plain,
    fc.constantFrom('', 'a', 'ab', 'abc', '😀').map((prefix) => startsWith(column, prefix)),
  )
}
const condition = fc.constantFrom(...columns).chain(conditionOn)
const predicates = fc.letrec<{ any: Predicate }>((tie) => ({
  any: fc.oneof(
    { depthSize: 'small' },
    condition,
    tie('any').map((part) => not(part)),
    fc.array(tie('any'), { minLength: 1, maxLength: 3 }).map((parts) => and(...parts)),
    fc.array(tie('any'), { minLength: 1, maxLength: 3 }).map((parts) => or(...parts)),
  ),
})).any

/** A file of some rows, of the first row's partition, as a writer would describe it; `keep` says which metrics it has. */
function fileOf(
  rows: readonly Row[],
  type: readonly PartitionColumnType[],
  keep: (metric: string, id: number) => boolean,
): DataFile {
  const maps = {
    valueCounts: new Map<number, number>(),
    nullValueCounts: new Map<number, number>(),
    nanValueCounts: new Map<number, number>(),
    lowerBounds: new Map<number, Uint8Array>(),
    upperBounds: new Map<number, Uint8Array>(),
  }
  for (const { id, type: columnType } of columns) {
    const present = rows.map((row) => row.get(id) ?? null).filter((value) => value !== null)
    const ordered = present.filter((value) => !Number.isNaN(value)).sort(compareValues)
    if (keep('nulls', id)) maps.nullValueCounts.set(id, rows.length - present.length)
    if (keep('nans', id)) maps.nanValueCounts.set(id, present.length - ordered.length)
    const [least, greatest] = [ordered[0], ordered.at(-1)]
    const isText = columnType.kind === 'string'
    const shorten = isText || columnType.kind === 'binary'
    const length = { unit: 'code points', most: 2 } as const
    if (least !== undefined && keep('lower', id)) {
      const bytes = toSingleValue(columnType, least)
      maps.lowerBounds.set(id, shorten ? truncateLower({ bytes, exact: true }, length, isText).bytes : bytes)
    }
    if (greatest !== undefined && keep('upper', id)) {
      const bytes = toSingleValue(columnType, greatest)
      const bound = shorten ? truncateUpper({ bytes, exact: true }, length, isText)?.bytes : bytes
      if (bound !== undefined) maps.upperBounds.set(id, bound)
    }
  }
  return {
    content: 0,
    filePath: 'x',
    fileFormat: 'PARQUET',
    specId: 0,
    partition: partitionOf(rows[0]!, type),
    recordCount: rows.length,
    fileSizeInBytes: 1,
    ...maps,
  }
}

const partitionOf = (row: Row, type: readonly PartitionColumnType[]): (Value | null)[] =>
  type.map(({ transform, sourceId }) =>
    transformed(transform, columns[sourceId - 1]!.type, row.get(sourceId)!),
  )

const sameTuple = (a: readonly (Value | null)[], b: readonly (Value | null)[]): boolean =>
  a.every((value, index) => {
    const other = b[index] ?? null
    if (value === null || other === null) return value === other
    return Number.isNaN(value)
      ? Number.isNaN(other)
      : !Number.isNaN(other) && compareValues(value, other) === 0
  })

describe('over random files, partitions and predicates', () => {
  const specs = fc.array(fc.constantFrom(...fields), { maxLength: 2 })
  const rowSets = fc.array(rowOf.map(toRow), { minLength: 1, maxLength: 6 })

  it('inside means every row, outside means none, and no manifest with a matching row is ruled out', () => {
    fc.assert(
      fc.property(specs, rowSets, predicates, fc.func(fc.boolean()), (type, rows, predicate, keeps) => {
        const tuples = rows.map((row) => partitionOf(row, type))
        const mine = rows.filter((_row, index) => sameTuple(tuples[index]!, tuples[0]!))
        const position = positionOf(
          predicate,
          fileOf(mine, type, (metric, id) => keeps(metric, id)),
          type,
        )
        const truths = mine.map((row) => truthOf(predicate, row))
        if (position === 'inside') expect(new Set(truths)).toEqual(new Set([true]))
        if (position === 'outside') expect(truths).not.toContain(true)
        const summaries = fieldSummaries(type, tuples)
        if (!mayMatch(predicate, summaries, type))
          expect(rows.map((row) => truthOf(predicate, row))).not.toContain(true)
      }),
      { numRuns: 3000 },
    )
  })

  it('the same holds by a partition alone, of the column that is asked for', () => {
    const cases = fc
      .constantFrom(...fields)
      .chain((field) => fc.tuple(fc.constant(field), rowSets, conditionOn(columns[field.sourceId - 1]!)))
    fc.assert(
      fc.property(cases, fc.boolean(), ([field, rows, plain], negated) => {
        const predicate = negated ? not(plain) : plain
        const tuples = rows.map((row) => partitionOf(row, [field]))
        for (const tuple of tuples) {
          const truths = rows
            .filter((_row, index) => sameTuple(tuples[index]!, tuple))
            .map((row) => truthOf(predicate, row))
          const file = { ...fileOf(rows, [field], () => false), partition: tuple }
          const position = positionOf(predicate, file, [field])
          if (position === 'inside') expect(new Set(truths)).toEqual(new Set([true]))
          if (position === 'outside') expect(truths).not.toContain(true)
        }
        if (!mayMatch(predicate, fieldSummaries([field], tuples), [field]))
          expect(rows.map((row) => truthOf(predicate, row))).not.toContain(true)
      }),
      { numRuns: 3000 },
    )
  })

  it('with all metrics a comparison is decided for a single row, and straddles for rows on both sides only', () => {
    const exact = columns.filter(({ type: { kind } }) => kind !== 'string' && kind !== 'binary')
    const comparisons = fc
      .constantFrom(...exact)
      .chain((column) =>
        fc
          .constantFrom(...values[column.type.kind]!)
          .chain((value) =>
            fc.constantFrom(
              lessThan(column, value),
              greaterThan(column, value),
              not(lessThan(column, value)),
              isNull(column),
            ),
          ),
      )
    fc.assert(
      fc.property(rowSets, comparisons, (rows, predicate) => {
        const truths = new Set(rows.map((row) => truthOf(predicate, row)))
        const expected = !truths.has(true) ? 'outside' : truths.size === 1 ? 'inside' : 'straddles'
        expect(
          positionOf(
            predicate,
            fileOf(rows, [], () => true),
            [],
          ),
        ).toBe(expected)
      }),
      { numRuns: 1000 },
    )
  })
})
