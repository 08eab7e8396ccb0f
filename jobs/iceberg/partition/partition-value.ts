import { bigEndian, compareValues, fromBigEndian, toSingleValue } from '../schema/single-value.ts'
import { asBuffer } from '../avro/avro-record.ts'
import type { PartitionColumnType } from './partition-spec.ts'
import type { PrimitiveType, Value } from '../schema/types.ts'
import { leastDecimalWidth } from '../../vector/decimal-width.ts'

/** A partition field over all of a manifest's entries. */
export interface FieldSummary {
  readonly containsNull: boolean
  readonly containsNan?: boolean
  readonly lowerBound?: Uint8Array
  readonly upperBound?: Uint8Array
}

/** A partition value as avsc wants it for the schema of manifest-schema.ts. */
export function toAvroValue(type: PrimitiveType, value: Value | null): unknown {
  if (value === null) return null
  if (type.kind === 'decimal') return bigEndian(value as bigint, leastDecimalWidth(type.precision))
  return value instanceof Uint8Array ? asBuffer(value) : value
}

/** The inverse, also for a type that was promoted since (int → long, float → double). */
export function fromAvroValue(type: PrimitiveType, value: unknown): Value | null {
  if (value === null || value === undefined) return null
  switch (type.kind) {
    case 'decimal':
      return fromBigEndian(value as Uint8Array)
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return BigInt(value as number | bigint)
    case 'int':
    case 'date':
      return Number(value)
    default:
      return value as Value
  }
}

/** A text that two partition tuples share when they are one partition: of one spec, equal value by value. */
export const partitionKey = (specId: number, partition: readonly (Value | null)[]): string =>
  JSON.stringify([
    specId,
    ...partition.map((value) =>
      value === null ? null : [typeof value, Object.is(value, -0) ? '-0' : String(value)],
    ),
  ])

/** The summaries of a manifest list for the tuples of one manifest's entries (spec "Field Summary"). */
export const fieldSummaries = (
  type: readonly PartitionColumnType[],
  tuples: readonly (readonly (Value | null)[])[],
): FieldSummary[] =>
  type.map((field, index): FieldSummary => {
    const values = tuples.map((tuple) => tuple[index] ?? null)
    const bounded = values.filter((value): value is Value => value !== null && !Number.isNaN(value))
    const containsNull = values.includes(null)
    const floating = field.type.kind === 'float' || field.type.kind === 'double'
    const nan = floating ? { containsNan: values.some((value) => Number.isNaN(value)) } : {}
    if (bounded.length === 0) return { containsNull, ...nan }
    const lowest = bounded.reduce((a, b) => (compareValues(b, a) < 0 ? b : a))
    const highest = bounded.reduce((a, b) => (compareValues(b, a) > 0 ? b : a))
    return {
      containsNull,
      ...nan,
      lowerBound: toSingleValue(field.type, lowest),
      upperBound: toSingleValue(field.type, highest),
    }
  })
