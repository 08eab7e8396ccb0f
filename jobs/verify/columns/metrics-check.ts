import type { DataFile } from '../../iceberg/manifest/data-file.ts'
import { fromSingleValue } from '../../iceberg/schema/single-value.ts'
import type { PrimitiveType } from '../../iceberg/schema/types.ts'
import type { FlatField } from '../../lake/read-rows.ts'
import { isBytes, numberOf, type ColumnStatistics } from './statistics.ts'

/** What is said of some rows' columns, and by whom: a manifest, a footer. */
export type Metrics = Pick<DataFile, 'lowerBounds' | 'upperBounds' | 'nullValueCounts' | 'valueCounts'> & {
  readonly by: string
}

/**
 * Holds what is said of columns against their rows, one statistics for each field: a wrong bound loses rows in every engine.
 * What is not true, one line each. `hasAll`: none of the file's rows is deleted.
 */
export const metricsFaults = (
  metrics: Metrics,
  fields: readonly FlatField[],
  columns: readonly ColumnStatistics[],
  hasAll: boolean,
): string[] => fields.flatMap((field, at) => columnFaults(metrics, field, columns[at]!, hasAll))

function columnFaults(
  { by, lowerBounds, upperBounds, nullValueCounts, valueCounts }: Metrics,
  { id, name, type }: FlatField,
  { rows, nulls, bounds }: ColumnStatistics,
  hasAll: boolean,
): string[] {
  // What is said of lists is of their elements, by other ids, and not counted alike by all writers.
  if (type.kind === 'list') return []
  const nullCount = nullValueCounts?.get(id) ?? nulls
  const valueCount = valueCounts?.get(id) ?? rows
  const isOutside = (bound: Uint8Array | undefined, value: Uint8Array | undefined, sign: -1 | 1): boolean =>
    bound !== undefined && value !== undefined && sign * compareWithBound(type, value, bound) > 0
  // What is deleted is in the file's counts, and in its bounds.
  return [
    ...((hasAll ? nullCount === nulls : nullCount >= nulls)
      ? []
      : [`column ${name} has ${nulls} NULLs, the ${by} says ${nullCount}`]),
    ...((hasAll ? valueCount === rows : valueCount >= rows)
      ? []
      : [`column ${name} has ${rows} values, the ${by} says ${valueCount}`]),
    ...(isOutside(lowerBounds?.get(id), bounds?.min, -1)
      ? [`column ${name} has values below the ${by}'s lower bound`]
      : []),
    ...(isOutside(upperBounds?.get(id), bounds?.max, 1)
      ? [`column ${name} has values above the ${by}'s upper bound`]
      : []),
  ]
}

/** The order of a value, as vectors have it, and of a bound as manifests have it. */
function compareWithBound(type: PrimitiveType, value: Uint8Array, bound: Uint8Array): number {
  if (isBytes(type)) return Buffer.compare(value, bound)
  const [own, other] = [numberOf(type, value), fromSingleValue(type, bound)]
  const most = typeof other === 'boolean' ? Number(other) : (other as number | bigint)
  return own < most ? -1 : own > most ? 1 : 0
}
