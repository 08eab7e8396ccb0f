import { quoteIdentifier } from '../identifiers.ts'
import type { CastCheck, SourceType } from './types.ts'

/** `--out-of-range`: what becomes of values that are beyond the lake's types. */
export type OutOfRange = 'null' | 'clamp'

/** Iceberg's dates and times are those of the years 1 to 9999. */
const limits = {
  date: ["'0001-01-01'::date", "'9999-12-31'::date"],
  timestamp: ["'0001-01-01'::timestamp", "'9999-12-31 23:59:59.999999'::timestamp"],
  timestamptz: ["'0001-01-01 00:00:00+00'::timestamptz", "'9999-12-31 23:59:59.999999+00'::timestamptz"],
} as const

/**
 * How a column is selected so that infinity, NaN and dates beyond the type's become NULL or the nearest value, and what counts
 * them; undefined where the type has none. NaN has no nearest value: it becomes NULL. More digits than a decimal holds stay a
 * fault.
 */
export function withinRange(
  column: string,
  type: SourceType,
  how: OutOfRange,
): { readonly expression: string; readonly check: CastCheck } | undefined {
  const value = quoteIdentifier(column)
  const described = rangeOf(value, type)
  if (described === undefined) return undefined
  const { isBeyond, nearest } = described
  return {
    expression: `CASE WHEN ${isBeyond} THEN ${how === 'null' ? 'NULL' : nearest} ELSE ${value} END`,
    check: { expression: `CASE WHEN ${isBeyond} THEN left(${value}::text, 100) END`, lossy: true, to: how },
  }
}

function rangeOf(
  value: string,
  type: SourceType,
): { readonly isBeyond: string; readonly nearest: string } | undefined {
  switch (type.kind) {
    case 'date':
    case 'timestamp':
    case 'timestamptz': {
      const [first, last] = limits[type.kind]
      return {
        isBeyond: `${value} < ${first} OR ${value} > ${last}`,
        nearest: `GREATEST(LEAST(${value}, ${last}), ${first})`,
      }
    }
    case 'decimal': {
      const { precision, scale } = type
      const most = `${'9'.repeat(precision - scale) || '0'}${scale === 0 ? '' : `.${'9'.repeat(scale)}`}`
      return {
        // As text: before version 14 there is no literal of infinity.
        isBeyond: `${value}::text IN ('NaN', 'Infinity', '-Infinity')`,
        nearest: `CASE ${value}::text WHEN 'Infinity' THEN ${most}::numeric WHEN '-Infinity' THEN -${most}::numeric END`,
      }
    }
    default:
      return undefined
  }
}
