import { usageError } from '../../errors.ts'
import { own } from '../own.ts'
import { Fault, flagText, type FlagItem } from '../faults.ts'
import { quoteIdentifier } from '../identifiers.ts'
import type { CatalogColumn } from './catalog.ts'
import type { ScalarType, SourceType, WireFormat } from './types.ts'

/** The table whose columns are planned, for messages and flags. */
export interface ColumnContext {
  readonly table: string
  /** The call has other tables, too: flags are shown as `table.column`. */
  readonly isOneOfSeveral: boolean
  /** None may be required (views). */
  readonly optional: boolean
}

/** How a column arrives and what it becomes. */
export interface Mapping {
  readonly wire: WireFormat
  readonly type: SourceType
  readonly elementWire?: WireFormat
  /** What PostgreSQL is asked to make of it without a flag: its text. */
  readonly readAs?: string
}

/** Base types of pg_catalog whose values the lake holds exactly (design §5.1); numeric has its own rule. */
const mappings: Readonly<Record<string, readonly [WireFormat, ScalarType]>> = {
  bool: ['bool', { kind: 'boolean' }],
  int2: ['int2', { kind: 'int' }],
  int4: ['int4', { kind: 'int' }],
  int8: ['int8', { kind: 'long' }],
  float4: ['float4', { kind: 'float' }],
  float8: ['float8', { kind: 'double' }],
  text: ['text', { kind: 'string' }],
  varchar: ['text', { kind: 'string' }],
  bpchar: ['text', { kind: 'string' }],
  enum: ['text', { kind: 'string' }],
  json: ['text', { kind: 'string' }],
  jsonb: ['jsonb', { kind: 'string' }],
  bytea: ['bytea', { kind: 'binary' }],
  uuid: ['uuid', { kind: 'uuid' }],
  date: ['date', { kind: 'date' }],
  time: ['time', { kind: 'time' }],
  timestamp: ['timestamp', { kind: 'timestamp' }],
  timestamptz: ['timestamp', { kind: 'timestamptz' }],
}

/**
 * Types whose values have a text that says all of them and depends on nothing but the session's fixed settings (export-spec
 * §6.6): the lake has that text. Not money (the server's locale), names of objects (`regclass`: the search path), rows.
 */
const texts = new Set([
  ...[
    'name',
    'char',
    'inet',
    'cidr',
    'macaddr',
    'macaddr8',
    'xml',
    'interval',
    'timetz',
    'bit',
    'varbit',
    'oid',
  ],
  ...[
    'tsvector',
    'tsquery',
    'range',
    'jsonpath',
    'pg_lsn',
    'txid_snapshot',
    'pg_snapshot',
    'xid',
    'xid8',
    'tid',
  ],
  ...['point', 'line', 'lseg', 'box', 'path', 'polygon', 'circle'],
  ...['citext.citext', 'ltree.ltree', 'ltree.lquery', 'ltree.ltxtquery', 'hstore.hstore', 'cube.cube'],
  ...['postgis.geometry', 'postgis.geography', 'vector.vector', 'vector.halfvec', 'vector.sparsevec'],
])

/** What `--cast` takes, and the base type it is. numeric(p,s) beside these. */
const castTargets: Readonly<Record<string, string>> = {
  boolean: 'bool',
  smallint: 'int2',
  integer: 'int4',
  int: 'int4',
  bigint: 'int8',
  real: 'float4',
  'double precision': 'float8',
  text: 'text',
  bytea: 'bytea',
  uuid: 'uuid',
  date: 'date',
  time: 'time',
  timestamp: 'timestamp',
  timestamptz: 'timestamptz',
}

const maxPrecision = 38

/** A flag for one column, as a call with these tables takes it. */
export const columnFlag = (
  { table, isOneOfSeveral }: Pick<ColumnContext, 'table' | 'isOneOfSeveral'>,
  flag: string,
  name: string,
  value: string,
): FlagItem => ({ flag, item: `${isOneOfSeveral ? `${table}.` : ''}${flagWord(name)}=${value}` })

/** A column's name as flags take it. */
export const flagWord = (name: string): string => (/^[^\s",=()]+$/.test(name) ? name : quoteIdentifier(name))

interface Widened {
  readonly mapping: Mapping
  /** What PostgreSQL is asked for; undefined: the column as it is, whose digits are the same. */
  readonly cast: string | undefined
}

/** A type as the wider one, by the promotions of Iceberg; undefined when it is none. */
export function widened(type: SourceType, to: SourceType | undefined): Widened | undefined {
  if (type.kind === 'list') {
    const element = to?.kind === 'list' ? widened(type.element, to.element) : undefined
    return (
      element && {
        mapping: listOf(element.mapping),
        cast: element.cast === undefined ? undefined : `${element.cast}[]`,
      }
    )
  }
  if (type.kind === 'int' && to?.kind === 'long')
    return { mapping: { wire: 'int8', type: to }, cast: 'bigint' }
  if (type.kind === 'float' && to?.kind === 'double')
    return { mapping: { wire: 'float8', type: to }, cast: 'double precision' }
  if (type.kind !== 'decimal' || to?.kind !== 'decimal') return undefined
  if (type.scale !== to.scale || type.precision >= to.precision) return undefined
  return { mapping: { wire: 'numeric', type: to }, cast: undefined }
}

/** Arrays of such values. */
function listOf({ wire, type }: Mapping): Mapping {
  if (type.kind === 'list') throw new TypeError('a list of lists')
  return { wire: 'array', elementWire: wire, type: { kind: 'list', element: type } }
}

export function exactMapping(context: ColumnContext, column: CatalogColumn): Mapping {
  const base = column.base ?? column.element
  const mapping = base === 'numeric' ? numericMapping(context, column) : mappingOf(base)
  if (mapping !== undefined) return column.element === undefined ? mapping : listOf(mapping)
  if (base !== undefined && texts.has(base)) {
    const text: Mapping = { wire: 'text', type: { kind: 'string' } }
    return column.element === undefined ? { ...text, readAs: 'text' } : { ...listOf(text), readAs: 'text[]' }
  }
  throw refusedType(context, column, 'has no exact counterpart in the lake')
}

export function mappingOf(base: string | undefined): Mapping | undefined {
  const found = base === undefined ? undefined : own(mappings, base)
  return found && { wire: found[0], type: found[1] }
}

/** numeric(p,s) from its type modifier: the scale is a signed 11-bit number (numeric.c, numeric_typmod_scale). */
function numericMapping(context: ColumnContext, column: CatalogColumn): Mapping {
  if (column.typmod < 4) throw refusedType(context, column, 'has no fixed scale', '38,9')
  const packed = column.typmod - 4
  const digits = (packed >> 16) & 0xffff
  const places = ((packed & 0x7ff) ^ 1024) - 1024
  const precision = Math.max(places, digits - Math.min(places, 0))
  if (precision > maxPrecision) {
    const why = `needs ${precision} digits, a decimal holds ${maxPrecision}`
    throw refusedType(context, column, why, `38,${Math.min(Math.max(places, 0), maxPrecision)}`)
  }
  return { wire: 'numeric', type: { kind: 'decimal', precision, scale: Math.max(places, 0) } }
}

export function decimalMapping(
  context: ColumnContext,
  column: CatalogColumn,
  { precision, scale }: { readonly precision: number; readonly scale: number },
): Mapping {
  if ((column.base ?? column.element) !== 'numeric') {
    const cast = columnFlag(context, '--cast', column.name, `numeric(${precision},${scale})`)
    throw usageError(
      `--decimal is for numeric columns, ${context.table}.${column.name} is ${column.declared}`,
      {
        field: '--decimal',
        fix: `use ${flagText(cast)} in its place`,
      },
    )
  }
  checkDecimal(precision, scale, '--decimal')
  const mapping: Mapping = { wire: 'numeric', type: { kind: 'decimal', precision, scale } }
  return column.element === undefined ? mapping : listOf(mapping)
}

export function castMapping(
  { table }: Pick<ColumnContext, 'table'>,
  name: string,
  cast: string,
): { readonly mapping: Mapping; readonly base: string } {
  const element = /^([^[\]]*)\[\]$/.exec(cast)?.[1]
  if (element !== undefined) {
    const { mapping, base } = castMapping({ table }, name, element)
    return { mapping: listOf(mapping), base: `${base}[]` }
  }
  const numeric = /^numeric\((\d+),(\d+)\)$/.exec(cast)
  if (numeric !== null) {
    const [precision, scale] = [Number(numeric[1]), Number(numeric[2])]
    checkDecimal(precision, scale, '--cast')
    return { mapping: { wire: 'numeric', type: { kind: 'decimal', precision, scale } }, base: 'numeric' }
  }
  const base = own(castTargets, cast) ?? ''
  const mapping = mappingOf(base)
  if (mapping !== undefined) return { mapping, base }
  throw usageError(`--cast ${name}=${cast}: ${table} cannot be read as "${cast}"`, {
    field: '--cast',
    fix: `use one of ${Object.keys(castTargets).join(', ')}, numeric(p,s), with [] behind it for an array`,
  })
}

function checkDecimal(precision: number, scale: number, field: string): void {
  const whole = Number.isInteger(precision) && Number.isInteger(scale)
  if (whole && precision >= 1 && precision <= maxPrecision && scale >= 0 && scale <= precision) return
  throw usageError(`${precision},${scale} is not a decimal's precision and scale`, {
    field,
    fix: `give a precision from 1 to ${maxPrecision} and a scale from 0 to the precision`,
  })
}

function refusedType(context: ColumnContext, column: CatalogColumn, why: string, decimal?: string): Fault {
  const field = `${context.table}.${column.name}`
  const asText = columnFlag(context, '--cast', column.name, 'text')
  const flags =
    decimal === undefined ? [asText] : [columnFlag(context, '--decimal', column.name, decimal), asText]
  return new Fault('data', `${field}: type ${column.declared} ${why}`, {
    field,
    fix: `use ${flags.map(flagText).join(' or ')}, or leave the column out with --columns`,
    flags,
  })
}
