import { type LogicalColumnType, type ParquetColumn, type PhysicalType, physicalType } from './column.ts'
import { bool, i32, struct, text, type ThriftField, type ThriftValue } from './thrift.ts'

/** parquet.thrift, Type. */
export const physicalTypes = {
  BOOLEAN: 0,
  INT32: 1,
  INT64: 2,
  FLOAT: 4,
  DOUBLE: 5,
  BYTE_ARRAY: 6,
  FIXED_LEN_BYTE_ARRAY: 7,
} as const satisfies Record<PhysicalType['kind'], number>

/** parquet.thrift, FieldRepetitionType. */
const repetitions = { required: 0, optional: 1, repeated: 2 } as const

/** parquet.thrift, ConvertedType. */
const convertedTypes = {
  UTF8: 0,
  LIST: 3,
  DECIMAL: 5,
  DATE: 6,
  TIME_MICROS: 8,
  TIMESTAMP_MICROS: 10,
} as const

/** The file's schema: the root, then one element a column, a list's three (parquet.thrift, SchemaElement). */
export const schemaElements = (columns: readonly ParquetColumn[]): ThriftValue[] => [
  struct([4, text('table')], [5, i32(columns.length)]),
  ...columns.flatMap((column) =>
    column.element === undefined ? [columnElement(column)] : listElements(column, column.element),
  ),
]

/** LogicalTypes.md, "Lists": the names are those that it demands. */
export const listPath = ['list', 'element'] as const

const listElements = (
  { name, fieldId, required, type }: ParquetColumn,
  element: { readonly fieldId: number },
): ThriftValue[] => [
  struct(
    [3, i32(required ? repetitions.required : repetitions.optional)],
    [4, text(name)],
    [5, i32(1)],
    [6, i32(convertedTypes.LIST)],
    [9, i32(fieldId)],
    [10, struct([3, struct()])],
  ),
  struct([3, i32(repetitions.repeated)], [4, text(listPath[0])], [5, i32(1)]),
  columnElement({ name: listPath[1], fieldId: element.fieldId, required: false, type }),
]

function columnElement({ name, fieldId, required, type }: ParquetColumn): ThriftValue {
  const physical = physicalType(type)
  const { converted, logical } = annotation(type)
  const { precision, scale } = type.kind === 'decimal' ? type : {}
  return struct(
    [1, i32(physicalTypes[physical.kind])],
    [2, physical.kind === 'FIXED_LEN_BYTE_ARRAY' ? i32(physical.width) : undefined],
    [3, i32(required ? repetitions.required : repetitions.optional)],
    [4, text(name)],
    [6, converted === undefined ? undefined : i32(convertedTypes[converted])],
    [7, scale === undefined ? undefined : i32(scale)],
    [8, precision === undefined ? undefined : i32(precision)],
    [9, i32(fieldId)],
    [10, logical === undefined ? undefined : struct(logical)],
  )
}

/**
 * The logical type (the field of the union LogicalType) and, for readers older than it, the converted type.
 * LogicalTypes.md asks for the latter on local times and timestamps too, although it cannot say that they are local.
 */
function annotation(type: LogicalColumnType): {
  readonly logical?: ThriftField
  readonly converted?: keyof typeof convertedTypes
} {
  switch (type.kind) {
    case 'string':
      return { logical: [1, struct()], converted: 'UTF8' }
    case 'decimal':
      return {
        logical: [5, struct([1, i32(type.scale)], [2, i32(type.precision)])],
        converted: 'DECIMAL',
      }
    case 'date':
      return { logical: [6, struct()], converted: 'DATE' }
    case 'time-micros':
      return { logical: [7, struct([1, bool(false)], [2, micros])], converted: 'TIME_MICROS' }
    case 'timestamp-micros':
      return { logical: [8, struct([1, bool(type.utc)], [2, micros])], converted: 'TIMESTAMP_MICROS' }
    case 'uuid':
      return { logical: [14, struct()] }
    case 'boolean':
    case 'int32':
    case 'int64':
    case 'float':
    case 'double':
    case 'binary':
    case 'fixed':
      return {}
  }
}

/** The union TimeUnit with its field MICROS. */
const micros = struct([2, struct()])
