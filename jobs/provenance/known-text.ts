import { parseExtent, printExtent } from './extent.ts'
import { intervalsJson, parseIntervals } from './fingerprint-text.ts'
import { folded, ofInterval } from './intervals.ts'
import { later, reduced, type KnownPart } from './known-rows.ts'
import { parseReadAs, readAsText } from './read-as.ts'
import { parseSource, sourceEntries } from './source.ts'

/** Fingerprints of a table's rows as its property has them. */
export interface KnownText {
  /** As of which they are. */
  readonly snapshotId: bigint
  readonly parts: readonly KnownPart[]
}

/** Bytes that the property may have: it is in every metadata file. */
const mostBytes = 16_000

/** From what is told of each part to ever less, until it is short enough. */
const limits = [
  { days: 62, months: 120, ranges: 200 },
  { days: 31, months: 60, ranges: 100 },
  { days: 14, months: 24, ranges: 50 },
  { days: 7, months: 12, ranges: 20 },
  { days: 1, months: 1, ranges: 5 },
]

/**
 * JSON of the parts, each with its source, columns, extent and intervals, at most 16 kB: older days are put together by
 * month, older months as `earlier`, as in summaries; where that is still too long, the parts that were written first are
 * left out. Undefined: not even one part is short enough.
 */
export function printKnown({ snapshotId, parts }: KnownText): string | undefined {
  for (let count = parts.length; count > 0; count--) {
    for (const limit of limits) {
      const text = JSON.stringify({
        snapshot: String(snapshotId),
        parts: parts.slice(0, count).map((part) => partJson(shortened(part, limit))),
      })
      if (Buffer.byteLength(text) <= mostBytes) return text
    }
  }
  return parts.length === 0 ? JSON.stringify({ snapshot: String(snapshotId), parts: [] }) : undefined
}

/** What `printKnown` made; undefined for anything else. */
export function parseKnown(text: string): KnownText | undefined {
  try {
    const { snapshot, parts } = JSON.parse(text) as {
      readonly snapshot: string
      readonly parts: readonly PartJson[]
    }
    return { snapshotId: BigInt(snapshot), parts: parts.map(parsePart) }
  } catch {
    return undefined
  }
}

interface PartJson {
  readonly source: Readonly<Record<string, string>>
  readonly read?: string
  readonly rows: string
  readonly columns: readonly number[]
  readonly before?: string
  readonly intervals: Readonly<Record<string, string>>
}

const partJson = ({ source, readAs, columns, extent, intervals, before }: KnownPart): PartJson => ({
  source: sourceEntries(source),
  ...(readAs !== undefined && { read: readAsText(readAs) }),
  rows: printExtent(extent),
  columns,
  ...(before !== undefined && { before }),
  intervals: intervalsJson(intervals),
})

function parsePart({ source, read, rows, columns, before, intervals }: PartJson): KnownPart {
  const [parsed, extent] = [parseSource(source), parseExtent(rows)]
  if (parsed === undefined || extent === undefined) throw new TypeError('no part')
  return {
    source: parsed,
    readAs: read === undefined ? undefined : parseReadAs(read),
    columns,
    extent,
    intervals: parseIntervals(intervals, columns.length),
    before,
  }
}

function shortened(part: KnownPart, { days, months, ranges }: (typeof limits)[number]): KnownPart {
  const oldest = part.extent.days.slice(0, Math.max(0, part.extent.days.length - ranges))
  const { part: kept } = reduced(part, { days: oldest, nulls: false })
  const intervals = folded(kept.intervals, { days, months })
  const earlier = ofInterval(intervals, { kind: 'earlier' })
  if (earlier === ofInterval(kept.intervals, { kind: 'earlier' })) return { ...kept, intervals }
  // Months were put together: all before the first of those that are left.
  const first = intervals.flatMap(({ interval }) => (interval.kind === 'month' ? interval.month : []))[0]
  return { ...kept, intervals, before: later(kept.before, first) }
}
