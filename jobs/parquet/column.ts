import { dataError, usageError } from '../errors.ts'
import { decimalWidth } from '../vector/decimal-width.ts'

/** What a column's values mean (Parquet LogicalTypes.md); the names follow that text. */
export type LogicalColumnType =
  | { readonly kind: 'boolean' }
  | { readonly kind: 'int32' }
  | { readonly kind: 'int64' }
  | { readonly kind: 'float' }
  | { readonly kind: 'double' }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'date' }
  | { readonly kind: 'time-micros' }
  /** `utc`: an instant (isAdjustedToUTC, PostgreSQL's timestamptz); otherwise a local date and time. */
  | { readonly kind: 'timestamp-micros'; readonly utc: boolean }
  | { readonly kind: 'string' }
  | { readonly kind: 'binary' }
  | { readonly kind: 'uuid' }
  | { readonly kind: 'fixed'; readonly length: number }

export interface ParquetColumn {
  readonly name: string
  /** Iceberg's field id; written to the file, because readers of Iceberg find columns by it. */
  readonly fieldId: number
  readonly required: boolean
  /** Of a value: of a list's element, where the column is a list. */
  readonly type: LogicalColumnType
  /** The column is a list of values, each of which may be NULL; of the element Iceberg's field id. */
  readonly element?: { readonly fieldId: number }
}

/** Under which id readers find a column's values: a list's are its elements. */
export const leafId = ({ fieldId, element }: ParquetColumn): number => element?.fieldId ?? fieldId

/** How values lie in memory and in pages. `width` is in bytes; boolean pages hold bits. */
export type PhysicalType =
  | { readonly kind: 'BOOLEAN'; readonly width: 1 }
  | { readonly kind: 'INT32' | 'FLOAT'; readonly width: 4 }
  | { readonly kind: 'INT64' | 'DOUBLE'; readonly width: 8 }
  | { readonly kind: 'FIXED_LEN_BYTE_ARRAY'; readonly width: number }
  | { readonly kind: 'BYTE_ARRAY' }

/** The physical type that carries a logical one: the one place where widths are decided. */
export function physicalType(type: LogicalColumnType): PhysicalType {
  switch (type.kind) {
    case 'boolean':
      return { kind: 'BOOLEAN', width: 1 }
    case 'int32':
    case 'date':
      return { kind: 'INT32', width: 4 }
    case 'float':
      return { kind: 'FLOAT', width: 4 }
    case 'int64':
    case 'time-micros':
    case 'timestamp-micros':
      return { kind: 'INT64', width: 8 }
    case 'double':
      return { kind: 'DOUBLE', width: 8 }
    case 'decimal': {
      const width = decimalWidth(type.precision)
      if (width === 4) return { kind: 'INT32', width }
      return width === 8 ? { kind: 'INT64', width } : { kind: 'FIXED_LEN_BYTE_ARRAY', width }
    }
    case 'uuid':
      return { kind: 'FIXED_LEN_BYTE_ARRAY', width: 16 }
    case 'fixed':
      return { kind: 'FIXED_LEN_BYTE_ARRAY', width: type.length }
    case 'string':
    case 'binary':
      return { kind: 'BYTE_ARRAY' }
  }
}

/**
 * Refuses column lists that no file can carry, or not for all readers: DuckDB does not open a file without
 * columns, pyarrow and Polars find no rows in it. Throws `usage` and `data` errors that name the column.
 */
export function checkColumns(columns: readonly ParquetColumn[]): void {
  if (columns.length === 0) {
    throw usageError('no column is left to write: readers refuse a Parquet file without columns', {
      field: 'columns',
      fix: 'select at least one column',
    })
  }
  const names = new Set<string>()
  for (const { name, type } of columns) {
    if (names.has(name)) {
      throw dataError(`column "${name}" occurs twice`, { field: name, fix: 'rename one of the columns' })
    }
    names.add(name)
    if (type.kind === 'decimal' && !isDecimal(type.precision, type.scale)) {
      throw dataError(`column "${name}": decimal(${type.precision}, ${type.scale}) cannot be written`, {
        field: name,
        fix: 'use a precision of 1 to 38 digits and a scale between 0 and the precision',
      })
    }
  }
}

const isDecimal = (precision: number, scale: number): boolean =>
  Number.isInteger(precision) &&
  precision >= 1 &&
  precision <= 38 &&
  Number.isInteger(scale) &&
  scale >= 0 &&
  scale <= precision
