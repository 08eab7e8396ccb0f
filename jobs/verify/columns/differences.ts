import type { VerifiedInterval } from '../../summary.ts'
import type { FlatField } from '../../lake/read-rows.ts'
import type { ColumnType } from '../../iceberg/schema/types.ts'
import { isBytes, type ColumnStatistics } from './statistics.ts'
import { decimalText, plainText } from './value-text.ts'

type VerifiedColumn = NonNullable<VerifiedInterval['columns']>[number]

/** What the columns of an interval's rows are to those that were written, and those of the source. */
export interface ComparedColumns {
  readonly fields: readonly FlatField[]
  readonly lake: readonly ColumnStatistics[]
  /** NULLs by the fingerprint; undefined: it is none of these columns. */
  readonly writtenNulls: readonly number[] | undefined
  readonly source:
    { readonly types: readonly ColumnType[]; readonly columns: readonly ColumnStatistics[] } | undefined
}

/** Each column's NULLs, minimum, maximum and sum, with those of the other side where these differ. */
export const verifiedColumns = ({ fields, lake, writtenNulls, source }: ComparedColumns): VerifiedColumn[] =>
  fields.map(({ name, type }, at) => {
    const own = told(type, lake[at]!)
    const theirs = source && told(source.types[at]!, source.columns[at]!)
    const isOther = theirs !== undefined && JSON.stringify(own) !== JSON.stringify(theirs)
    const nulls = writtenNulls?.[at] ?? own.nulls
    // A text may be of a person: it is told only where somebody has to look at it.
    return {
      column: name,
      ...(isBytes(type) && !isOther ? { nulls: own.nulls } : own),
      ...(nulls !== own.nulls && { written: { nulls } }),
      ...(isOther && { source: theirs }),
    }
  })

type Told = NonNullable<VerifiedColumn['source']>

const told = (type: ColumnType, { nulls, bounds, sum }: ColumnStatistics): Told => ({
  nulls,
  ...(bounds &&
    type.kind !== 'list' && { min: plainText(type, bounds.min), max: plainText(type, bounds.max) }),
  ...(sum !== undefined && { sum: type.kind === 'decimal' ? decimalText(sum, type.scale) : String(sum) }),
})

/** Columns that are named in a line; the others are counted. */
const mostNamed = 3

/** In what columns differ, for people; empty where numbers do not tell. */
export function differencesText(columns: readonly VerifiedColumn[]): string {
  const lines = columns.flatMap((one) => {
    const { column, source, written } = one
    const ofSource = (['nulls', 'min', 'max', 'sum'] as const).flatMap((name) =>
      source === undefined || source[name] === one[name]
        ? []
        : [`${words[name]} ${one[name] ?? 'none'}, in the source ${source[name] ?? 'none'}`],
    )
    const all =
      ofSource.length > 0
        ? ofSource
        : written === undefined
          ? []
          : [`NULLs ${one.nulls}, written ${written.nulls}`]
    return all.length === 0 ? [] : [`column ${column}: ${all.join('; ')}`]
  })
  const more = lines.length > mostNamed ? [`${lines.length - mostNamed} more columns`] : []
  return [...lines.slice(0, mostNamed), ...more].join('; ')
}

const words = { nulls: 'NULLs', min: 'minimum', max: 'maximum', sum: 'sum' } as const
