import { JsonNumber, type JsonValue } from '../../iceberg/json/json.ts'
import { nameMappingProperty } from '../../iceberg/schema/name-mapping.ts'
import type { MappedField } from '../../iceberg/schema/schema.ts'
import {
  asPrimitive,
  type NestedField,
  type PrimitiveType,
  type Type,
  type Value,
} from '../../iceberg/schema/types.ts'
import type { TableMetadata } from '../../iceberg/metadata/metadata.ts'
import { quote } from '../engine-names.ts'
import { engineType, engineTypeOf, identifier, literal } from '../engine-type.ts'
import type { FileColumn, Footer } from '../footer/footer.ts'

/**
 * How the columns of one file become those of the table (spec "Column Projection"). `ids`: DuckDB finds them by their
 * field ids. Else one SQL expression for each, over the file's own names.
 */
export type Projection =
  | { readonly kind: 'ids' }
  | { readonly kind: 'expressions'; readonly expressions: readonly string[] }
  /** What cannot be read, in words. */
  | { readonly kind: 'unknown'; readonly feature: string }

/** Thrown within this file. */
class Unknown extends Error {}

/**
 * @param constants values of columns by id, for files that lack them: those of identity partitions
 */
export function projectionOf(
  metadata: TableMetadata,
  footer: Footer,
  fields: readonly NestedField[],
  constants: ReadonlyMap<number, { readonly type: PrimitiveType; readonly value: Value | null }>,
): Projection {
  const hasIds = footer.columns.some(hasId)
  const mapping = metadata.properties[nameMappingProperty]
  if (!hasIds && footer.columns.length > 0 && mapping === undefined)
    return { kind: 'unknown', feature: `columns without field ids, and no property ${nameMappingProperty},` }
  const columns = hasIds ? footer.columns : withMappedIds(footer.columns, mappingOf(mapping))
  if (hasIds) {
    const nameless = columns.find(({ fieldId }) => fieldId === undefined)
    if (nameless !== undefined)
      return { kind: 'unknown', feature: `column ${nameless.name} without a field id` }
  }
  const names = new Set(columns.map(({ name }) => name.toLowerCase()))
  const isPlain = (field: NestedField): boolean =>
    typeof field.type === 'string' &&
    (columns.some(({ fieldId }) => fieldId === field.id) ||
      (!('initial-default' in field) && !constants.has(field.id)))
  if (hasIds && fields.every(isPlain)) return { kind: 'ids' }
  if (names.size < columns.length)
    return {
      kind: 'unknown',
      feature: 'columns whose names differ by case alone, in a file read by its names,',
    }
  try {
    return { kind: 'expressions', expressions: fields.map((field) => topLevel(field, columns, constants)) }
  } catch (error) {
    if (error instanceof Unknown) return { kind: 'unknown', feature: error.message }
    throw error
  }
}

const hasId = ({ fieldId, children }: FileColumn): boolean => fieldId !== undefined || children.some(hasId)

function mappingOf(text: string | undefined): readonly Partial<MappedField>[] {
  try {
    const parsed: unknown = JSON.parse(text ?? '')
    return Array.isArray(parsed) ? (parsed as Partial<MappedField>[]) : []
  } catch {
    return []
  }
}

/** The columns with the ids that a mapping gives their names; what it does not know has none. */
function withMappedIds(
  columns: readonly FileColumn[],
  mapping: readonly Partial<MappedField>[],
): FileColumn[] {
  return columns.map(({ name, children }) => {
    const mapped = mapping.find(({ names }) => names?.includes(name) === true)
    const below = mapped?.fields ?? []
    // Lists and maps have a group between them and what they hold, which the mapping leaves out.
    const isGroup = mapped === undefined
    return {
      name,
      fieldId: mapped?.['field-id'],
      children: withMappedIds(children, isGroup ? mapping : below),
    }
  })
}

function topLevel(
  field: NestedField,
  columns: readonly FileColumn[],
  constants: Parameters<typeof projectionOf>[3],
): string {
  const column = columns.find(({ fieldId }) => fieldId === field.id)
  const constant = constants.get(field.id)
  if (column === undefined && constant !== undefined)
    return `CAST(${literal(constant.type, constant.value)} AS ${typeName(field.type)})`
  return column === undefined ? absent(field) : valueSql(field.type, column, identifier(column.name), 0)
}

function typeName(type: Type): string {
  const name = engineTypeOf(type)
  if (name === undefined) throw new Unknown(`type ${typeof type === 'string' ? type : type.type}`)
  return name
}

/** What a file without the column has in every row. */
function absent(field: NestedField): string {
  const value = (field as { readonly 'initial-default'?: JsonValue })['initial-default']
  if (value === undefined || value === null) return `CAST(NULL AS ${typeName(field.type)})`
  const type = asPrimitive(field.type)
  const text = value instanceof JsonNumber ? value.text : value
  if (type === undefined || typeof text === 'object')
    throw new Unknown(`the initial default of column ${field.name}`)
  if (type.kind === 'binary' || type.kind === 'fixed') return `unhex(${quote(String(text))})`
  return `CAST(${quote(String(text))} AS ${engineType(type)})`
}

function valueSql(type: Type, column: FileColumn, sql: string, depth: number): string {
  const name = typeName(type)
  if (typeof type === 'string') return `CAST(${sql} AS ${name})`
  const unless = (value: string): string => `CASE WHEN ${sql} IS NULL THEN NULL ELSE ${value} END`
  const variable = `x${depth}`
  switch (type.type) {
    case 'struct': {
      const parts = type.fields.map((field) => {
        const child = column.children.find(({ fieldId }) => fieldId === field.id)
        const value =
          child === undefined
            ? absent(field)
            : valueSql(field.type, child, `struct_extract(${sql}, ${quote(child.name)})`, depth)
        return `${identifier(field.name)} := ${value}`
      })
      return `CAST(${unless(`struct_pack(${parts.join(', ')})`)} AS ${name})`
    }
    case 'list': {
      const element = column.children[0]?.children[0]
      if (element === undefined || column.children.length !== 1 || column.children[0]!.children.length !== 1)
        throw new Unknown(`the form of list ${column.name}`)
      const value = valueSql(type.element, element, variable, depth + 1)
      return `CAST(list_transform(${sql}, lambda ${variable}: ${value}) AS ${name})`
    }
    case 'map': {
      const [key, value] = column.children[0]?.children ?? []
      if (key === undefined || value === undefined) throw new Unknown(`the form of map ${column.name}`)
      const entry = [
        `k := ${valueSql(type.key, key, `${variable}.key`, depth + 1)}`,
        `v := ${valueSql(type.value, value, `${variable}.value`, depth + 1)}`,
      ].join(', ')
      const entries = `list_transform(map_entries(${sql}), lambda ${variable}: struct_pack(${entry}))`
      return `CAST(${unless(`map_from_entries(${entries})`)} AS ${name})`
    }
  }
}
