import type {
  ColumnMetaData,
  Encoding,
  PageEncodingStats,
  PageType,
  RowGroup,
  Statistics,
} from '@dsnp/parquetjs/dist/gen-nodejs/parquet_types.js'
import parquet from '@dsnp/parquetjs/dist/gen-nodejs/parquet_types.js'
import { serializeThrift } from '@dsnp/parquetjs/dist/lib/util.js'
import type { RelocatableChunk } from './chunk.ts'
import { type ParquetColumn, physicalType } from './column.ts'
import type { RelocatableRowGroup } from './row-group.ts'
import { schemaElements } from './schema.ts'
import type { ColumnStatistics } from './statistics.ts'

/** A row group at its place in a file, without its bytes. */
export interface PlacedRowGroup {
  readonly offset: number
  readonly rowCount: number
  readonly compressedSize: number
  readonly chunks: readonly RelocatableChunk[]
}

export interface FileDescription {
  readonly columns: readonly ParquetColumn[]
  readonly keyValueMetadata: Readonly<Record<string, string>>
  /** `<program> version <version> (build <build>)`: the form that parquet-mr's version parser accepts. */
  readonly createdBy: string
}

/** Forgets the bytes of a row group once they are written. */
export const placed = (
  { rowCount, compressedSize, chunks }: RelocatableRowGroup,
  offset: number,
): PlacedRowGroup => ({
  offset,
  rowCount,
  compressedSize,
  chunks: chunks.map((chunk) => ({ ...chunk, blocks: [] })),
})

/** The serialized FileMetaData (parquet.thrift), without its length and the magic after it. */
export function encodeFooter(
  { columns, keyValueMetadata, createdBy }: FileDescription,
  rowGroups: readonly PlacedRowGroup[],
): Uint8Array {
  return serializeThrift(
    new parquet.FileMetaData({
      version: 2,
      schema: schemaElements(columns),
      num_rows: int64(rowGroups.reduce((sum, { rowCount }) => sum + rowCount, 0)),
      row_groups: rowGroups.map((rowGroup, ordinal) => rowGroupMetadata(columns, rowGroup, ordinal)),
      key_value_metadata: Object.entries(keyValueMetadata).map(
        ([key, value]) => new parquet.KeyValue({ key, value }),
      ),
      created_by: createdBy,
      column_orders: columns.map(
        () => new parquet.ColumnOrder({ TYPE_ORDER: new parquet.TypeDefinedOrder() }),
      ),
    }),
  )
}

function rowGroupMetadata(
  columns: readonly ParquetColumn[],
  { offset, rowCount, compressedSize, chunks }: PlacedRowGroup,
  ordinal: number,
): RowGroup {
  let position = offset
  const placedChunks = chunks.map((chunk, i) => {
    const start = position
    position += chunk.compressedSize
    // Deprecated: 0 where no column metadata lies outside the footer.
    return new parquet.ColumnChunk({
      file_offset: int64(0),
      meta_data: columnMetadata(columns[i]!, chunk, rowCount, start),
    })
  })
  return new parquet.RowGroup({
    columns: placedChunks,
    total_byte_size: int64(chunks.reduce((sum, { uncompressedSize }) => sum + uncompressedSize, 0)),
    num_rows: int64(rowCount),
    file_offset: int64(offset),
    total_compressed_size: int64(compressedSize),
    // Sixteen bits, signed.
    ...(ordinal <= 0x7fff ? { ordinal } : {}),
  })
}

function columnMetadata(
  { name, type, required }: ParquetColumn,
  chunk: RelocatableChunk,
  rowCount: number,
  start: number,
): ColumnMetaData {
  const { indexedPages, plainPages } = chunk
  const stats = (page_type: PageType, encoding: Encoding, count: number): PageEncodingStats =>
    new parquet.PageEncodingStats({ page_type, encoding, count })
  return new parquet.ColumnMetaData({
    type: parquet.Type[physicalType(type).kind],
    // PLAIN also encodes the dictionary page, RLE the definition levels.
    encodings: [
      parquet.Encoding.PLAIN,
      ...(required ? [] : [parquet.Encoding.RLE]),
      ...(indexedPages > 0 ? [parquet.Encoding.RLE_DICTIONARY] : []),
    ],
    path_in_schema: [name],
    codec: codecs[chunk.codec],
    num_values: int64(rowCount),
    total_uncompressed_size: int64(chunk.uncompressedSize),
    total_compressed_size: int64(chunk.compressedSize),
    ...(indexedPages > 0 ? { dictionary_page_offset: int64(start) } : {}),
    data_page_offset: int64(start + chunk.dataPageOffset),
    statistics: statistics(chunk.statistics),
    encoding_stats: [
      ...(indexedPages > 0
        ? [
            stats(parquet.PageType.DICTIONARY_PAGE, parquet.Encoding.PLAIN, 1),
            stats(parquet.PageType.DATA_PAGE, parquet.Encoding.RLE_DICTIONARY, indexedPages),
          ]
        : []),
      ...(plainPages > 0 ? [stats(parquet.PageType.DATA_PAGE, parquet.Encoding.PLAIN, plainPages)] : []),
    ],
  })
}

const statistics = ({ nullCount, min, max }: ColumnStatistics): Statistics =>
  new parquet.Statistics({
    null_count: int64(nullCount),
    ...(min && { min_value: Buffer.from(min.bytes), is_min_value_exact: min.exact }),
    ...(max && { max_value: Buffer.from(max.bytes), is_max_value_exact: max.exact }),
  })

const codecs = {
  snappy: parquet.CompressionCodec.SNAPPY,
  zstd: parquet.CompressionCodec.ZSTD,
  gzip: parquet.CompressionCodec.GZIP,
  none: parquet.CompressionCodec.UNCOMPRESSED,
} as const

type Int64 = RowGroup['num_rows']

/** Thrift's compact protocol takes plain numbers (exact to 2^53) where the generated types ask for an Int64. */
const int64 = (value: number): Int64 => value as unknown as Int64
