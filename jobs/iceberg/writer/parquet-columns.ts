import type { LogicalColumnType, ParquetColumn } from '../../parquet/column.ts'
import type { ColumnType, ListType, NestedField, PrimitiveType } from '../schema/types.ts'

/** How a field is written, under its id and its element's; `own`: its type. */
export function parquetColumn({ id, name, required, type }: NestedField, own: ColumnType): ParquetColumn {
  const column = { name, fieldId: id, required }
  if (own.kind !== 'list') return { ...column, type: logicalType(own) }
  const element = { fieldId: (type as ListType)['element-id'] }
  return { ...column, type: logicalType(own.element), element }
}

/** How values of a primitive type are written to Parquet (Iceberg spec, "Parquet"). */
export function logicalType(type: PrimitiveType): LogicalColumnType {
  switch (type.kind) {
    case 'int':
      return { kind: 'int32' }
    case 'long':
      return { kind: 'int64' }
    case 'time':
      return { kind: 'time-micros' }
    case 'timestamp':
      return { kind: 'timestamp-micros', utc: false }
    case 'timestamptz':
      return { kind: 'timestamp-micros', utc: true }
    case 'decimal':
    case 'fixed':
      return type
    default:
      return { kind: type.kind }
  }
}
