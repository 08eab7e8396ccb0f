import { dayOf, msPerDay, type Day } from '../calendar.ts'
import type { DataFile } from '../iceberg/manifest/data-file.ts'
import { fileContent } from '../iceberg/manifest/data-file.ts'
import { specTypeOf } from '../iceberg/manifest/table-files.ts'
import { schemasByAge, type TableMetadata } from '../iceberg/metadata/metadata.ts'
import { fieldById } from '../iceberg/schema/schema.ts'
import { fromSingleValue } from '../iceberg/schema/single-value.ts'
import { asPrimitive, type Value } from '../iceberg/schema/types.ts'
import { everything, extentOfUnit, type Extent } from './extent.ts'
import type { Interval } from './interval.ts'

/** The day of a file's rows (`nulls`: of rows without one), by its partition alone; undefined where that does not tell it. */
export function unitOfPartition(
  metadata: TableMetadata,
  { specId, partition }: { readonly specId: number; readonly partition: readonly (Value | null)[] },
  day: number | undefined,
): Interval | undefined {
  for (const [at, { transform, sourceId, type }] of specTypeOf(metadata, specId).type.entries()) {
    if (sourceId !== day) continue
    const value = partition[at]
    const isDate = transform.kind === 'identity' && type.kind === 'date'
    if (transform.kind !== 'day' && transform.kind !== 'hour' && !isDate) continue
    if (value === null || value === undefined) return { kind: 'nulls' }
    return {
      kind: 'day',
      day: dayOfOrdinal(transform.kind === 'hour' ? Math.floor(Number(value) / 24) : Number(value)),
    }
  }
  return undefined
}

/** Rows that a file may have, by its partition, else by the bounds of the day's column. */
export function extentOfFile(metadata: TableMetadata, file: DataFile, day: number | undefined): Extent {
  const unit = unitOfPartition(metadata, file, day)
  if (unit !== undefined) return extentOfUnit(unit)
  if (day === undefined || file.content !== fileContent.data) return everything
  const [lower, upper] = [file.lowerBounds?.get(day), file.upperBounds?.get(day)]
  const type = schemasByAge(metadata)
    .map((schema) => asPrimitive(fieldById(schema, day)?.type ?? ''))
    .find((found) => found !== undefined)
  if (lower === undefined || upper === undefined || type === undefined) return everything
  const dayAt = (bound: Uint8Array): Day | undefined => {
    const value = fromSingleValue(type, bound)
    if (type.kind === 'date') return dayOfOrdinal(Number(value))
    return type.kind === 'timestamp' || type.kind === 'timestamptz'
      ? dayOf(new Date(Math.floor(Number(value) / 1000)))
      : undefined
  }
  const [from, to] = [dayAt(lower), dayAt(upper)]
  if (from === undefined || to === undefined) return everything
  return { days: [{ from, to }], nulls: file.nullValueCounts?.get(day) !== 0 }
}

const dayOfOrdinal = (ordinal: number): Day => dayOf(new Date(ordinal * msPerDay))
