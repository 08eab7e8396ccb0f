import { asPrimitive, type PrimitiveType, type Type, type Value } from '../iceberg/schema/types.ts'
import { quote } from './engine-names.ts'

/** The name that DuckDB has for a primitive type. */
export function engineType(type: PrimitiveType): string {
  switch (type.kind) {
    case 'decimal':
      return `DECIMAL(${type.precision}, ${type.scale})`
    case 'timestamptz':
      return 'TIMESTAMP WITH TIME ZONE'
    case 'fixed':
    case 'binary':
      return 'BLOB'
    default:
      return engineTypes[type.kind]
  }
}

const engineTypes = {
  boolean: 'BOOLEAN',
  int: 'INTEGER',
  long: 'BIGINT',
  float: 'FLOAT',
  double: 'DOUBLE',
  date: 'DATE',
  time: 'TIME',
  timestamp: 'TIMESTAMP',
  string: 'VARCHAR',
  uuid: 'UUID',
} as const

/** The same of any type; undefined where one within is not known. */
export function engineTypeOf(type: Type): string | undefined {
  if (typeof type === 'string') {
    const primitive = asPrimitive(type)
    return primitive && engineType(primitive)
  }
  switch (type.type) {
    case 'struct': {
      const fields = type.fields.map((field) => [identifier(field.name), engineTypeOf(field.type)] as const)
      if (fields.some(([, one]) => one === undefined)) return undefined
      return `STRUCT(${fields.map(([name, one]) => `${name} ${one}`).join(', ')})`
    }
    case 'list': {
      const element = engineTypeOf(type.element)
      return element && `${element}[]`
    }
    case 'map': {
      const [key, value] = [engineTypeOf(type.key), engineTypeOf(type.value)]
      return key && value && `MAP(${key}, ${value})`
    }
  }
}

/** A name as SQL, whatever it holds. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`

const epochDate = "DATE '1970-01-01'"

/** A value of a column as SQL. */
export function literal(type: PrimitiveType, value: Value | null): string {
  const name = engineType(type)
  if (value === null) return `CAST(NULL AS ${name})`
  switch (type.kind) {
    case 'date':
      return `(${epochDate} + ${Number(value)})`
    case 'time':
      return `(TIME '00:00:00' + to_microseconds(${String(value)}))`
    case 'timestamp':
      return `make_timestamp(${String(value)})`
    case 'timestamptz':
      return `make_timestamptz(${String(value)})`
    case 'decimal':
      return `CAST(${quote(decimalText(value as bigint, type.scale))} AS ${name})`
    case 'fixed':
    case 'binary':
      return `unhex(${quote(Buffer.from(value as Uint8Array).toString('hex'))})`
    case 'uuid':
      return `CAST(${quote(Buffer.from(value as Uint8Array).toString('hex'))} AS UUID)`
    default:
      return `CAST(${quote(String(value))} AS ${name})`
  }
}

/** 1234 of scale 2 as 12.34. */
function decimalText(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  const whole = digits.slice(0, digits.length - scale)
  return `${unscaled < 0n ? '-' : ''}${whole}${scale === 0 ? '' : `.${digits.slice(-scale)}`}`
}
