import type { SchemaElement, TimeUnit } from '@dsnp/parquetjs/dist/gen-nodejs/parquet_types.js'
import parquet from '@dsnp/parquetjs/dist/gen-nodejs/parquet_types.js'
import { type LogicalColumnType, type ParquetColumn, physicalType } from './column.ts'

/** The file's schema: the root, then one element a column (parquet.thrift, SchemaElement). */
export function schemaElements(columns: readonly ParquetColumn[]): parquet.SchemaElement[] {
  return [
    new parquet.SchemaElement({ name: 'table', num_children: columns.length }),
    ...columns.map(columnElement),
  ]
}

function columnElement({ name, fieldId, required, type }: ParquetColumn): SchemaElement {
  const physical = physicalType(type)
  return new parquet.SchemaElement({
    name,
    field_id: fieldId,
    repetition_type: required ? parquet.FieldRepetitionType.REQUIRED : parquet.FieldRepetitionType.OPTIONAL,
    type: parquet.Type[physical.kind],
    ...(physical.kind === 'FIXED_LEN_BYTE_ARRAY' ? { type_length: physical.width } : {}),
    ...annotation(type),
  })
}

/**
 * The logical type and, for readers older than it, the converted type. LogicalTypes.md asks for the latter on
 * local times and timestamps too, although it cannot say that they are local.
 */
function annotation(type: LogicalColumnType): Partial<SchemaElement> {
  switch (type.kind) {
    case 'decimal': {
      const { precision, scale } = type
      return {
        logicalType: new parquet.LogicalType({ DECIMAL: new parquet.DecimalType({ precision, scale }) }),
        converted_type: parquet.ConvertedType.DECIMAL,
        precision,
        scale,
      }
    }
    case 'date':
      return {
        logicalType: new parquet.LogicalType({ DATE: new parquet.DateType() }),
        converted_type: parquet.ConvertedType.DATE,
      }
    case 'time-micros':
      return {
        logicalType: new parquet.LogicalType({
          TIME: new parquet.TimeType({ isAdjustedToUTC: false, unit: micros() }),
        }),
        converted_type: parquet.ConvertedType.TIME_MICROS,
      }
    case 'timestamp-micros':
      return {
        logicalType: new parquet.LogicalType({
          TIMESTAMP: new parquet.TimestampType({ isAdjustedToUTC: type.utc, unit: micros() }),
        }),
        converted_type: parquet.ConvertedType.TIMESTAMP_MICROS,
      }
    case 'string':
      return {
        logicalType: new parquet.LogicalType({ STRING: new parquet.StringType() }),
        converted_type: parquet.ConvertedType.UTF8,
      }
    case 'uuid':
      return { logicalType: new parquet.LogicalType({ UUID: new parquet.UUIDType() }) }
    case 'boolean':
    case 'int32':
    case 'int64':
    case 'float':
    case 'double':
    case 'binary':
      return {}
  }
}

const micros = (): TimeUnit => new parquet.TimeUnit({ MICROS: new parquet.MicroSeconds() })
