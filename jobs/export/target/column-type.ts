import { dataError } from '../../errors.ts'
import { asColumnType, type ColumnType, type Type } from '../../iceberg/schema/types.ts'

/** The type of a column that is written. Throws a data error for one that PostgreSQL has not. */
export function columnTypeOf(type: Type, column: string): ColumnType {
  const known = asColumnType(type)
  if (known !== undefined) return known
  throw dataError(`column ${column} of the table is ${JSON.stringify(type)}, which PostgreSQL cannot fill`, {
    field: column,
    fix: 'leave the column out with --columns, or export to another table',
  })
}
