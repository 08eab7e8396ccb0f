import type { NestedField, StructType, Type } from './types.ts'

/** A table schema, as in the metadata's JSON (spec App. C). */
export interface Schema extends StructType {
  readonly 'schema-id': number
  readonly 'identifier-field-ids'?: readonly number[]
}

/** One entry of `schema.name-mapping.default` (spec, "Column Projection"). */
export interface MappedField {
  readonly 'field-id': number
  readonly names: readonly string[]
  readonly fields?: readonly MappedField[]
}

/** The top-level field called `name`, compared exactly. */
export const fieldByName = (schema: StructType, name: string): NestedField | undefined =>
  schema.fields.find((field) => field.name === name)

/** The field with that id, at any depth of structs (the only places a partition's source may be). */
export function fieldById(struct: StructType, id: number): NestedField | undefined {
  for (const field of struct.fields) {
    if (field.id === id) return field
    if (typeof field.type === 'object' && field.type.type === 'struct') {
      const found = fieldById(field.type, id)
      if (found !== undefined) return found
    }
  }
  return undefined
}

/** The greatest id in use in a type, list elements and map entries included; 0 for an empty struct. */
export function highestFieldId(type: Type): number {
  if (typeof type === 'string') return 0
  switch (type.type) {
    case 'struct':
      return type.fields.reduce(
        (highest, field) => Math.max(highest, field.id, highestFieldId(field.type)),
        0,
      )
    case 'list':
      return Math.max(type['element-id'], highestFieldId(type.element))
    case 'map':
      return Math.max(type['key-id'], type['value-id'], highestFieldId(type.key), highestFieldId(type.value))
  }
}

/**
 * The fields with ids from `nextId()`, a whole level before its children: the order in which every
 * implementation numbers a new table, so that ids never depend on what the caller had put there.
 */
export function assignFreshIds(fields: readonly NestedField[], nextId: () => number): NestedField[] {
  const numbered = fields.map((field) => ({ ...field, id: nextId() }))
  return numbered.map((field) => ({ ...field, type: freshType(field.type, nextId) }))
}

function freshType(type: Type, nextId: () => number): Type {
  if (typeof type === 'string') return type
  switch (type.type) {
    case 'struct':
      return { ...type, fields: assignFreshIds(type.fields, nextId) }
    case 'list': {
      const elementId = nextId()
      return { ...type, 'element-id': elementId, element: freshType(type.element, nextId) }
    }
    case 'map': {
      const keyId = nextId()
      const valueId = nextId()
      return {
        ...type,
        'key-id': keyId,
        'value-id': valueId,
        key: freshType(type.key, nextId),
        value: freshType(type.value, nextId),
      }
    }
  }
}

/** The schema without what identifies it: what two schemas are compared by. */
const shape = (schema: Schema): unknown => ({
  fields: schema.fields,
  identifier: schema['identifier-field-ids'] ?? [],
})

/** Whether both describe the same columns under the same ids, whatever their `schema-id`. */
export const sameSchema = (a: Schema, b: Schema): boolean => canonical(shape(a)) === canonical(shape(b))

/** JSON with sorted keys: foreign writers order them differently. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, child: unknown) =>
    typeof child === 'object' && child !== null && !Array.isArray(child)
      ? Object.fromEntries(Object.entries(child).sort(([a], [b]) => (a < b ? -1 : 1)))
      : child,
  )
}

/**
 * The name mapping of a schema, for readers that meet data files without field ids. Java and PyIceberg write
 * list elements and map entries under the names `element`, `key` and `value`.
 */
export const nameMapping = (schema: StructType): MappedField[] => schema.fields.map(mappedField)

function mappedField(field: NestedField): MappedField {
  const children = mappedChildren(field.type)
  return {
    'field-id': field.id,
    names: [field.name],
    ...(children.length > 0 ? { fields: children } : {}),
  }
}

function mappedChildren(type: Type): MappedField[] {
  if (typeof type === 'string') return []
  switch (type.type) {
    case 'struct':
      return nameMapping(type)
    case 'list':
      return [mappedField(pseudoField(type['element-id'], 'element', type.element))]
    case 'map':
      return [
        mappedField(pseudoField(type['key-id'], 'key', type.key)),
        mappedField(pseudoField(type['value-id'], 'value', type.value)),
      ]
  }
}

const pseudoField = (id: number, name: string, type: Type): NestedField => ({
  id,
  name,
  type,
  required: true,
})
