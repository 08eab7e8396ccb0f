import { stringifyJson, type JsonValue } from '../json/json.ts'
import { nameMapping, type MappedField, type Schema } from './schema.ts'

/** The table property that says under which names a file without field ids has the columns. */
export const nameMappingProperty = 'schema.name-mapping.default'

/** A new table's mapping, as the property has it. */
export const nameMappingText = (schema: Schema): string =>
  stringifyJson(nameMapping(schema) as unknown as JsonValue)

/**
 * A table's mapping after its schema became `schema`: columns keep the names they had (older files have those), new
 * ones are added, and a name that a column has now leads to no other. What others put there stays. A text that
 * is no mapping is replaced.
 */
export function updatedNameMapping(text: string, schema: Schema): string {
  const before = parsedMapping(text)
  return before === undefined ? nameMappingText(schema) : stringifyJson(merged(before, nameMapping(schema)))
}

/** An entry of anybody's: without a `field-id` it says that files may have a column that the table has not. */
type ForeignField = Omit<MappedField, 'field-id' | 'fields'> & {
  readonly 'field-id'?: number
  readonly fields?: readonly ForeignField[]
}

function merged(before: readonly ForeignField[], now: readonly MappedField[]): ForeignField[] {
  const taken = new Map(now.map((field) => [field.names[0], field['field-id']]))
  const kept = before.map((entry): ForeignField => {
    const id = entry['field-id']
    const current = now.find((field) => field['field-id'] === id)
    const names = entry.names.filter((name) => !taken.has(name) || taken.get(name) === id)
    if (current === undefined) return { ...entry, names }
    const fields = merged(entry.fields ?? [], current.fields ?? [])
    return {
      ...entry,
      names: [...new Set([...names, ...current.names])],
      ...(fields.length > 0 && { fields }),
    }
  })
  const known = new Set(before.map((entry) => entry['field-id']))
  return [...kept, ...now.filter((field) => !known.has(field['field-id']))]
}

function parsedMapping(text: string): readonly ForeignField[] | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) && value.every(isEntry) ? value : undefined
  } catch {
    return undefined
  }
}

const isEntry = (value: unknown): value is ForeignField => {
  if (typeof value !== 'object' || value === null) return false
  const { names, fields = [] } = value as { readonly names?: unknown; readonly fields?: unknown }
  return Array.isArray(names) && Array.isArray(fields) && fields.every(isEntry)
}
