import type { DuckDBValue } from '@duckdb/node-api'

/** A value as text, nothing rounded; undefined for NULL. `isFloat`: it has 32 bits. */
export function valueText(value: DuckDBValue, isFloat: boolean): string | undefined {
  if (value === null) return undefined
  if (typeof value === 'number' && isFloat) return floatText(value)
  return String(value)
}

/** As few digits as tell it from its neighbours, as those of a double have. */
function floatText(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const text = String(Number(value.toPrecision(digits)))
    if (Math.fround(Number(text)) === value) return text
  }
  return Number.isFinite(value) ? String(Number(value.toPrecision(9))) : String(value)
}
