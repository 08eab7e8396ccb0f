import type { TakeHashes } from '../../provenance/fingerprint.ts'
import { printInterval, type Interval } from '../../provenance/interval.ts'
import type { ColumnVector, FixedVector } from '../../vector/vector.ts'
import { mixed } from './buckets.ts'

/**
 * A column of the key, of whole numbers, by whose ranges rows can be read alone on both sides. The values between the source's
 * least and greatest are cut into equal ranges; the first and the last one are open.
 */
export interface RangeColumn {
  readonly id: number
  /** The least value. */
  readonly least: number
  /** Values of one range. */
  readonly width: number
}

/** Few enough to be kept for each day, and narrow enough that one has few of a table's rows. */
const rangeCount = 4096
/** Of days beyond these nothing is kept: they are read whole. */
const mostIntervals = 1000
/** Behind the ranges: rows that have no value. */
const nullRange = rangeCount
const lanes = 3

/** Undefined: the values are beyond 2⁵³, which numbers are not exact for. */
export function rangeColumn(id: number, least: bigint, greatest: bigint): RangeColumn | undefined {
  if (!Number.isSafeInteger(Number(least)) || !Number.isSafeInteger(Number(greatest))) return undefined
  return { id, least: Number(least), width: Math.ceil((Number(greatest - least) + 1) / rangeCount) }
}

const rangeOf = ({ least, width }: RangeColumn, value: number): number =>
  Math.min(Math.max(Math.floor((value - least) / width), 0), rangeCount - 1)

/** Sums of rows by range, for each interval. */
export interface RangeSums {
  /** What adds the hashes of rows of an interval; `key` is their range column. */
  taker(interval: Interval, key: ColumnVector): TakeHashes | undefined
  /** Undefined: they were not kept. */
  of(interval: Interval): Int32Array | undefined
}

export function rangeSums(column: RangeColumn): RangeSums {
  const sums = new Map<string, Int32Array>()
  return {
    of: (interval) => sums.get(printInterval(interval)),
    taker(interval, key) {
      const name = printInterval(interval)
      if (key.kind !== 'fixed' || (!sums.has(name) && sums.size >= mostIntervals)) return undefined
      const own = sums.get(name) ?? new Int32Array(lanes * (rangeCount + 1))
      sums.set(name, own)
      const { defined } = key
      const valueAt = integers(key)
      let value = 0
      return ({ x, y }, from, count) => {
        for (let at = 0; at < count; at++) {
          const range = defined?.[from + at] === 0 ? nullRange : rangeOf(column, valueAt(value++))
          own[lanes * range]! += mixed(x[at]!)
          own[lanes * range + 1]! += mixed(y[at]!)
          own[lanes * range + 2]!++
        }
      }
    },
  }
}

/** Of numbers beyond 2⁵³ the nearest: their order stays. */
function integers({ data, width, count }: FixedVector): (at: number) => number {
  if (width === 4) {
    const values = new Int32Array(data.buffer, data.byteOffset, count)
    return (at) => values[at]!
  }
  const [low, high] = [
    new Uint32Array(data.buffer, data.byteOffset, 2 * count),
    new Int32Array(data.buffer, data.byteOffset, 2 * count),
  ]
  return (at) => high[2 * at + 1]! * 2 ** 32 + low[2 * at]!
}

/** Some ranges in which the sums differ, of intervals of which both are known; undefined: of some they are not. */
export function differingRanges(
  lake: RangeSums,
  source: RangeSums,
  intervals: readonly Interval[],
  most: number,
): Set<number> | undefined {
  const found = new Set<number>()
  const none = new Int32Array(lanes * (rangeCount + 1))
  for (const interval of intervals) {
    const [ours, theirs] = [lake.of(interval), source.of(interval)]
    if (ours === undefined && theirs === undefined) return undefined
    for (let at = 0; at < none.length && found.size < most; at++)
      if ((ours ?? none)[at] !== (theirs ?? none)[at]) found.add(Math.floor(at / lanes))
  }
  return found
}

/** The rows of some ranges as a condition in SQL, of both dialects; `name`: the column's, quoted. */
export function rangeCondition(
  { least, width }: RangeColumn,
  ranges: ReadonlySet<number>,
  name: string,
): string {
  const numbers = [...ranges].filter((range) => range !== nullRange).sort((a, b) => a - b)
  const runs: { readonly from: number; to: number }[] = []
  for (const range of numbers) {
    const last = runs.at(-1)
    if (last?.to === range - 1) last.to = range
    else runs.push({ from: range, to: range })
  }
  const terms = runs.map(({ from, to }) => {
    const bounds = [
      ...(from === 0 ? [] : [`${name} >= ${least + from * width}`]),
      ...(to === rangeCount - 1 ? [] : [`${name} < ${least + (to + 1) * width}`]),
    ]
    return bounds.length === 0 ? `${name} IS NOT NULL` : `(${bounds.join(' AND ')})`
  })
  const all = [...terms, ...(ranges.has(nullRange) ? [`${name} IS NULL`] : [])]
  return all.length === 0 ? 'false' : `(${all.join(' OR ')})`
}
