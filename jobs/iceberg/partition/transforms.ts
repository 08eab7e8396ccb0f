import { usageError } from '../../errors.ts'
import { asPrimitive, type PrimitiveType, type Type } from '../schema/types.ts'

/** A partition transform (spec "Partition Transforms"). What this version does not know keeps its text. */
export type Transform =
  | OrderedTransform
  | { readonly kind: 'bucket'; readonly buckets: number }
  | { readonly kind: 'void' }
  | { readonly kind: 'unknown'; readonly text: string }

/** Those that keep the order of what they are applied to. */
export type OrderedTransform =
  | { readonly kind: 'identity' | 'year' | 'month' | 'day' | 'hour' }
  | { readonly kind: 'truncate'; readonly width: number }

/** `--partition-by` taken apart: the transform and the column it is applied to. */
export interface PartitionExpression {
  readonly transform: Transform
  readonly column: string
}

const plain = ['identity', 'year', 'month', 'day', 'hour', 'void'] as const
const largest = 2 ** 31 - 1
const accepted = 'a column, or year(c), month(c), day(c), hour(c), bucket(N, c) or truncate(c, W)'

/** Parses the metadata's form: `day`, `bucket[16]`. Never fails: see `Transform`. */
export function parseTransform(text: string): Transform {
  const kind = plain.find((name) => name === text.toLowerCase())
  if (kind !== undefined) return { kind }
  const parameterised = /^(bucket|truncate)\[(\d+)\]$/i.exec(text)
  if (parameterised === null) return { kind: 'unknown', text }
  const parameter = Number(parameterised[2])
  return parameterised[1]!.toLowerCase() === 'bucket'
    ? { kind: 'bucket', buckets: parameter }
    : { kind: 'truncate', width: parameter }
}

/** The metadata's form of a transform: the inverse of `parseTransform`. */
export function formatTransform(transform: Transform): string {
  switch (transform.kind) {
    case 'bucket':
      return `bucket[${transform.buckets}]`
    case 'truncate':
      return `truncate[${transform.width}]`
    case 'unknown':
      return transform.text
    default:
      return transform.kind
  }
}

/**
 * Parses one `--partition-by` value: `day(timestamp)`, `bucket(16, user_id)`, `truncate(url, 4)` (parameters
 * in either order, as Spark takes them), or a column alone for identity. A column in double quotes is taken
 * literally. Errors: `JobError` usage, which names the `setting` that has the value.
 */
export function parsePartitionExpression(text: string, setting = '--partition-by'): PartitionExpression {
  const refuse = (): never => {
    throw usageError(`${setting} ${text}: not a partition transform`, {
      field: setting,
      fix: `use ${accepted}`,
    })
  }
  const call = /^\s*([a-z]+)\s*\((.*)\)\s*$/is.exec(text)
  if (call === null) {
    if (text.trim() === '' || /[()]/.test(text)) return refuse()
    return { transform: { kind: 'identity' }, column: unquoted(text) }
  }
  const name = call[1]!.toLowerCase().replace(/s$/, '')
  const inside = call[2]!
  const kind = plain.find((known) => known === name && known !== 'void')
  if (kind !== undefined)
    return inside.trim() === '' ? refuse() : { transform: { kind }, column: unquoted(inside) }
  const parameters = /^\s*(\d+)\s*,(.+)$/s.exec(inside) ?? /^(.+),\s*(\d+)\s*$/s.exec(inside)
  if (parameters === null || (name !== 'bucket' && name !== 'truncate')) return refuse()
  const leading = /^\s*\d+\s*$/.test(parameters[1]!)
  const parameter = Number(leading ? parameters[1] : parameters[2])
  const column = unquoted(leading ? parameters[2]! : parameters[1]!)
  if (parameter < 1 || parameter > largest || column === '') return refuse()
  return name === 'bucket'
    ? { transform: { kind: 'bucket', buckets: parameter }, column }
    : { transform: { kind: 'truncate', width: parameter }, column }
}

function unquoted(text: string): string {
  const trimmed = text.trim()
  return /^".+"$/s.test(trimmed) ? trimmed.slice(1, -1).replaceAll('""', '"') : trimmed
}

/** The partition field's default name, as Java's spec builder forms it: `timestamp_day`, `user_id_bucket`. */
export function partitionFieldName({ transform, column }: PartitionExpression): string {
  if (transform.kind === 'identity') return column
  return `${column}_${transform.kind === 'truncate' ? 'trunc' : transform.kind}`
}

const temporal = ['timestamp', 'timestamptz']
const sources: Readonly<Record<string, readonly string[]>> = {
  year: ['date', ...temporal],
  month: ['date', ...temporal],
  day: ['date', ...temporal],
  hour: temporal,
  bucket: ['int', 'long', 'decimal', 'date', 'time', ...temporal, 'string', 'uuid', 'fixed', 'binary'],
  truncate: ['int', 'long', 'decimal', 'string', 'binary'],
}

/**
 * The type of a transform's results for a source type; undefined when it cannot be applied. `day` results
 * are `date` (the spec's physical type is int, which a date is).
 */
export function resultType(transform: Transform, source: Type): PrimitiveType | undefined {
  const type = asPrimitive(source)
  if (type === undefined) return undefined
  const { kind } = transform
  if (kind === 'identity' || kind === 'void') return type
  if (sources[kind]?.includes(type.kind) !== true) return undefined
  if (kind === 'truncate') return type
  return { kind: kind === 'day' ? 'date' : 'int' }
}
