import { usageError } from '../../errors.ts'
import type { Schema } from '../schema/schema.ts'
import type { NestedField, Type } from '../schema/types.ts'

/** What is kept of a column's metrics (`write.metadata.metrics.*`). */
export type MetricsMode =
  { readonly kind: 'none' | 'counts' | 'full' } | { readonly kind: 'truncate'; readonly length: number }

const prefix = 'write.metadata.metrics.'

/**
 * The mode of each top-level column by its id, and of a list's elements by theirs (they are called `<name>.element`): `write.metadata.metrics.column.<name>`, else
 * `write.metadata.metrics.default`, else truncate(16) for the first 100 columns
 * (`write.metadata.metrics.max-inferred-column-defaults`) and none for the rest. Errors: `JobError` usage.
 */
export function metricsModes(
  schema: Schema,
  properties: Readonly<Record<string, string>>,
): ReadonlyMap<number, MetricsMode> {
  const inferred = Number(properties[`${prefix}max-inferred-column-defaults`] ?? 100)
  const fallback = properties[`${prefix}default`]
  return new Map(
    schema.fields.map((field, index) => {
      const inferredMode = index < inferred ? 'truncate(16)' : 'none'
      const { id, name } = leafOf(field)
      const key = `${prefix}column.${name}`
      return [id, parseMode(properties[key] ?? fallback ?? inferredMode, key)]
    }),
  )
}

/** What metrics are of: a list's are its elements', of which none has bounds (as Java and PyIceberg have it). */
export function leafOf({ id, name, type }: NestedField): {
  readonly id: number
  readonly name: string
  readonly type: Type
  readonly isElement: boolean
} {
  if (typeof type === 'string' || type.type !== 'list') return { id, name, type, isElement: false }
  return { id: type['element-id'], name: `${name}.element`, type: type.element, isElement: true }
}

function parseMode(text: string, field: string): MetricsMode {
  const lower = text.trim().toLowerCase()
  if (lower === 'none' || lower === 'counts' || lower === 'full') return { kind: lower }
  const length = Number(/^truncate\((\d+)\)$/.exec(lower)?.[1] ?? 0)
  if (length > 0) return { kind: 'truncate', length }
  throw usageError(`table property ${field} or its default is ${text}`, {
    field,
    fix: 'use none, counts, full or truncate(N) with N > 0',
  })
}
