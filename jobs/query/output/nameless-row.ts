import {
  DuckDBArrayType,
  DuckDBListType,
  DuckDBMapType,
  DuckDBStructType,
  type DuckDBType,
} from '@duckdb/node-api'

/** Whether values of a type have rows of several fields without names, as `row(1, 2)`: the engine's client gives the last alone. */
export function hasNamelessRow(type: DuckDBType): boolean {
  if (type instanceof DuckDBStructType)
    return new Set(type.entryNames).size < type.entryNames.length || type.entryTypes.some(hasNamelessRow)
  if (type instanceof DuckDBListType || type instanceof DuckDBArrayType) return hasNamelessRow(type.valueType)
  return type instanceof DuckDBMapType && (hasNamelessRow(type.keyType) || hasNamelessRow(type.valueType))
}
