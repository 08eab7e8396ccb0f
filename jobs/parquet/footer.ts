import type { RelocatableChunk } from './chunk.ts'
import { type ParquetColumn, physicalType } from './column.ts'
import { encodings, pageTypes } from './page.ts'
import type { RelocatableRowGroup } from './row-group.ts'
import { physicalTypes, schemaElements } from './schema.ts'
import type { ColumnStatistics } from './statistics.ts'
import { binary, bool, encodeThrift, i16, i32, i64, list, struct, text, type ThriftValue } from './thrift.ts'

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

/** The serialized FileMetaData (parquet.thrift; the numbers are its field ids), without its length and the magic. */
export const encodeFooter = (
  { columns, keyValueMetadata, createdBy }: FileDescription,
  rowGroups: readonly PlacedRowGroup[],
): Uint8Array =>
  encodeThrift(
    struct(
      [1, i32(2)],
      [2, list('struct', schemaElements(columns))],
      [3, i64(rowGroups.reduce((sum, { rowCount }) => sum + rowCount, 0))],
      [
        4,
        list(
          'struct',
          rowGroups.map((rowGroup, ordinal) => rowGroupMetadata(columns, rowGroup, ordinal)),
        ),
      ],
      [
        5,
        list(
          'struct',
          Object.entries(keyValueMetadata).map(([key, value]) => struct([1, text(key)], [2, text(value)])),
        ),
      ],
      [6, text(createdBy)],
      // The order of every column's bounds: the one that its type defines.
      [
        7,
        list(
          'struct',
          columns.map(() => struct([1, struct()])),
        ),
      ],
    ),
  )

function rowGroupMetadata(
  columns: readonly ParquetColumn[],
  { offset, rowCount, compressedSize, chunks }: PlacedRowGroup,
  ordinal: number,
): ThriftValue {
  let position = offset
  const placedChunks = chunks.map((chunk, i) => {
    const start = position
    position += chunk.compressedSize
    // Deprecated: 0 where no column metadata lies outside the footer.
    return struct([2, i64(0)], [3, columnMetadata(columns[i]!, chunk, rowCount, start)])
  })
  return struct(
    [1, list('struct', placedChunks)],
    [2, i64(chunks.reduce((sum, { uncompressedSize }) => sum + uncompressedSize, 0))],
    [3, i64(rowCount)],
    [5, i64(offset)],
    [6, i64(compressedSize)],
    // Sixteen bits, signed.
    [7, ordinal <= 0x7fff ? i16(ordinal) : undefined],
  )
}

function columnMetadata(
  { name, type, required }: ParquetColumn,
  chunk: RelocatableChunk,
  rowCount: number,
  start: number,
): ThriftValue {
  const { indexedPages, plainPages } = chunk
  // PLAIN also encodes the dictionary page, RLE the definition levels.
  const used = [
    encodings.PLAIN,
    ...(required ? [] : [encodings.RLE]),
    ...(indexedPages > 0 ? [encodings.RLE_DICTIONARY] : []),
  ]
  const stats = (pageType: number, encoding: number, count: number): ThriftValue =>
    struct([1, i32(pageType)], [2, i32(encoding)], [3, i32(count)])
  return struct(
    [1, i32(physicalTypes[physicalType(type).kind])],
    [2, list('i32', used.map(i32))],
    [3, list('binary', [text(name)])],
    [4, i32(codecs[chunk.codec])],
    [5, i64(rowCount)],
    [6, i64(chunk.uncompressedSize)],
    [7, i64(chunk.compressedSize)],
    [9, i64(start + chunk.dataPageOffset)],
    [11, indexedPages > 0 ? i64(start) : undefined],
    [12, statistics(chunk.statistics)],
    [
      13,
      list('struct', [
        ...(indexedPages > 0
          ? [
              stats(pageTypes.dictionary, encodings.PLAIN, 1),
              stats(pageTypes.data, encodings.RLE_DICTIONARY, indexedPages),
            ]
          : []),
        ...(plainPages > 0 ? [stats(pageTypes.data, encodings.PLAIN, plainPages)] : []),
      ]),
    ],
  )
}

const statistics = ({ nullCount, min, max }: ColumnStatistics): ThriftValue =>
  struct(
    [3, i64(nullCount)],
    [5, max && binary(max.bytes)],
    [6, min && binary(min.bytes)],
    [7, max && bool(max.exact)],
    [8, min && bool(min.exact)],
  )

/** parquet.thrift, CompressionCodec. */
const codecs = { none: 0, snappy: 1, gzip: 2, zstd: 6 } as const
