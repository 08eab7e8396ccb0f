import { splitRows } from '../../iceberg/partition/split-rows.ts'
import { scalar } from '../../iceberg/schema/types.ts'
import { flatFields, readRows, type RowSource } from '../../lake/read-rows.ts'
import { printInterval, type Interval } from '../../provenance/interval.ts'
import { intervalOf } from '../../provenance/intervals.ts'
import { unitOfPartition } from '../../provenance/unit-of-file.ts'
import type { RowThatDiffers, VerifiedInterval } from '../../summary.ts'
import { memoryOf, reuseMemory } from '../../vector/vector-memory.ts'
import { expectationOf } from '../expectation.ts'
import { daySource, fieldsOf, type LakeRows } from '../lake-rows.ts'
import type { Prepared } from '../prepared.ts'
import type { SourceReads } from '../source-reads.ts'
import type { Compared, SourceRows, TakeRows } from '../source-rows.ts'
import { bucketSums, differingBuckets, rowsIn, takeBuckets, type Rows } from './buckets.ts'
import type { Key } from './key.ts'
import { differingRanges, rangeCondition } from './key-ranges.ts'
import type { Restriction } from './restriction.ts'

/** Intervals of a table that are looked into. */
const mostIntervals = 5
/** Rows of an interval that are told. */
const mostRows = 20
/** Rows that are kept to be compared one by one: of a key that many rows share rows are told apart by all columns. */
const mostKept = 50_000

/** Both sides as they were read first. */
export interface Both {
  readonly lake: LakeRows
  readonly source: SourceRows
}

/**
 * Finds rows that differ in the intervals that do (lake-spec §2.4): of these both sides are read twice more, first for sums
 * by the keys' hashes, then for the rows whose sums differ. Where the key is a number, only the ranges of it are read in
 * which the first read found a difference.
 */
export async function deepen(
  source: RowSource,
  prepared: Prepared,
  compared: Compared,
  reads: SourceReads,
  intervals: readonly VerifiedInterval[],
  key: Key,
  both: Both,
): Promise<VerifiedInterval[]> {
  const chosen = intervals
    .filter(
      ({ result, rows, sourceRows }) =>
        result === 'changed' ||
        result === 'mismatch' ||
        (result === 'unverified' && rows + (sourceRows ?? 0) > 0),
    )
    .slice(0, mostIntervals)
    .map(({ interval }) => interval)
  const found = new Map<string, RowThatDiffers[]>()
  for (const interval of chosen) {
    const isIn = (unit: Interval): boolean =>
      prepared.within(unit) &&
      [printInterval(unit), printInterval(expectationOf(prepared.known, unit).interval)].includes(interval)
    const only = restriction(both, key, isIn)
    const stream = async (lake: TakeRows, theirs: TakeRows): Promise<void> => {
      await streamLake(source, prepared, compared, isIn, only, lake)
      await reads.stream(compared, only, (unit, types, vectors) => {
        if (isIn(unit)) theirs(unit, types, vectors)
      })
    }
    const names = compared.columns.map(({ name }) => name)
    /** Undefined: too many rows have the same key as one that differs. */
    const differing = async (keys: readonly number[]): Promise<RowThatDiffers[] | undefined> => {
      const [ofLake, ofSource] = [bucketSums(keys), bucketSums(keys)]
      await stream(
        (_, types, vectors) => {
          ofLake.add(types, vectors)
        },
        (_, types, vectors) => {
          ofSource.add(types, vectors)
        },
      )
      const wanted = differingBuckets(ofLake, ofSource, 2 * mostRows)
      const isKey = keys.length < names.length
      if (isKey && rowsIn(ofLake, wanted) + rowsIn(ofSource, wanted) > mostKept) return undefined
      const lake: Rows = new Map()
      const theirs: Rows = new Map()
      await stream(
        (_, types, vectors) => {
          takeBuckets(lake, wanted, keys, types, vectors)
        },
        (_, types, vectors) => {
          takeBuckets(theirs, wanted, keys, types, vectors)
        },
      )
      return differences(names, keys, lake, theirs)
    }
    const rows = (await differing(key.columns)) ?? (await differing(names.map((_, at) => at))) ?? []
    found.set(interval, rows)
  }
  return intervals.map((one) => {
    const rowsThatDiffer = found.get(one.interval)
    return rowsThatDiffer === undefined || rowsThatDiffer.length === 0 ? one : { ...one, rowsThatDiffer }
  })
}

/** What has to be read again of the units of an interval. */
function restriction(
  { lake, source }: Both,
  { ranges }: Key,
  isIn: (unit: Interval) => boolean,
): Restriction {
  const units = [...new Map([...lake.units, ...source.units]).values()]
    .map(({ interval }) => interval)
    .filter(isIn)
  const days = units.flatMap((unit) => (unit.kind === 'day' ? [unit.day] : []))
  const wanted =
    lake.ranges && source.ranges && differingRanges(lake.ranges, source.ranges, units, 2 * mostRows)
  return {
    days: days.length === units.length ? days : undefined,
    ranges: ranges && wanted && { column: ranges, wanted },
  }
}

async function streamLake(
  source: RowSource,
  { files, known }: Prepared,
  { columns }: Compared,
  isIn: (unit: Interval) => boolean,
  { ranges }: Restriction,
  takeRows: TakeRows,
): Promise<void> {
  const where = ranges && rangeCondition(ranges.column, ranges.wanted, `c${ranges.column.id}`)
  const ids = columns.map(({ id }) => id)
  const fields = fieldsOf(source, ids)
  const types = flatFields(source, fields).map(({ type }) => type)
  const dayAt = known.day === undefined ? -1 : ids.indexOf(known.day)
  const byDay = dayAt < 0 ? [] : [daySource(fields[dayAt]!, dayAt, scalar(types[dayAt]!))]
  for (const planned of files) {
    const own = unitOfPartition(source.table.metadata, planned.file, known.day)
    if (own !== undefined && !isIn(own)) continue
    for await (const vectors of readRows(source, planned, fields, undefined, where)) {
      const parts = byDay.length === 0 ? [{ partition: [], vectors }] : splitRows(byDay, vectors)
      for (const { partition, vectors: rows } of parts) {
        const unit = intervalOf(partition, byDay.length === 0 ? undefined : 0)
        if (isIn(unit)) takeRows(unit, types, rows)
      }
      reuseMemory(memoryOf(vectors))
    }
  }
}

/** Rows of one side alone, and pairs of one key that differ. */
function differences(
  names: readonly string[],
  keys: readonly number[],
  lake: Rows,
  source: Rows,
): RowThatDiffers[] {
  const found: RowThatDiffers[] = []
  const hasKey = keys.length < names.length
  for (const key of new Set([...lake.keys(), ...source.keys()])) {
    const theirs = [...(source.get(key) ?? [])]
    const ours = (lake.get(key) ?? []).filter(({ hash }) => {
      const at = theirs.findIndex((row) => row.hash === hash)
      if (at >= 0) theirs.splice(at, 1)
      return at < 0
    })
    const rowOf = (values: readonly (string | null)[]): RowThatDiffers['row'] =>
      Object.fromEntries(keys.map((at) => [names[at]!, values[at]!]))
    while (hasKey && ours.length > 0 && theirs.length > 0) {
      const [one, other] = [ours.shift()!.values, theirs.shift()!.values]
      const columns = Object.fromEntries(
        names.flatMap((name, at) =>
          one[at] === other[at] ? [] : [[name, { lake: one[at]!, source: other[at]! }]],
        ),
      )
      found.push({ kind: 'changed', row: rowOf(one), columns })
    }
    for (const { values } of ours) found.push({ kind: 'extra', row: rowOf(values) })
    for (const { values } of theirs) found.push({ kind: 'missing', row: rowOf(values) })
  }
  return found.slice(0, mostRows)
}
