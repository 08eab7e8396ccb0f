import { Buffer } from 'node:buffer'
import { msPerDay } from '../../calendar.ts'
import { fromBigEndian } from '../../iceberg/schema/single-value.ts'
import type { ColumnType, PrimitiveType } from '../../iceberg/schema/types.ts'
import type { ColumnVector, FlatVector, ListVector } from '../../vector/vector.ts'

/** Characters of a text that are shown. */
const mostShown = 200

/** A value of a vector as people read it; `at` counts values, without NULLs. */
export function valueText(type: ColumnType, vector: ColumnVector, at: number): string {
  if (vector.kind !== 'list' && type.kind !== 'list') return flatText(type, vector, at)
  if (vector.kind !== 'list' || type.kind !== 'list')
    throw new TypeError(`a vector of ${vector.kind} as ${type.kind}`)
  return listText(type.element, vector, at)
}

/** Elements of a list that are shown. */
const mostElements = 20

/** As JSON has it, but for texts with quotes of their own. */
function listText(type: PrimitiveType, { elements, offsets }: ListVector, at: number): string {
  const [start, end] = [offsets[at]!, offsets[at + 1]!]
  const { defined } = elements
  let value = 0
  for (let row = 0; row < start; row++) value += defined?.[row] ?? 1
  const texts: string[] = []
  for (let row = start; row < Math.min(end, start + mostElements); row++) {
    if (defined?.[row] === 0) texts.push('NULL')
    else texts.push(elementText(type, flatText(type, elements, value++)))
  }
  const more = end - start > mostElements ? `, … (${end - start} elements)` : ''
  return `[${texts.join(', ')}${more}]`
}

const elementText = (type: PrimitiveType, text: string): string =>
  type.kind === 'string' ? JSON.stringify(text) : text

const flatText = (type: PrimitiveType, vector: FlatVector, at: number): string =>
  plainText(
    type,
    vector.kind === 'bytes'
      ? vector.data.subarray(vector.offsets[at], vector.offsets[at + 1])
      : vector.data.subarray(at * vector.width, (at + 1) * vector.width),
  )

/** The same of a value's bytes as vectors have them. */
export function plainText(type: PrimitiveType, { buffer, byteOffset, byteLength }: Uint8Array): string {
  const bytes = Buffer.from(buffer, byteOffset, byteLength)
  if (type.kind === 'string' || type.kind === 'binary') {
    const text = type.kind === 'string' ? bytes.toString() : `\\x${bytes.toString('hex')}`
    return text.length > mostShown ? `${text.slice(0, mostShown)}… (${bytes.length} bytes)` : text
  }
  switch (type.kind) {
    case 'boolean':
      return String(bytes[0] === 1)
    case 'float':
      return numberText(bytes.readFloatLE())
    case 'double':
      return numberText(bytes.readDoubleLE())
    case 'date':
      return (
        instantText(BigInt(bytes.readInt32LE()) * BigInt(msPerDay))?.slice(0, 10) ?? outside(bytes, 'days')
      )
    case 'decimal':
      return decimalText(integer(bytes), type.scale)
    case 'time':
    case 'timestamp':
    case 'timestamptz': {
      const micros = bytes.readBigInt64LE()
      const rest = ((micros % 1000n) + 1000n) % 1000n
      const iso = instantText((micros - rest) / 1000n)
      if (iso === undefined) return outside(bytes, 'microseconds')
      const text = `${iso.slice(0, -1)}${String(rest).padStart(3, '0')}`
      return type.kind === 'time' ? text.slice(11) : type.kind === 'timestamptz' ? `${text}Z` : text
    }
    case 'uuid':
      return bytes.toString('hex').replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
    case 'fixed':
      return `\\x${bytes.toString('hex')}`
    default:
      return String(integer(bytes))
  }
}

/** Undefined: the calendar of JavaScript does not reach so far, which only a damaged value asks for. */
function instantText(milliseconds: bigint): string | undefined {
  const date = new Date(Number(milliseconds))
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString()
}

const outside = (bytes: Buffer, unit: string): string => `${integer(bytes)} ${unit} since 1970`

const numberText = (value: number): string => (Object.is(value, -0) ? '-0' : String(value))

const integer = (bytes: Buffer): bigint =>
  bytes.length === 4
    ? BigInt(bytes.readInt32LE())
    : bytes.length === 8
      ? bytes.readBigInt64LE()
      : fromBigEndian(bytes)

/** 1234 of scale 2 as 12.34. */
export function decimalText(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
  const sign = unscaled < 0n ? '-' : ''
  return scale === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
