import { dataError } from '../../errors.ts'
import type { PrimitiveType, Value } from './types.ts'

const microsPerDay = 86_400_000_000n

/** One value as bytes: bounds and partition summaries (spec App. D, "Binary single-value serialization"). */
export function toSingleValue(type: PrimitiveType, value: Value): Buffer {
  switch (type.kind) {
    case 'boolean':
      return Buffer.of(value === true ? 1 : 0)
    case 'int':
    case 'date': {
      const bytes = Buffer.alloc(4)
      bytes.writeInt32LE(Number(value))
      return bytes
    }
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz': {
      const bytes = Buffer.alloc(8)
      bytes.writeBigInt64LE(value as bigint)
      return bytes
    }
    case 'float': {
      const bytes = Buffer.alloc(4)
      bytes.writeFloatLE(Number(value))
      return bytes
    }
    case 'double': {
      const bytes = Buffer.alloc(8)
      bytes.writeDoubleLE(Number(value))
      return bytes
    }
    case 'string':
      return Buffer.from(value as string, 'utf8')
    case 'decimal':
      return minimalBigEndian(value as bigint)
    case 'uuid':
    case 'fixed':
    case 'binary':
      return Buffer.from(value as Uint8Array)
  }
}

/**
 * The inverse. Bytes of a type that was promoted since (int → long, float → double, in version 3 date → timestamp) are read as
 * what they were: their length tells. Errors: `JobError` data for a length that fits neither.
 */
export function fromSingleValue(type: PrimitiveType, bytes: Uint8Array): Value {
  const buffer = Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  switch (type.kind) {
    case 'boolean':
      assertLength(type, buffer, 1)
      return buffer[0] !== 0
    case 'int':
    case 'date':
      assertLength(type, buffer, 4)
      return buffer.readInt32LE()
    case 'timestamp':
      assertLength(type, buffer, 8, 4)
      return buffer.length === 4 ? BigInt(buffer.readInt32LE()) * microsPerDay : buffer.readBigInt64LE()
    case 'long':
    case 'time':
    case 'timestamptz':
      assertLength(type, buffer, 8, 4)
      return buffer.length === 4 ? BigInt(buffer.readInt32LE()) : buffer.readBigInt64LE()
    case 'float':
      assertLength(type, buffer, 4)
      return buffer.readFloatLE()
    case 'double':
      assertLength(type, buffer, 8, 4)
      return buffer.length === 4 ? buffer.readFloatLE() : buffer.readDoubleLE()
    case 'string':
      return buffer.toString('utf8')
    case 'decimal':
      return fromBigEndian(buffer)
    case 'uuid':
    case 'fixed':
    case 'binary':
      return bytes
  }
}

function assertLength(
  { kind }: PrimitiveType,
  { length }: Uint8Array,
  expected: number,
  promoted = expected,
): void {
  if (length !== expected && length !== promoted)
    throw dataError(`a ${kind} value of ${length} bytes in the table's metadata`)
}

/** Least two's-complement bytes, most significant first: how Iceberg writes an unscaled decimal. */
export function minimalBigEndian(value: bigint): Buffer {
  let width = 1
  while (BigInt.asIntN(8 * width, value) !== value) width++
  return bigEndian(value, width)
}

/** Two's complement in exactly `width` bytes, most significant first. */
export function bigEndian(value: bigint, width: number): Buffer {
  const digits = BigInt.asUintN(8 * width, value).toString(16)
  return Buffer.from(digits.padStart(2 * width, '0'), 'hex')
}

/** The integer that big-endian two's-complement bytes hold; 0 for none. */
export const fromBigEndian = (bytes: Uint8Array): bigint =>
  bytes.length === 0 ? 0n : BigInt.asIntN(8 * bytes.length, BigInt(`0x${Buffer.from(bytes).toString('hex')}`))

/**
 * Order of two values of one type: numbers by size, strings and bytes by their (UTF-8) bytes, false before
 * true. NaN has no place here: bounds never hold it.
 */
export function compareValues(a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b))
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b)
  return a < b ? -1 : a > b ? 1 : 0
}
