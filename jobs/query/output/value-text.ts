import {
  DuckDBArrayType,
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBListType,
  DuckDBListValue,
  DuckDBMapType,
  DuckDBMapValue,
  DuckDBStructType,
  DuckDBStructValue,
  DuckDBTypeId,
  type DuckDBType,
  type DuckDBValue,
} from '@duckdb/node-api'
import { quote } from '../../lake/engine-names.ts'

/** A value of a type as text, nothing rounded; undefined for NULL. */
export function valueText(value: DuckDBValue, type: DuckDBType): string | undefined {
  if (value === null) return undefined
  return typeof value === 'string' ? value : partText(value, type)
}

/** A value within another, as the engine's client shows it; of -0, whose sign it leaves out, with the sign. */
function partText(value: DuckDBValue, type: DuckDBType): string {
  if (value === null) return 'NULL'
  if (Object.is(value, -0)) return '-0'
  if (typeof value === 'string') return quote(value)
  const text = engineText(value)
  if (text !== undefined) return text
  if (typeof value === 'number' && type.typeId === DuckDBTypeId.FLOAT) return floatText(value)
  if (
    (value instanceof DuckDBListValue && type instanceof DuckDBListType) ||
    (value instanceof DuckDBArrayValue && type instanceof DuckDBArrayType)
  )
    return `[${value.items.map((item) => partText(item, type.valueType)).join(', ')}]`
  if (value instanceof DuckDBStructValue && type instanceof DuckDBStructType) {
    const entries = type.entryNames.map((name, at) => {
      const one = value.entries[name] ?? null
      return `${quote(name)}: ${partText(one, type.entryTypes[at]!)}`
    })
    return `{${entries.join(', ')}}`
  }
  if (value instanceof DuckDBMapValue && type instanceof DuckDBMapType) {
    const entries = value.entries.map(
      ({ key, value: one }) => `${partText(key, type.keyType)}: ${partText(one, type.valueType)}`,
    )
    return `{${entries.join(', ')}}`
  }
  return String(value)
}

/** Of values that the engine's client shows otherwise than the engine casts them to text, and reads them from it, its text. */
export function engineText(value: DuckDBValue): string | undefined {
  if (value instanceof DuckDBBlobValue) return blobText(value)
  if (value instanceof DuckDBDateValue && !value.isFinite) return value.days > 0 ? 'infinity' : '-infinity'
  return undefined
}

/** The client leaves a backslash as it is, so that four characters of the value (`\x00`) looked like one byte. */
const blobText = ({ bytes }: DuckDBBlobValue): string =>
  Buffer.from(bytes)
    .toString('latin1')
    .replace(/[^ -~]|["'\\]/g, (char) => {
      const hex = char.charCodeAt(0).toString(16).toUpperCase()
      return `\\x${hex.padStart(2, '0')}`
    })

/** Of 32 bits. */
const leastNormal = 2 ** -126

/** As few digits as tell it from its neighbours, as those of a double have. */
function floatText(value: number): string {
  // The smallest have fewer than six.
  for (let digits = Math.abs(value) < leastNormal ? 1 : 6; digits < 9; digits++) {
    const text = String(Number(value.toPrecision(digits)))
    if (Math.fround(Number(text)) === value) return text
  }
  return Number.isFinite(value) ? String(Number(value.toPrecision(9))) : String(value)
}
