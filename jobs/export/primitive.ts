import { dataError } from '../errors.ts'
import { asPrimitive, type PrimitiveType, type Type } from '../iceberg/types.ts'

/** The primitive type of a column that is written. Throws a data error for a nested or unknown one. */
export function primitiveOf(type: Type, column: string): PrimitiveType {
  const primitive = asPrimitive(type)
  if (primitive !== undefined) return primitive
  throw dataError(`column ${column} of the table is ${JSON.stringify(type)}, which PostgreSQL cannot fill`, {
    field: column,
    fix: 'leave the column out with --columns, or export to another table',
  })
}
