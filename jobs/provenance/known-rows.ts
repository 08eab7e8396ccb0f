import { addDays, firstDay, type DayRange } from '../calendar.ts'
import {
  difference,
  everything,
  extentOfUnit,
  intersection,
  isNothing,
  nothing,
  union,
  type Extent,
} from './extent.ts'
import { noRows, type Fingerprint } from './fingerprint.ts'
import { sameFingerprint } from './fingerprint-text.ts'
import { daysOf, monthOf, printInterval, type Interval } from './interval.ts'
import { firstMonthOf, foldedBefore, ofInterval, summed, type Intervals } from './intervals.ts'
import { isIn, type OtherRead, type Replaced, type SourceRead } from './provenance.ts'
import { readAsText, type ReadAs } from './read-as.ts'
import { sameSource, sourceEntries, type ReadSource } from './source.ts'

/** Rows of a table that exports of ours wrote, all of one source and read alike, and what they are. */
export interface KnownPart {
  readonly source: ReadSource
  readonly readAs: ReadAs | undefined
  /** Field ids, in the order in which a row's hash takes the columns. */
  readonly columns: readonly number[]
  /** Which rows of the table these are: where no interval has rows of them, there are none. */
  readonly extent: Extent
  /**
   * A day has its own rows; a month those of its days within the extent that are not listed beside it; `earlier` those
   * of all months before the month `before`.
   */
  readonly intervals: Intervals
  readonly before: string | undefined
}

/** What is known of a table's rows as of one snapshot. */
export interface KnownRows {
  /** Of disjoint extents, the one that was written last first. */
  readonly parts: readonly KnownPart[]
  /** Why nothing is known of other rows, the last reason first. */
  readonly lost: readonly Lost[]
}

export interface Lost {
  readonly extent: Extent
  readonly reason: string
  /** Intervals that had rows until others touched them. */
  readonly touched?: readonly { readonly interval: Interval; readonly extent: Extent }[]
}

export const nothingKnown: KnownRows = { parts: [], lost: [] }

/** After an export of ours has replaced the part's rows; `snapshotId` is for reasons. */
export function afterWrite(known: KnownRows, part: KnownPart, snapshotId: bigint): KnownRows {
  const reason = (what: string): string =>
    `its fingerprint is that of ${what}, of which snapshot ${snapshotId} wrote a part`
  const { parts, lost } = without(known, part.extent, reason)
  const key = keyOf(part)
  const alike = parts.find((one) => keyOf(one) === key)
  return {
    parts: [merged(part, alike), ...parts.filter((one) => one !== alike)],
    lost: leftOf(lost, part.extent).map((one) =>
      one.touched === undefined ? one : { ...one, touched: leftOf(one.touched, part.extent) },
    ),
  }
}

/** Of what is known to have an extent, what is left without some rows. */
const leftOf = <One extends { readonly extent: Extent }>(all: readonly One[], gone: Extent): One[] =>
  all.flatMap((one) => {
    const extent = difference(one.extent, gone)
    return isNothing(extent) ? [] : [{ ...one, extent }]
  })

/** After others have touched rows. */
export function afterOthers(known: KnownRows, touched: Extent, reason: string): KnownRows {
  const { parts, lost } = without(known, touched, () => reason)
  const intervals = known.parts.flatMap((part) => {
    const extents = extentsIn(part)
    return part.intervals.flatMap(({ interval, fingerprint }, at) => {
      const extent = extents[at]!
      return fingerprint.rows === 0 || isNothing(intersection(extent, touched)) ? [] : [{ interval, extent }]
    })
  })
  return { parts, lost: [{ extent: touched, reason, touched: intervals }, ...lost] }
}

/** What an export of ours wrote of a table; `replaced` of what it read. */
export const partOfRead = (
  { source, readAs, fieldIds, intervals }: SourceRead,
  replaced: Replaced,
): KnownPart => ({
  source,
  readAs,
  columns: fieldIds,
  extent: extentOf(replaced),
  intervals: intervals.filter(({ interval }) => isIn(replaced, interval)),
  before: undefined,
})

/** What an export of ours wrote by its entries in a summary or footer; undefined: they tell no fingerprint. */
export function partOfOther({ source, readAs, replaced, fingerprints }: OtherRead): KnownPart | undefined {
  if (fingerprints === undefined) return undefined
  const { columns, intervals } = fingerprints
  const hasEarlier = ofInterval(intervals, { kind: 'earlier' }) !== undefined
  return {
    source,
    readAs,
    columns,
    extent: extentOf(replaced),
    intervals,
    before: hasEarlier ? firstMonthOf(intervals) : undefined,
  }
}

const extentOf = (replaced: Replaced): Extent =>
  replaced === 'full' ? everything : union({ days: replaced, nulls: false }, nothing)

/** The part that a unit's rows (a day's, `null`'s, `all`) belong to; undefined: nothing is known of them. */
export const partOf = ({ parts }: KnownRows, unit: Interval): KnownPart | undefined =>
  unit.kind === 'all'
    ? parts.find(({ intervals }) => ofInterval(intervals, unit) !== undefined)
    : parts.find(({ extent }) => isWithin(extentOfUnit(unit), extent))

/** The interval of a part that has a unit's rows; the unit itself where there are none. */
export function intervalWith({ intervals, before }: KnownPart, unit: Interval): Interval {
  if (ofInterval(intervals, unit) !== undefined) return unit
  const month = monthOf(unit)
  if (month === undefined) return unit
  const whole: Interval =
    before !== undefined && month < before ? { kind: 'earlier' } : { kind: 'month', month }
  return ofInterval(intervals, whole) === undefined ? unit : whole
}

/** The rows of an interval of a part. */
export const knownOf = ({ intervals, columns }: KnownPart, interval: Interval): Fingerprint =>
  ofInterval(intervals, interval) ?? noRows(columns.length)

/** Why a unit's rows are known no more; undefined: nothing tells that they ever were. */
export const whyLost = ({ lost }: KnownRows, unit: Interval): string | undefined =>
  lost.find(({ extent }) => !isNothing(intersection(extent, extentOfUnit(unit))))?.reason

/** Why nothing is known of a unit's rows. */
export const whyUnknown = (known: KnownRows, unit: Interval): string =>
  whyLost(known, unit) ??
  'no fingerprint of them is valid: others wrote them, or the snapshot that did has expired'

/** Whether there is a fingerprint of every row. */
export const isKnownWhole = ({ parts }: KnownRows): boolean =>
  isNothing(parts.reduce((left, { extent }) => difference(left, extent), everything))

/** Intervals that had rows until others touched them, of whose rows none is among these units'. */
export function emptied({ lost }: KnownRows, units: readonly Interval[]): Interval[] {
  const extents = units.map(extentOfUnit)
  const days = extents.flatMap((extent) => extent.days)
  const there = union({ days, nulls: extents.some(({ nulls }) => nulls) }, nothing)
  return lost
    .flatMap(({ touched = [] }) => touched)
    .filter(({ extent }) => isNothing(intersection(extent, there)))
    .map(({ interval }) => interval)
}

/**
 * Tells whether the table has the rows that a read would put in the place of `replaced`: of the same source, read alike (as far as
 * that is told), in the same columns (by their ids, in order), and of every interval the same rows. May be asked for many days.
 */
export function hasRowsOf(known: KnownRows, read: SourceRead): (replaced: Replaced) => boolean {
  const alike = known.parts
    .filter(
      ({ source, readAs, columns }) =>
        sameSource(source, read.source) &&
        (readAs === undefined || readAsText(readAs) === readAsText(read.readAs)) &&
        columns.join() === read.fieldIds.join(),
    )
    .map((part) => ({ part, extents: extentsIn(part) }))
  return (replaced) => {
    const own = partOfRead(read, replaced)
    return alike.some(
      ({ part, extents }) => isWithin(own.extent, part.extent) && sameRows(part, extents, own),
    )
  }
}

/** `extents`: the part's, by interval. */
function sameRows(part: KnownPart, extents: readonly Extent[], own: KnownPart): boolean {
  // Where the table's are of a month, so are these: then all of the month is compared.
  const alike = {
    ...own,
    intervals: summed(own.intervals.map((one) => ({ ...one, interval: intervalWith(part, one.interval) }))),
  }
  const concerned = part.intervals.filter((_, at) => !isNothing(intersection(extents[at]!, own.extent)))
  return [...alike.intervals, ...concerned].every(({ interval }) =>
    sameFingerprint(knownOf(part, interval), knownOf(alike, interval)),
  )
}

/** The rows that each interval of a part may have. */
function extentsIn({ extent, intervals, before = firstDay }: KnownPart): Extent[] {
  const days = intervals.flatMap(({ interval }) =>
    interval.kind === 'day' ? extentOfUnit(interval).days : [],
  )
  const listed = union({ days, nulls: false }, nothing)
  return intervals.map(({ interval }) => {
    if (interval.kind === 'all') return everything
    if (interval.kind === 'nulls' || interval.kind === 'day') return extentOfUnit(interval)
    const all: DayRange =
      interval.kind === 'month' ? daysOf(interval)! : { from: firstDay, to: addDays(`${before}-01`, -1) }
    return difference(intersection(extent, { days: [all], nulls: false }), listed)
  })
}

const isWithin = (inner: Extent, outer: Extent): boolean => isNothing(difference(inner, outer))

/** Parts that have the same key can be one. */
const keyOf = ({ source, readAs, columns }: KnownPart): string =>
  JSON.stringify([sourceEntries(source), readAs && readAsText(readAs), columns])

function without({ parts, lost }: KnownRows, gone: Extent, reason: (interval: string) => string): KnownRows {
  const left = parts.map((part) => reduced(part, gone))
  const more = left.flatMap(({ lost: of }) =>
    of.map(({ interval, extent }) => ({ extent, reason: reason(printInterval(interval)) })),
  )
  return {
    parts: left.flatMap(({ part }) => (isNothing(part.extent) ? [] : [part])),
    lost: [...more, ...lost],
  }
}

/** A part without some of its rows, and what is not known any more either, as it was known only together with them. */
export function reduced(
  part: KnownPart,
  gone: Extent,
): {
  readonly part: KnownPart
  readonly lost: readonly { readonly interval: Interval; readonly extent: Extent }[]
} {
  const lost: { interval: Interval; extent: Extent }[] = []
  let extent = difference(part.extent, gone)
  const extents = extentsIn(part)
  const intervals = part.intervals.filter(({ interval }, at) => {
    const own = extents[at]!
    if (isNothing(intersection(own, gone))) return true
    extent = difference(extent, own)
    const rest = difference(own, gone)
    if (!isNothing(rest)) lost.push({ interval, extent: rest })
    return false
  })
  return { part: { ...part, extent, intervals }, lost }
}

/** Both parts as one; their extents are disjoint. */
function merged(newer: KnownPart, older: KnownPart | undefined): KnownPart {
  if (older === undefined) return newer
  const before = later(newer.before, older.before)
  return {
    ...newer,
    extent: union(newer.extent, older.extent),
    intervals: foldedBefore(summed([...newer.intervals, ...older.intervals]), before),
    before,
  }
}

/** Of two months the later one. */
export const later = (a: string | undefined, b: string | undefined): string | undefined =>
  a === undefined || (b !== undefined && a < b) ? b : a
