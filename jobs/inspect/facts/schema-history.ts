import type { TableMetadata } from '../../iceberg/metadata/metadata.ts'
import type { Schema } from '../../iceberg/schema/schema.ts'
import type { NestedField, Type } from '../../iceberg/schema/types.ts'
import type { ColumnReport, SchemaChange } from '../report-schema.ts'

/** A schema's columns, parts of nested ones behind them by their paths. */
export const columnReports = ({ fields }: Schema): ColumnReport[] =>
  [...flat(fields, '')].map(({ id, path, type, required }) => ({
    id,
    name: path,
    type,
    required,
  }))

/** What each schema changed of the one before it, by field id; those that changed nothing are left out. */
export function schemaHistory(metadata: TableMetadata): SchemaChange[] {
  const { schemas, snapshots } = metadata
  return schemas.flatMap((schema, at) => {
    const before = schemas[at - 1]
    if (before === undefined) return []
    const changes = difference(before, schema)
    const id = schema['schema-id']
    const first = snapshots.find((snapshot) => snapshot['schema-id'] === id)?.['timestamp-ms']
    return changes.length === 0
      ? []
      : [
          {
            from: before['schema-id'],
            to: id,
            ...(first !== undefined && { at: new Date(first).toISOString() }),
            changes,
          },
        ]
  })
}

interface FlatField {
  readonly id: number
  /** `address.city`, `tags.element`. */
  readonly path: string
  readonly type: string
  readonly required: boolean
}

/** `+ 6 email string`, `- 3 url string`, `4 amount: int became long`; by id, whatever their order. */
export function difference(before: Schema, after: Schema): string[] {
  const old = new Map([...flat(before.fields, '')].map((field) => [field.id, field]))
  const fresh = new Map([...flat(after.fields, '')].map((field) => [field.id, field]))
  const changes: string[] = []
  for (const [id, field] of fresh) {
    const was = old.get(id)
    if (was === undefined) changes.push(`+ ${id} ${field.path} ${described(field)}`)
    else {
      if (was.path !== field.path) changes.push(`${id} ${was.path}: renamed ${field.path}`)
      if (was.type !== field.type) changes.push(`${id} ${field.path}: ${was.type} became ${field.type}`)
      if (was.required !== field.required)
        changes.push(`${id} ${field.path}: ${field.required ? 'required now' : 'optional now'}`)
    }
  }
  for (const [id, field] of old) if (!fresh.has(id)) changes.push(`- ${id} ${field.path} ${field.type}`)
  const order = (fields: ReadonlyMap<number, FlatField>, others: ReadonlyMap<number, FlatField>): string =>
    [...fields.keys()].filter((id) => others.has(id)).join()
  if (order(old, fresh) !== order(fresh, old)) changes.push('columns in another order')
  const identifiers = (schema: Schema): string => (schema['identifier-field-ids'] ?? []).join(', ')
  if (identifiers(before) !== identifiers(after))
    changes.push(
      `rows identified by columns ${identifiers(after) || 'none'}, before by ${identifiers(before) || 'none'}`,
    )
  return changes
}

const described = ({ type, required }: FlatField): string => (required ? `${type}, required` : type)

function* flat(fields: readonly NestedField[], prefix: string): Generator<FlatField> {
  for (const { id, name, type, required } of fields) {
    const path = `${prefix}${name}`
    yield { id, path, type: typeName(type), required }
    yield* parts(type, path)
  }
}

function* parts(type: Type, path: string): Generator<FlatField> {
  if (typeof type === 'string') return
  switch (type.type) {
    case 'struct':
      yield* flat(type.fields, `${path}.`)
      break
    case 'list':
      yield* flat(
        [{ id: type['element-id'], name: 'element', type: type.element, required: type['element-required'] }],
        `${path}.`,
      )
      break
    case 'map':
      yield* flat(
        [
          { id: type['key-id'], name: 'key', type: type.key, required: true },
          { id: type['value-id'], name: 'value', type: type.value, required: type['value-required'] },
        ],
        `${path}.`,
      )
  }
}

/** A nested type's kind: its parts have lines of their own. */
const typeName = (type: Type): string => (typeof type === 'string' ? type : type.type)
