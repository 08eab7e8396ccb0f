import type { LogicalColumnType, ParquetColumn } from '../parquet/column.ts'
import type { SourceColumn, SourceType } from '../postgres/source/types.ts'
import type { WantedColumn } from '../iceberg/schema-evolution.ts'
import { fieldByName, type Schema } from '../iceberg/schema.ts'
import { primitiveOf } from './primitive.ts'
import { asPrimitive, type PrimitiveType } from '../iceberg/types.ts'
import { currentSchema } from '../iceberg/metadata.ts'
import type { Table } from '../iceberg/catalog/catalog.ts'

/** What the lake's table should have for what is read. Columns are optional unless `required` is asked for. */
export const wantedColumns = (columns: readonly SourceColumn[], required: boolean): WantedColumn[] =>
  columns.map((column) => ({
    name: column.name,
    type: typeName(column.type),
    required: required && column.required,
  }))

/** The types that a table has for its columns, by the names that they are to have. */
export const columnTypes = (
  { metadata }: Table,
  renames: Readonly<Record<string, string>>,
): Record<string, SourceType> =>
  Object.fromEntries(
    currentSchema(metadata).fields.flatMap(({ name, type }): [string, SourceType][] => {
      const primitive = asPrimitive(type)
      if (primitive === undefined || primitive.kind === 'fixed') return []
      return [[renames[name] ?? name, primitive]]
    }),
  )

/** The type's name in a schema's JSON (Iceberg spec App. C). */
const typeName = (type: SourceType): string =>
  type.kind === 'decimal' ? `decimal(${type.precision}, ${type.scale})` : type.kind

/** How the columns are written: under the ids and types that the table's schema has for them. */
export function fileColumns(
  columns: readonly SourceColumn[],
  schema: Schema,
): { readonly columns: ParquetColumn[]; readonly types: PrimitiveType[] } {
  const fields = columns.map(({ name }) => {
    const field = fieldByName(schema, name)
    if (field === undefined) throw new TypeError(`the schema lacks column ${name}`)
    return field
  })
  const types = fields.map(({ name, type }) => primitiveOf(type, name))
  return {
    types,
    columns: fields.map(({ id, name, required }, index) => ({
      name,
      fieldId: id,
      required,
      type: logicalType(types[index]!),
    })),
  }
}

function logicalType(type: PrimitiveType): LogicalColumnType {
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
    case 'fixed':
      throw new TypeError('PostgreSQL has no fixed-length type')
    case 'decimal':
      return type
    default:
      return { kind: type.kind }
  }
}
