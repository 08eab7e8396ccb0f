import { describe, expect, it } from '@jest/globals'
import duckdb from '@duckdb/node-api'
import {
  differingRanges,
  rangeColumn,
  rangeCondition,
  rangeSums,
  type RangeColumn,
} from '../../../jobs/verify/deep/key-ranges.ts'
import { fingerprintOf } from '../../../jobs/provenance/fingerprint.ts'
import type { ColumnType } from '../../../jobs/iceberg/schema/types.ts'
import type { FixedVector } from '../../../jobs/vector/vector.ts'

const all = { kind: 'all' } as const
const long: ColumnType = { kind: 'long' }
type Values = readonly (bigint | null)[]

function vectorOf(values: Values): FixedVector {
  const present = values.filter((value) => value !== null)
  const data = new Uint8Array(BigInt64Array.from(present).buffer)
  const defined =
    present.length === values.length ? undefined : Uint8Array.from(values, (one) => Number(one !== null))
  return { kind: 'fixed', width: 8, data, count: present.length, rows: values.length, defined }
}

function sumsOf(column: RangeColumn, ...groups: Values[]): ReturnType<typeof rangeSums> {
  const sums = rangeSums(column)
  for (const group of groups) {
    const vector = vectorOf(group)
    fingerprintOf([long], [vector], sums.taker(all, vector))
  }
  return sums
}

/** Values that a condition lets through, by DuckDB. */
async function selected(values: Values, condition: string): Promise<(bigint | null)[]> {
  const connection = await (await duckdb.DuckDBInstance.create(':memory:')).connect()
  const list = values.map((value) => `(${value === null ? 'NULL' : `'${value}'`}::BIGINT)`).join(', ')
  const read = await connection.runAndReadAll(
    `SELECT v FROM (VALUES ${list}) AS t (v) WHERE ${condition} ORDER BY v`,
  )
  return read.getColumns()[0] as (bigint | null)[]
}

describe('the ranges of a key', () => {
  const least = -1000n
  const column = rangeColumn(1, least, 1_000_000n)!
  const some: (bigint | null)[] = [
    ...Array.from({ length: 5000 }, (_, at) => least + BigInt(at * 200)),
    null,
    -(2n ** 62n),
    2n ** 62n,
  ]

  it('tell which rows differ, whatever their order and groups', async () => {
    const other = some.toReversed()
    expect(
      differingRanges(sumsOf(column, some), sumsOf(column, other.slice(0, 70), other.slice(70)), [all], 9),
    ).toEqual(new Set())
    for (const gone of [0, 7, 4999, 5000, 5001, 5002]) {
      const wanted = differingRanges(sumsOf(column, some), sumsOf(column, some.toSpliced(gone, 1)), [all], 9)!
      expect(wanted.size).toBe(1)
      const found = await selected(some, rangeCondition(column, wanted, 'v'))
      expect(found).toContain(some[gone])
      expect(found.length).toBeLessThan(8)
    }
  })

  it('cut at least and greatest, neighbours joined, as SQL', () => {
    const conditions = [new Set([0, 1]), new Set([4095, 5]), new Set([4096]), new Set<number>()].map(
      (ranges) => rangeCondition(rangeColumn(1, 0n, 40_959n)!, ranges, 'v'),
    )
    expect(conditions).toEqual([
      '((v < 20))',
      '((v >= 50 AND v < 60) OR (v >= 40950))',
      '(v IS NULL)',
      'false',
    ])
  })

  it('are not known of a day of which nothing was kept', () => {
    expect(differingRanges(rangeSums(column), rangeSums(column), [all], 9)).toBeUndefined()
  })

  it('are none of numbers that are not exact, and wide enough for one value', () => {
    expect(rangeColumn(1, -(2n ** 62n), 0n)).toBeUndefined()
    expect(rangeColumn(1, 0n, 2n ** 53n)).toBeUndefined()
    expect(rangeColumn(1, 5n, 5n)).toEqual({ id: 1, least: 5, width: 1 })
  })
})
