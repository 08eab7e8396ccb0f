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
  const refused: Refusal[] = []
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
      `the source of table ${table} changed in a way Iceberg cannot follow: ${refused.map(({ difference }) => difference).join('; ')}`,
      {
        field: table,
        fix: `read the column as the table has it (${refused.map(({ cast }) => cast).join(', ')}), or export to a new table`,
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

interface Refusal {
  readonly difference: string
  /** The flag that reads the source's column as the type that the table has. */
  readonly cast: string
}

function promotedType(field: NestedField, column: WantedColumn, refused: Refusal[]): Type {
  if (isPromotion(field.type, column.type)) return column.type
  if (!sameType(field.type, column.type))
    refused.push({
      difference: `${field.name} is ${show(field.type)} in the table and ${show(column.type)} in the source`,
      cast: `--cast ${field.name}=${postgresType(field.type)}`,
    })
  return field.type
}

/** PyIceberg writes `decimal(9, 2)`, Java's older versions `decimal(9,2)`. */
const sameType = (a: Type, b: Type): boolean =>
  JSON.stringify(asPrimitive(a) ?? a) === JSON.stringify(asPrimitive(b) ?? b)

/** The promotions that format version 2 allows. */
function isPromotion(from: Type, to: Type): boolean {
  if (from === 'int' && to === 'long') return true
  if (from === 'float' && to === 'double') return true
  const [a, b] = [asPrimitive(from), asPrimitive(to)]
  return a?.kind === 'decimal' && b?.kind === 'decimal' && a.scale === b.scale && a.precision < b.precision
}

/** PostgreSQL's names where they are others than Iceberg's. */
const postgresNames: Readonly<Record<string, string>> = {
  int: 'integer',
  long: 'bigint',
  float: 'real',
  double: 'double precision',
  string: 'text',
  binary: 'bytea',
}

const postgresType = (type: Type): string => {
  const primitive = asPrimitive(type)
  return primitive?.kind === 'decimal'
    ? `numeric(${primitive.precision},${primitive.scale})`
    : (postgresNames[show(type)] ?? show(type))
}

const show = (type: Type): string => (typeof type === 'string' ? type : type.type)
