import { msPerDay } from '../../calendar.ts'
import type { PartitionColumnType } from './partition-spec.ts'
import type { Transform } from './transforms.ts'
import type { PrimitiveType, Value } from '../schema/types.ts'

const msPerHour = 3_600_000

/** `timestamp_day=2024-05-01/user_id_bucket=3`: a file's folder under `data/`; empty when unpartitioned. */
export const partitionPath = (
  type: readonly PartitionColumnType[],
  partition: readonly (Value | null)[],
): string =>
  type
    .map(
      (field, index) =>
        `${urlEncode(field.name)}=${urlEncode(partitionText(field.transform, field.type, partition[index] ?? null))}`,
    )
    .join('/')

/**
 * A partition value as Java writes it for people: days as dates, hours as `2024-05-01-13`, bytes as base64. Exported for
 * Java's test vectors, which are of values.
 */
export function partitionText(transform: Transform, type: PrimitiveType, value: Value | null): string {
  if (value === null) return 'null'
  const ordinal = Number(value)
  switch (transform.kind) {
    case 'year':
      return padded(1970 + ordinal, 4)
    case 'month':
      return `${padded(1970 + Math.floor(ordinal / 12), 4)}-${padded((((ordinal % 12) + 12) % 12) + 1, 2)}`
    case 'day':
      return dateText(ordinal)
    case 'hour':
      return isoText(ordinal * msPerHour)
        .slice(0, -11)
        .replace('T', '-')
    default:
      return valueText(type, value)
  }
}

function valueText(type: PrimitiveType, value: Value): string {
  switch (type.kind) {
    case 'date':
      return dateText(Number(value))
    case 'time':
      return microText(value as bigint).slice(-15)
    case 'timestamp':
      return microText(value as bigint)
    case 'timestamptz':
      return `${microText(value as bigint)}+00:00`
    case 'decimal':
      return decimalText(value as bigint, type.scale)
    case 'uuid':
      return Buffer.from(value as Uint8Array)
        .toString('hex')
        .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
    case 'fixed':
    case 'binary':
      return Buffer.from(value as Uint8Array).toString('base64')
    default:
      return String(value)
  }
}

/** An unscaled decimal with its point: 1234 at scale 2 is `12.34`. */
function decimalText(unscaled: bigint, scale: number): string {
  if (scale === 0) return unscaled.toString()
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}

const padded = (value: number, length: number): string => String(value).padStart(length, '0')

const isoText = (ms: number): string => new Date(ms).toISOString()

const dateText = (days: number): string => isoText(days * msPerDay).slice(0, -14)

/** `2024-05-01T13:00:00.000001`; a floor to milliseconds first, so that instants before 1970 stay right. */
function microText(micros: bigint): string {
  const rest = ((micros % 1000n) + 1000n) % 1000n
  return isoText(Number((micros - rest) / 1000n)).slice(0, -1) + padded(Number(rest), 3)
}

/** As Java's URLEncoder: all but letters, digits and `.-*_` as %XX of UTF-8, a space as `+`. */
const urlEncode = (text: string): string =>
  encodeURIComponent(text)
    .replaceAll(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%20', '+')
