import type { FileMetaData } from 'hyparquet'
import type { RelocatableChunk } from '../../parquet/chunk.ts'
import type { LogicalColumnType, ParquetColumn } from '../../parquet/column.ts'
import { encodeFooter, placed } from '../../parquet/footer.ts'
import type { RawFooter } from '../footer/footer.ts'
import type { RowGroupStatistics } from '../footer/statistics.ts'

type RawGroup = FileMetaData['row_groups'][number]
type SchemaElement = FileMetaData['schema'][number]

/**
 * The columns of a file whose footer is, byte for byte, the one that the export makes of what has been understood of it: nothing
 * else is in there, and nothing was read otherwise than it was meant. Undefined for any other, and where columns are nested.
 */
export function ownColumns({ footer, metadata, parsed }: RawFooter): readonly ParquetColumn[] | undefined {
  const { schema, row_groups: groups, created_by: createdBy } = parsed
  const columns = schema.slice(1).map(columnOf)
  if (createdBy === undefined || !columns.every((column) => column !== undefined)) return undefined
  const rowGroups = groups.map((group, at) => {
    const chunks = group.columns.map((chunk, leaf) =>
      chunkOf(chunk, footer.rowGroups[at]!.columns.get(columns[leaf]!.fieldId)),
    )
    const compressedSize = Number(group.total_compressed_size)
    const own = { rowCount: Number(group.num_rows), compressedSize, chunks }
    return placed(columns, own, Number(group.file_offset), at)
  })
  const description = { columns, keyValueMetadata: footer.entries, createdBy }
  const made = encodeFooter(description, rowGroups, footer.pageIndexes?.places)
  return Buffer.compare(made, metadata) === 0 ? columns : undefined
}

function columnOf(element: SchemaElement): ParquetColumn | undefined {
  const { name, field_id: fieldId, repetition_type: repetition } = element
  const type = typeOf(element)
  return type === undefined || fieldId === undefined
    ? undefined
    : { name, fieldId, required: repetition === 'REQUIRED', type }
}

/** The type that is written so (jobs/parquet/schema.ts); that all else of it is so, too, the bytes tell. */
function typeOf(element: SchemaElement): LogicalColumnType | undefined {
  const { type, type_length: length = 0, logical_type: logical } = element
  switch (logical?.type) {
    case 'STRING':
      return { kind: 'string' }
    case 'DATE':
      return { kind: 'date' }
    case 'TIME':
      return { kind: 'time-micros' }
    case 'TIMESTAMP':
      return { kind: 'timestamp-micros', utc: logical.isAdjustedToUTC }
    case 'DECIMAL':
      return { kind: 'decimal', precision: logical.precision, scale: logical.scale }
    case 'UUID':
      return { kind: 'uuid' }
    case undefined:
      break
    default:
      return undefined
  }
  switch (type) {
    case 'BOOLEAN':
    case 'INT32':
    case 'INT64':
    case 'FLOAT':
    case 'DOUBLE':
      return { kind: plain[type] }
    case 'BYTE_ARRAY':
      return { kind: 'binary' }
    case 'FIXED_LEN_BYTE_ARRAY':
      return { kind: 'fixed', length }
    default:
      return undefined
  }
}

const plain = {
  BOOLEAN: 'boolean',
  INT32: 'int32',
  INT64: 'int64',
  FLOAT: 'float',
  DOUBLE: 'double',
} as const

/** A chunk as far as the footer tells of it. */
function chunkOf(
  { meta_data: data }: RawGroup['columns'][number],
  statistics: RowGroupStatistics['columns'] extends ReadonlyMap<number, infer One> ? One | undefined : never,
): RelocatableChunk {
  if (data === undefined) throw new TypeError('a chunk without its metadata')
  const { is_min_value_exact: minExact = false, is_max_value_exact: maxExact = false } = data.statistics ?? {}
  const { min, max, nulls: nullCount = -1 } = statistics ?? {}
  const pages = (encoding: string): number =>
    data.encoding_stats?.find((one) => one.page_type === 'DATA_PAGE' && one.encoding === encoding)?.count ?? 0
  const start = data.dictionary_page_offset ?? data.data_page_offset
  const bounds = {
    min: min && { bytes: min, exact: minExact },
    max: max && { bytes: max, exact: maxExact },
  }
  return {
    blocks: [],
    codec: data.codec === 'SNAPPY' ? 'snappy' : 'none',
    dataPageOffset: Number(data.data_page_offset - start),
    compressedSize: Number(data.total_compressed_size),
    uncompressedSize: Number(data.total_uncompressed_size),
    indexedPages: pages('RLE_DICTIONARY'),
    plainPages: pages('PLAIN'),
    statistics: { nullCount, ...bounds },
    metrics: { valueCount: Number(data.num_values), nullCount, nanCount: undefined, ...bounds },
    // Their places are known.
    pageIndex: undefined,
  }
}
