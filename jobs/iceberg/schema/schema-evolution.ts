import { dataError, listed, usageError } from '../../errors.ts'
import { assignFreshIds, type Schema } from './schema.ts'
import { asPrimitive, type ListType, type NestedField, type Type } from './types.ts'

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

export interface EvolveOptions {
  /** No file stays: a rename may take the place of a column that was added under its new name, which is dropped. */
  readonly replacesAll?: boolean | undefined
  /** What flags call a column. */
  readonly flagName?: ((column: string) => string) | undefined
  /** A column whose type cannot follow is dropped, and one of its name comes with a fresh id. */
  readonly retypes?: boolean | undefined
  /** Ids of columns that cannot be dropped. */
  readonly inUse?: readonly number[]
}

/**
 * The table's schema after it has followed the source: a new column becomes optional with a fresh id, int
 * becomes long, float double, a decimal wider; a column that may be NULL now or is gone from the source
 * becomes optional, and identifies rows no longer. `renames` are the columns that keep their id under a new name
 * (old → new). Anything else is `JobError` data with every difference (spec "Schema Evolution"); a rename that
 * fits neither table nor source is `JobError` usage.
 */
export function evolveSchema(
  table: string,
  current: Schema,
  wanted: readonly WantedColumn[],
  lastColumnId: number,
  renames: Readonly<Record<string, string>> = {},
  { replacesAll = false, flagName = (column) => column, retypes = false, inUse = [] }: EvolveOptions = {},
): EvolvedSchema {
  const changes: string[] = []
  const refused: Refusal[] = []
  const fields = renamedFields(table, current, wanted, { renames, replacesAll }, changes)
  const kept = fields.flatMap((field): NestedField[] => {
    const column = wanted.find(({ name }) => name === field.name)
    const before = refused.length
    const type = column === undefined ? field.type : promotedType(field, column, flagName, refused)
    if (retypes && refused.length > before) {
      refused.pop()
      changes.push(`drop column ${field.name} ${show(field.type)}, which is made anew`)
      return []
    }
    const required = field.required && column?.required === true
    if (type !== field.type) changes.push(`change ${field.name} from ${show(field.type)} to ${show(type)}`)
    if (required !== field.required) changes.push(`make ${field.name} optional`)
    return [type === field.type && required === field.required ? field : { ...field, type, required }]
  })
  if (refused.length > 0)
    throw dataError(
      `the source of table ${table} changed in a way Iceberg cannot follow: ${listed(
        refused.map(({ difference }) => difference),
        '; ',
      )}`,
      {
        field: table,
        fix: [
          `read the column as the table has it (${listed(refused.map(({ cast }) => cast))})`,
          ...(refused.some(({ id }) => inUse.includes(id))
            ? []
            : ['make it anew with --mode full --replace-table']),
          'or export to a new table with --table source=namespace.table',
        ].join(', '),
      },
    )
  let lastId = lastColumnId
  const added = wanted
    .filter(({ name }) => !kept.some((field) => field.name === name))
    .map(({ name, type }): NestedField => {
      changes.push(`add column ${name} ${show(type)}`)
      return assignFreshIds([{ id: 0, name, required: false, type }], () => ++lastId)[0]!
    })
  if (changes.length === 0) return { schema: current, lastColumnId, changes }
  const schema = withoutOptionalIdentifiers({ ...current, fields: [...kept, ...added] }, current, changes)
  return { schema, lastColumnId: lastId, changes }
}

/** A rename that is in the table already is none: runs are repeated. */
function renamedFields(
  table: string,
  { fields }: Schema,
  wanted: readonly WantedColumn[],
  {
    renames,
    replacesAll,
  }: { readonly renames: Readonly<Record<string, string>>; readonly replacesAll: boolean },
  changes: string[],
): readonly NestedField[] {
  const inTable = (name: string): boolean => fields.some((field) => field.name === name)
  const inSource = (name: string): boolean => wanted.some((column) => column.name === name)
  const isNeeded = ([from, to]: readonly [string, string]): boolean => {
    const wrong = (why: string, fix: string): Error =>
      usageError(`--rename ${from}=${to}: ${why}`, { field: '--rename', fix })
    if (!inSource(to))
      throw wrong(`the source of table ${table} has no column ${to}`, 'write --rename old=new')
    if (!inTable(from) && inTable(to)) return false
    if (!inTable(from))
      throw wrong(`table ${table} has no column ${from}`, 'name a column that the table has')
    if (inSource(from)) throw wrong(`the source has ${from} still`, 'leave --rename out')
    if (inTable(to) && !replacesAll)
      throw wrong(
        `table ${table} has a column ${to} already`,
        'to make one of both run once with --mode full, which replaces all files; else leave --rename out',
      )
    return true
  }
  const needed = new Map(Object.entries(renames).filter(isNeeded))
  return fields.flatMap((field) => {
    const name = needed.get(field.name)
    if (name !== undefined) {
      changes.push(`rename ${field.name} to ${name}`)
      return { ...field, name }
    }
    if (![...needed.values()].includes(field.name)) return field
    changes.push(`drop column ${field.name}, in whose place the renamed one comes`)
    return []
  })
}

/** Columns that identify a row are required (spec "Identifier Field IDs"): Java loads no table with an optional one. */
function withoutOptionalIdentifiers(schema: Schema, { fields }: Schema, changes: string[]): Schema {
  const before = schema['identifier-field-ids'] ?? []
  const left = before.filter((id) => schema.fields.find((field) => field.id === id)?.required === true)
  if (left.length === before.length) return schema
  const lost = fields.filter(({ id }) => before.includes(id) && !left.includes(id))
  changes.push(`${listed(lost.map(({ name }) => name))} identifies rows no longer`)
  return { ...schema, 'identifier-field-ids': left }
}

interface Refusal {
  readonly id: number
  readonly difference: string
  /** The flag that reads the source's column as the type that the table has. */
  readonly cast: string
}

function promotedType(
  field: NestedField,
  column: WantedColumn,
  flagName: (column: string) => string,
  refused: Refusal[],
): Type {
  if (isPromotion(field.type, column.type)) return column.type
  const list = promotedList(field.type, column.type)
  if (list !== undefined) return list
  if (!sameType(field.type, column.type))
    refused.push({
      id: field.id,
      difference: `${field.name} is ${show(field.type)} in the table and ${show(column.type)} in the source`,
      cast: `--cast '${flagName(field.name)}=${postgresType(field.type)}'`,
    })
  return field.type
}

/** PyIceberg writes `decimal(9, 2)`, Java's older versions `decimal(9,2)`. */
const sameType = (a: Type, b: Type): boolean =>
  JSON.stringify(asPrimitive(a) ?? a) === JSON.stringify(asPrimitive(b) ?? b)

/** A list whose element is the source's: widened, or NULL from now on. Undefined: one of both is none, or they differ. */
function promotedList(from: Type, to: Type): ListType | undefined {
  if (typeof from === 'string' || typeof to === 'string' || from.type !== 'list' || to.type !== 'list')
    return undefined
  const isWider = isPromotion(from.element, to.element)
  if (!isWider && !sameType(from.element, to.element)) return undefined
  return isWider || from['element-required'] ? { ...to, 'element-id': from['element-id'] } : from
}

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
  if (typeof type !== 'string' && type.type === 'list') return `${postgresType(type.element)}[]`
  const primitive = asPrimitive(type)
  return primitive?.kind === 'decimal'
    ? `numeric(${primitive.precision},${primitive.scale})`
    : (postgresNames[show(type)] ?? show(type))
}

function show(type: Type): string {
  if (typeof type === 'string') return type
  return type.type === 'list' ? `list<${show(type.element)}>` : type.type
}
