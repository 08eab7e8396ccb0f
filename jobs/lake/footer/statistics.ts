import type { FileMetaData } from 'hyparquet'
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js'
import { toSingleValue } from '../../iceberg/schema/single-value.ts'
import type { PrimitiveType } from '../../iceberg/schema/types.ts'

/** What a footer says of one row group; readers leave out row groups by it. */
export interface RowGroupStatistics {
  readonly rows: number
  /** By field id, of top-level columns that are not nested. */
  readonly columns: ReadonlyMap<number, ColumnStatistics>
}

export interface ColumnStatistics {
  readonly nulls: number | undefined
  /** `min_value` and `max_value`, as the physical type has them. */
  readonly min: Uint8Array | undefined
  readonly max: Uint8Array | undefined
  readonly physical: string
  /** A time or timestamp in other units than microseconds. */
  readonly isScaled: boolean
}

type SchemaElement = FileMetaData['schema'][number]

interface RawStatistics {
  readonly field_3?: bigint
  readonly field_5?: Uint8Array
  readonly field_6?: Uint8Array
}
interface RawRowGroup {
  readonly field_1: readonly { readonly field_3?: { readonly field_12?: RawStatistics } }[]
}

/**
 * The statistics of a footer's row groups, by its Thrift bytes (hyparquet turns values into what loses some of their bits).
 * `schema`: as hyparquet has it. Field numbers: parquet.thrift's `FileMetaData`, `RowGroup`, `ColumnMetaData`, `Statistics`.
 */
export function rowGroupStatistics(metadata: Uint8Array, parsed: FileMetaData): RowGroupStatistics[] {
  const view = new DataView(metadata.buffer, metadata.byteOffset, metadata.byteLength)
  const { field_4: groups = [] } = deserializeTCompactProtocol({ view, offset: 0 }) as {
    readonly field_4?: readonly RawRowGroup[]
  }
  const leaves = topLevelLeaves(parsed.schema)
  return groups.map(({ field_1: columns }, group) => ({
    rows: Number(parsed.row_groups[group]?.num_rows ?? 0),
    columns: new Map(
      columns.flatMap(({ field_3: chunk }, at): [number, ColumnStatistics][] => {
        const element = leaves[at]
        if (element?.field_id === undefined) return []
        const { field_3: nulls, field_5: max, field_6: min } = chunk?.field_12 ?? {}
        return [
          [
            element.field_id,
            {
              nulls: nulls === undefined ? undefined : Number(nulls),
              min,
              max,
              physical: element.type ?? '',
              isScaled: isScaled(element),
            },
          ],
        ]
      }),
    ),
  }))
}

/** Whether a bound has the bytes that its physical type has. */
export const hasOwnSize = ({ physical }: ColumnStatistics, bytes: Uint8Array): boolean =>
  (sizes[physical] ?? bytes.length) === bytes.length

const sizes: Readonly<Record<string, number>> = { BOOLEAN: 1, INT32: 4, INT64: 8, FLOAT: 4, DOUBLE: 8 }

/** A bound as a manifest would have it; undefined: this type's cannot be compared. */
export function boundOf(
  type: PrimitiveType,
  { physical, isScaled: scaled }: ColumnStatistics,
  bytes: Uint8Array | undefined,
): Uint8Array | undefined {
  if (bytes === undefined || scaled) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const isNumber = physical === 'INT32' ? bytes.length === 4 : physical === 'INT64' && bytes.length === 8
  switch (type.kind) {
    case 'decimal':
      if (physical === 'FIXED_LEN_BYTE_ARRAY' || physical === 'BYTE_ARRAY') return bytes
      if (!isNumber) return undefined
      return toSingleValue(
        type,
        bytes.length === 4 ? BigInt(view.getInt32(0, true)) : view.getBigInt64(0, true),
      )
    case 'float':
    case 'double': {
      const value = bytes.length === 4 ? view.getFloat32(0, true) : view.getFloat64(0, true)
      return Number.isNaN(value) ? undefined : bytes
    }
    case 'int':
    case 'long':
    case 'date':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return isNumber ? bytes : undefined
    default:
      return bytes
  }
}

/** One for each leaf, in order; undefined for those that are nested. */
function topLevelLeaves(schema: readonly SchemaElement[]): (SchemaElement | undefined)[] {
  const leaves: (SchemaElement | undefined)[] = []
  let at = 1
  const pass = (depth: number): void => {
    const element = schema[at++]
    if (element === undefined) return
    const children = element.num_children ?? 0
    if (children === 0) leaves.push(depth === 0 ? element : undefined)
    for (let child = 0; child < children; child++) pass(depth + 1)
  }
  while (at < schema.length) pass(0)
  return leaves
}

function isScaled({ converted_type: converted, logical_type: logical }: SchemaElement): boolean {
  if (logical !== undefined && 'unit' in logical) return logical.unit !== 'MICROS'
  return converted === 'TIME_MILLIS' || converted === 'TIMESTAMP_MILLIS'
}
