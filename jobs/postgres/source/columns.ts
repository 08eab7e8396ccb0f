import { dataError, usageError, type JobError } from '../../errors.ts'
import { quoteIdentifier } from '../identifiers.ts'
import type { CatalogColumn } from './catalog.ts'
import type { SourceColumn, SourceType, WireFormat } from './types.ts'

/** Which columns of a table are read, in which order and as what. */
export interface ColumnOptions {
  /** Names in the order wanted; undefined: all, in the table's (or the contract's) order. */
  readonly columns?: readonly string[]
  /** `--cast column=type`: column name → PostgreSQL type. */
  readonly casts?: Readonly<Record<string, string>>
  /** `--decimal column=p,s`: what an unconstrained or too wide numeric is read as. */
  readonly decimals?: Readonly<Record<string, { readonly precision: number; readonly scale: number }>>
  /** Types that the lake has for columns: a narrower one of the source is read as that (int as long …). */
  readonly wider?: Readonly<Record<string, SourceType>>
}

type Mapping = readonly [WireFormat, SourceType]

/** Base types of pg_catalog whose values the lake holds exactly (design §5.1); numeric has its own rule. */
const mappings: Readonly<Record<string, Mapping>> = {
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

/** The order of design §3.3, which the lake's table has and the source's has not. */
const contractTable = 'public.web_logs'
const contractOrder = ['timestamp', 'user_id', 'url', 'response_time', 'status_code']

/**
 * The columns to read. `optional`: none may be required (views). Unknown names are exit 2, types without an
 * exact counterpart exit 3, naming the flag that resolves it.
 */
export function planColumns(
  table: string,
  catalog: readonly CatalogColumn[],
  options: ColumnOptions,
  optional: boolean,
): SourceColumn[] {
  const byName = new Map(catalog.map((column) => [column.name, column]))
  const find = (name: string, flag: string): CatalogColumn => {
    const column = byName.get(name)
    if (column !== undefined) return column
    throw usageError(`${table} has no column ${name} (it has ${[...byName.keys()].join(', ')})`, {
      field: flag,
      fix: `correct ${flag}; names are compared exactly`,
    })
  }
  for (const name of Object.keys(options.casts ?? {})) find(name, '--cast')
  for (const name of Object.keys(options.decimals ?? {})) find(name, '--decimal')
  const names = options.columns ?? defaultOrder(table, [...byName.keys()])
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) {
    throw usageError(`--columns names ${twice} twice`, { field: '--columns', fix: 'name every column once' })
  }
  return names.map((name) => {
    const column = find(name, '--columns')
    const cast = own(options.casts, name)
    const decimal = own(options.decimals, name)
    if (cast !== undefined && decimal !== undefined) {
      throw usageError(`both --cast and --decimal name ${table}.${name}`, {
        field: '--cast',
        fix: 'use one of them',
      })
    }
    const said = cast !== undefined || decimal !== undefined
    const [wire, type] =
      cast !== undefined
        ? castMapping(table, name, cast)
        : decimal !== undefined
          ? decimalMapping(table, column, decimal)
          : exactMapping(table, column)
    const wider = said ? undefined : widened(type, own(options.wider, name))
    const readAs = cast ?? wider?.cast
    return {
      name,
      attnum: column.attnum,
      type: wider?.type ?? type,
      wire: wider?.wire ?? wire,
      required: column.notNull && !optional,
      expression: readAs === undefined ? quoteIdentifier(name) : `${quoteIdentifier(name)}::${readAs}`,
      sourceType: column.declared,
    }
  })
}

interface Widened {
  readonly wire: WireFormat
  readonly type: SourceType
  /** What PostgreSQL is asked for; undefined: the column as it is, whose digits are the same. */
  readonly cast: string | undefined
}

/** A type as the wider one, by the promotions of Iceberg; undefined when it is none. */
function widened(type: SourceType, to: SourceType | undefined): Widened | undefined {
  if (type.kind === 'int' && to?.kind === 'long') return { wire: 'int8', type: to, cast: 'bigint' }
  if (type.kind === 'float' && to?.kind === 'double')
    return { wire: 'float8', type: to, cast: 'double precision' }
  if (type.kind !== 'decimal' || to?.kind !== 'decimal') return undefined
  if (type.scale !== to.scale || type.precision >= to.precision) return undefined
  return { wire: 'numeric', type: to, cast: undefined }
}

/** A column may be called `constructor`. */
const own = <T>(record: Readonly<Record<string, T>> | undefined, name: string): T | undefined =>
  record !== undefined && Object.hasOwn(record, name) ? record[name] : undefined

function defaultOrder(table: string, names: readonly string[]): readonly string[] {
  if (table !== contractTable) return names
  const known = contractOrder.filter((name) => names.includes(name))
  return [...known, ...names.filter((name) => !known.includes(name))]
}

function exactMapping(table: string, column: CatalogColumn): Mapping {
  if (column.base === 'numeric') return numericMapping(table, column)
  const mapping = column.base === undefined ? undefined : mappings[column.base]
  if (mapping !== undefined) return mapping
  throw refusedType(table, column, 'has no exact counterpart in the lake', `--cast ${column.name}=text`)
}

/** numeric(p,s) from its type modifier: the scale is a signed 11-bit number (numeric.c, numeric_typmod_scale). */
function numericMapping(table: string, column: CatalogColumn): Mapping {
  if (column.typmod < 4) {
    throw refusedType(
      table,
      column,
      'has no fixed scale',
      `--decimal ${column.name}=38,9 or --cast ${column.name}=text`,
    )
  }
  const packed = column.typmod - 4
  const digits = (packed >> 16) & 0xffff
  const places = ((packed & 0x7ff) ^ 1024) - 1024
  const precision = Math.max(places, digits - Math.min(places, 0))
  if (precision > maxPrecision) {
    throw refusedType(
      table,
      column,
      `needs ${precision} digits, a decimal holds ${maxPrecision}`,
      `--decimal ${column.name}=38,${Math.min(Math.max(places, 0), maxPrecision)} or --cast ${column.name}=text`,
    )
  }
  return ['numeric', { kind: 'decimal', precision, scale: Math.max(places, 0) }]
}

function decimalMapping(
  table: string,
  column: CatalogColumn,
  { precision, scale }: { readonly precision: number; readonly scale: number },
): Mapping {
  if (column.base !== 'numeric') {
    throw usageError(`--decimal is for numeric columns, ${table}.${column.name} is ${column.declared}`, {
      field: '--decimal',
      fix: `use --cast ${column.name}=numeric(${precision},${scale})`,
    })
  }
  checkDecimal(precision, scale, '--decimal')
  return ['numeric', { kind: 'decimal', precision, scale }]
}

function castMapping(table: string, name: string, cast: string): Mapping {
  const numeric = /^numeric\((\d+),(\d+)\)$/.exec(cast)
  if (numeric !== null) {
    const [precision, scale] = [Number(numeric[1]), Number(numeric[2])]
    checkDecimal(precision, scale, '--cast')
    return ['numeric', { kind: 'decimal', precision, scale }]
  }
  const mapping = mappings[castTargets[cast] ?? '']
  if (mapping !== undefined) return mapping
  throw usageError(`--cast ${name}=${cast}: ${table} cannot be read as "${cast}"`, {
    field: '--cast',
    fix: `use one of ${Object.keys(castTargets).join(', ')}, numeric(p,s)`,
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

const refusedType = (table: string, column: CatalogColumn, why: string, flags: string): JobError =>
  dataError(`${table}.${column.name}: type ${column.declared} ${why}`, {
    field: `${table}.${column.name}`,
    fix: `use ${flags}, or leave the column out with --columns`,
  })
