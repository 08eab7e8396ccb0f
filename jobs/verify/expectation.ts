import { noRows, type Fingerprint } from '../provenance/fingerprint.ts'
import { printInterval, type Interval } from '../provenance/interval.ts'
import {
  intervalWith,
  isKnownWhole,
  knownOf,
  partOf,
  whyLost,
  whyUnknown,
  type KnownPart,
} from '../provenance/known-rows.ts'
import { readAsText } from '../provenance/read-as.ts'
import type { TableRows } from '../provenance/table-rows.ts'

/** Rows that are compared together, and what is known of them. */
export interface Expectation {
  readonly interval: Interval
  /** Equal for the same rows. */
  readonly key: string
  readonly written:
    | {
        readonly kind: 'known'
        readonly fingerprint: Fingerprint
        /** Field ids, in the order of the hash. */
        readonly columns: readonly number[]
        /** The newest export, as which the source is read, read it otherwise. */
        readonly isReadOtherwise: boolean
      }
    /** There is no fingerprint of them that is still valid. `isLost`: there was one. */
    | { readonly kind: 'unknown'; readonly reason: string; readonly isLost?: boolean }
}

/** What is expected of a unit (a day, `null` or `all`): which rows it is compared with, and by what. */
export function expectationOf(known: TableRows, unit: Interval): Expectation {
  const part = partOf(known, unit)
  if (part !== undefined) return expected(known, part, intervalWith(part, unit))
  return {
    interval: unit,
    key: printInterval(unit),
    written: { kind: 'unknown', reason: whyUnknown(known, unit), isLost: whyLost(known, unit) !== undefined },
  }
}

/** What is expected of all rows as one: their number alone, whatever columns the fingerprints are of. */
export function expectationOfAll(known: TableRows): Expectation {
  const all: Interval = { kind: 'all' }
  const rows = allExpected(known).reduce(
    (sum, { written }) => sum + (written.kind === 'known' ? written.fingerprint.rows : 0),
    0,
  )
  return {
    ...expectationOf(known, all),
    key: printInterval(all),
    ...(isKnownWhole(known) && {
      written: { kind: 'known', fingerprint: { ...noRows(0), rows }, columns: [], isReadOtherwise: false },
    }),
  }
}

/** All that is known of rows: also of those that are gone. */
export const allExpected = (known: TableRows): Expectation[] =>
  known.parts.flatMap((part) => part.intervals.map(({ interval }) => expected(known, part, interval)))

const expected = ({ parts, newest }: TableRows, part: KnownPart, interval: Interval): Expectation => ({
  interval,
  key: `${parts.indexOf(part)} ${printInterval(interval)}`,
  written: {
    kind: 'known',
    fingerprint: knownOf(part, interval),
    columns: part.columns,
    isReadOtherwise:
      part.readAs !== undefined &&
      newest?.readAs !== undefined &&
      readAsText(part.readAs) !== readAsText(newest.readAs),
  },
})
