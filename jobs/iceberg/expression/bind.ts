import { listed, usageError } from '../../errors.ts'
import { fieldById, type Schema } from '../schema/schema.ts'
import { asPrimitive, type PrimitiveType, type StructType, type Value } from '../schema/types.ts'
import { and, not, or, type Column, type Condition, type Predicate } from './predicate.ts'

/**
 * A predicate over columns' names (`a`, or `a.b` within a struct) as one over a schema's columns, its values in the form
 * that the columns' types have (`Value`). Errors: `JobError` usage for a column that is not there or is not primitive,
 * a value of another type, a prefix of what is no string.
 */
export function bind(schema: Schema, predicate: Predicate<string>): Predicate {
  switch (predicate.kind) {
    case 'true':
    case 'false':
      return predicate
    case 'and':
      return and(...predicate.parts.map((part) => bind(schema, part)))
    case 'or':
      return or(...predicate.parts.map((part) => bind(schema, part)))
    case 'not':
      return not(bind(schema, predicate.part))
    default:
      return bindCondition(columnByName(schema, predicate.column), predicate)
  }
}

/** The column of a field. Errors: `JobError` usage for one that is not primitive, or of a type unknown here. */
export function columnById(schema: Schema, id: number): Column {
  const field = fieldById(schema, id)
  const type = field && asPrimitive(field.type)
  if (field === undefined || type === undefined)
    throw usageError(`a condition on column ${field?.name ?? id} is not possible`, {
      field: field?.name ?? String(id),
      fix: `use one of ${listed(namesOf(schema))}`,
    })
  return { id, name: field.name, type }
}

function columnByName(schema: Schema, name: string): Column {
  const id = idByName(schema, name)
  if (id !== undefined) return { ...columnById(schema, id), name }
  throw usageError(`the table has no column ${name}`, {
    field: name,
    fix: `use one of ${listed(namesOf(schema))}`,
  })
}

const namesOf = (schema: Schema): string[] =>
  schema.fields.filter(({ type }) => asPrimitive(type) !== undefined).map(({ name }) => name)

/** A name may hold dots itself, so the whole is tried first. */
function idByName(struct: StructType, name: string): number | undefined {
  for (const field of struct.fields) {
    if (field.name === name) return field.id
    if (!name.startsWith(`${field.name}.`) || typeof field.type !== 'object' || field.type.type !== 'struct')
      continue
    const found = idByName(field.type, name.slice(field.name.length + 1))
    if (found !== undefined) return found
  }
  return undefined
}

function bindCondition(column: Column, condition: Condition<string>): Predicate {
  switch (condition.kind) {
    case 'is-null':
      return { kind: 'is-null', column }
    case 'in':
      return { kind: 'in', column, values: condition.values.map((value) => valueOf(column, value)) }
    case 'starts-with':
      if (column.type.kind !== 'string') throw mismatch(column, condition.prefix)
      return { kind: 'starts-with', column, prefix: condition.prefix }
    default:
      return { kind: condition.kind, column, value: valueOf(column, condition.value) }
  }
}

function valueOf(column: Column, value: Value): Value {
  const typed = typedValue(column.type, value)
  if (typed === undefined) throw mismatch(column, value)
  return typed
}

/** Whole numbers come as either of JavaScript's kinds; one beyond an int's range still compares rightly. */
function typedValue({ kind }: PrimitiveType, value: Value): Value | undefined {
  switch (kind) {
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined
    case 'int':
    case 'date':
      return isNumeric(value) && Number.isInteger(Number(value)) ? Number(value) : undefined
    case 'float':
    case 'double':
      return isNumeric(value) ? Number(value) : undefined
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
    case 'decimal':
      if (typeof value === 'bigint') return value
      return Number.isSafeInteger(value) ? BigInt(value as number) : undefined
    case 'string':
      return typeof value === 'string' ? value : undefined
    case 'uuid':
    case 'fixed':
    case 'binary':
      return value instanceof Uint8Array ? value : undefined
  }
}

const isNumeric = (value: Value): value is number | bigint =>
  typeof value === 'number' || typeof value === 'bigint'

const mismatch = ({ name, type }: Column, value: Value): Error =>
  usageError(`column ${name} is of type ${type.kind} and cannot be compared with ${String(value)}`, {
    field: name,
    fix: `give a value of type ${type.kind}`,
  })
