/**
 * Types as the schema's JSON has them (spec App. C): a primitive is its name (`int`, `decimal(9,2)`,
 * `fixed[16]`), nested types are objects. Foreign tables' types are kept as they came, known or not.
 */
export type Type = string | StructType | ListType | MapType

export interface StructType {
  readonly type: 'struct'
  readonly fields: readonly NestedField[]
}

export interface NestedField {
  readonly id: number
  readonly name: string
  readonly required: boolean
  readonly type: Type
  readonly doc?: string
}

export interface ListType {
  readonly type: 'list'
  readonly 'element-id': number
  readonly 'element-required': boolean
  readonly element: Type
}

export interface MapType {
  readonly type: 'map'
  readonly 'key-id': number
  readonly key: Type
  readonly 'value-id': number
  readonly 'value-required': boolean
  readonly value: Type
}

const plainKinds = [
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'string',
  'uuid',
  'binary',
] as const

/** A v2 primitive type, parsed. */
export type PrimitiveType =
  | { readonly kind: (typeof plainKinds)[number] }
  | { readonly kind: 'fixed'; readonly length: number }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }

/** The type of a column that is written or compared: a primitive one, or a list of one. */
export type ColumnType = PrimitiveType | { readonly kind: 'list'; readonly element: PrimitiveType }

/**
 * The value of one column in one place (a partition, a bound): number for int, date (days since 1970), float
 * and double; bigint for long, time, timestamp (microseconds) and decimal (unscaled); bytes for uuid, fixed
 * and binary.
 */
export type Value = boolean | number | bigint | string | Uint8Array

/** Parses a primitive type's name; undefined for nested types and for names outside format version 2. */
export function asPrimitive(type: Type): PrimitiveType | undefined {
  if (typeof type !== 'string') return undefined
  const kind = plainKinds.find((name) => name === type)
  if (kind !== undefined) return { kind }
  const fixed = /^fixed\[(\d+)\]$/.exec(type)
  if (fixed !== null) return { kind: 'fixed', length: Number(fixed[1]) }
  const decimal = /^decimal\((\d+),\s*(\d+)\)$/.exec(type)
  if (decimal !== null) return { kind: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) }
  return undefined
}

type SqlPrimitive = Exclude<PrimitiveType, { readonly kind: 'fixed' }>

/** A column's type, where SQL databases have one like it; undefined elsewhere. */
export function asSqlType(
  type: Type,
): SqlPrimitive | { readonly kind: 'list'; readonly element: SqlPrimitive } | undefined {
  const column = asColumnType(type)
  if (column?.kind !== 'list') return column?.kind === 'fixed' ? undefined : column
  const { element } = column
  return element.kind === 'fixed' ? undefined : { kind: 'list', element }
}

/** A column's type as that of its one value. A TypeError for a list, which nothing is partitioned by. */
export function scalar(type: ColumnType): PrimitiveType {
  if (type.kind !== 'list') return type
  throw new TypeError('a list has no single value')
}

/** The same for a list of primitives, too; undefined for anything else. */
export function asColumnType(type: Type): ColumnType | undefined {
  if (typeof type === 'string' || type.type !== 'list') return asPrimitive(type)
  const element = asPrimitive(type.element)
  return element && { kind: 'list', element }
}

/** A type as the spec names it. */
export function printType(type: ColumnType): string {
  switch (type.kind) {
    case 'list':
      return `list<${printType(type.element)}>`
    case 'fixed':
      return `fixed[${type.length}]`
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    default:
      return type.kind
  }
}
