import {
  DuckDBArrayValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  type DuckDBValue,
} from '@duckdb/node-api'
import { quote } from '../../lake/engine-names.ts'

/** A value as text, nothing rounded; undefined for NULL. `isFloat`: it has 32 bits. */
export function valueText(value: DuckDBValue, isFloat: boolean): string | undefined {
  if (value === null) return undefined
  if (typeof value === 'string') return value
  if (typeof value === 'number' && isFloat && value !== 0) return floatText(value)
  return partText(value)
}

/** A value within another, as the engine's client shows it; of -0, whose sign it leaves out, with the sign. */
function partText(value: DuckDBValue): string {
  if (value === null) return 'NULL'
  if (Object.is(value, -0)) return '-0'
  if (typeof value === 'string') return quote(value)
  if (typeof value !== 'object') return String(value)
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue)
    return `[${value.items.map(partText).join(', ')}]`
  if (value instanceof DuckDBStructValue) return `{${entriesText(Object.entries(value.entries))}}`
  if (value instanceof DuckDBMapValue)
    return `{${entriesText(value.entries.map(({ key, value: one }) => [key, one]))}}`
  return String(value)
}

const entriesText = (entries: readonly (readonly [DuckDBValue, DuckDBValue])[]): string =>
  entries.map((entry) => entry.map(partText).join(': ')).join(', ')

/** As few digits as tell it from its neighbours, as those of a double have. */
function floatText(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const text = String(Number(value.toPrecision(digits)))
    if (Math.fround(Number(text)) === value) return text
  }
  return Number.isFinite(value) ? String(Number(value.toPrecision(9))) : String(value)
}
