import { dataError } from '../errors.ts'
import { fieldByName, type Schema } from './schema.ts'
import { asPrimitive, type NestedField, type Type } from './types.ts'

/** A column that the source has now; it has no id yet. */
export interface WantedColumn {
  readonly name: string
  readonly type: Type
  readonly required: boolean
}

export interface EvolvedSchema {
  readonly schema: Schema
  readonly lastColumnId: number
  /** What changed, a phrase each (`add column a int`); empty when `schema` is the current one. */
  readonly changes: readonly string[]
}

/**
 * The table's schema after it has followed the source: a new column becomes optional with a fresh id, int
 * becomes long, float double, a decimal wider; a column that may be NULL now or is gone from the source
 * becomes optional. Anything else is `JobError` data with every difference (spec "Schema Evolution").
 */
export function evolveSchema(
  table: string,
  current: Schema,
  wanted: readonly WantedColumn[],
  lastColumnId: number,
): EvolvedSchema {
  const changes: string[] = []
  const refused: string[] = []
  const kept = current.fields.map((field) => {
    const column = wanted.find(({ name }) => name === field.name)
    const type = column === undefined ? field.type : promotedType(field, column, refused)
    const required = field.required && column?.required === true
    if (type !== field.type) changes.push(`change ${field.name} from ${show(field.type)} to ${show(type)}`)
    if (required !== field.required) changes.push(`make ${field.name} optional`)
    return type === field.type && required === field.required ? field : { ...field, type, required }
  })
  if (refused.length > 0)
    throw dataError(
      `the source of table ${table} changed in a way Iceberg cannot follow: ${refused.join('; ')}`,
      {
        field: table,
        fix: 'cast the column with --cast, or export to a new table',
      },
    )
  let lastId = lastColumnId
  const added = wanted
    .filter(({ name }) => fieldByName(current, name) === undefined)
    .map(({ name, type }): NestedField => {
      changes.push(`add column ${name} ${show(type)}`)
      return { id: ++lastId, name, required: false, type }
    })
  if (changes.length === 0) return { schema: current, lastColumnId, changes }
  return { schema: { ...current, fields: [...kept, ...added] }, lastColumnId: lastId, changes }
}

function promotedType(field: NestedField, column: WantedColumn, refused: string[]): Type {
  if (isPromotion(field.type, column.type)) return column.type
  if (JSON.stringify(field.type) !== JSON.stringify(column.type))
    refused.push(`${field.name} is ${show(field.type)} in the table and ${show(column.type)} in the source`)
  return field.type
}

/** The promotions that format version 2 allows. */
function isPromotion(from: Type, to: Type): boolean {
  if (from === 'int' && to === 'long') return true
  if (from === 'float' && to === 'double') return true
  const [a, b] = [asPrimitive(from), asPrimitive(to)]
  return a?.kind === 'decimal' && b?.kind === 'decimal' && a.scale === b.scale && a.precision < b.precision
}

const show = (type: Type): string => (typeof type === 'string' ? type : type.type)
