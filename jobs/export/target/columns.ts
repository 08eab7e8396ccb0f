import { own } from '../../postgres/own.ts'
import type { ParquetColumn } from '../../parquet/column.ts'
import { parquetColumn } from '../../iceberg/writer/parquet-columns.ts'
import type { SourceColumn, SourceType } from '../../postgres/source/types.ts'
import type { WantedColumn } from '../../iceberg/schema/schema-evolution.ts'
import { fieldByName, type Schema } from '../../iceberg/schema/schema.ts'
import { columnTypeOf } from './column-type.ts'
import { asSqlType, type ColumnType, type Type } from '../../iceberg/schema/types.ts'
import { currentSchema } from '../../iceberg/metadata/metadata.ts'
import type { Table } from '../../iceberg/catalog/catalog.ts'

/** What the lake's table should have for what is read. Columns are optional unless `required` is asked for. */
export const wantedColumns = (columns: readonly SourceColumn[], required: boolean): WantedColumn[] =>
  columns.map((column) => ({
    name: column.name,
    type: icebergType(column.type),
    required: required && column.required,
  }))

/** The names of a table's columns, as they are to be. */
export const namesOf = ({ metadata }: Table, renames: Readonly<Record<string, string>>): string[] =>
  currentSchema(metadata).fields.map(({ name }) => own(renames, name) ?? name)

/** The types that a table has for its columns, by the names that they are to have. */
export const columnTypes = (
  { metadata }: Table,
  renames: Readonly<Record<string, string>>,
): Record<string, SourceType> =>
  Object.fromEntries(
    currentSchema(metadata).fields.flatMap(({ name, type }): [string, SourceType][] => {
      const source = asSqlType(type)
      return source === undefined ? [] : [[own(renames, name) ?? name, source]]
    }),
  )

/** As in a schema's JSON (Iceberg spec App. C); ids are for the table to give. */
function icebergType(type: SourceType): Type {
  if (type.kind === 'list')
    return { type: 'list', 'element-id': 0, element: icebergType(type.element), 'element-required': false }
  return type.kind === 'decimal' ? `decimal(${type.precision}, ${type.scale})` : type.kind
}

/** How the columns are written: under the ids and types that the table's schema has for them. */
export function fileColumns(
  columns: readonly SourceColumn[],
  schema: Schema,
): { readonly columns: ParquetColumn[]; readonly types: ColumnType[] } {
  const fields = columns.map(({ name }) => {
    const field = fieldByName(schema, name)
    if (field === undefined) throw new TypeError(`the schema lacks column ${name}`)
    return field
  })
  const types = fields.map(({ name, type }) => columnTypeOf(type, name))
  return {
    types,
    columns: fields.map((field, index) => parquetColumn(field, types[index]!)),
  }
}
