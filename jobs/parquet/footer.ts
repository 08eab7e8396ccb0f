import type { RelocatableChunk } from './chunk.ts'
import { type ParquetColumn, physicalType } from './column.ts'
import { encodings, pageTypes } from './page.ts'
import { rowGroupIndex, type IndexPlaces, type RowGroupIndex } from './page-index.ts'
import type { RelocatableRowGroup } from './row-group.ts'
import { listPath, physicalTypes, schemaElements } from './schema.ts'
import type { ColumnStatistics } from './statistics/statistics.ts'
import {
  binary,
  bool,
  encoded,
  encodeThrift,
  i16,
  i32,
  i64,
  list,
  struct,
  text,
  type ThriftValue,
} from './thrift.ts'

/**
 * A row group at its place in a file: what the footer says about its chunks is encoded at once. A chunk's statistics and counts are
 * a dozen objects, and a file may have a hundred thousand chunks; their bytes are a few hundred each.
 */
export interface PlacedRowGroup {
  readonly offset: number
  readonly rowCount: number
  /** Its page indexes; undefined: there are none. */
  readonly index: RowGroupIndex | undefined
  /** A RowGroup of parquet.thrift. `places`: where its page indexes lie, of each column. */
  readonly metadata: (places: readonly IndexPlaces[]) => Uint8Array
}

export interface FileDescription {
  readonly columns: readonly ParquetColumn[]
  readonly keyValueMetadata: Readonly<Record<string, string>>
  /** `<program> version <version> (build <build>)`: the form that parquet-mr's version parser accepts. */
  readonly createdBy: string
}

/** Places a row group, the file's one of that number (from 0), at `offset`; its bytes are not kept. */
export function placed(
  columns: readonly ParquetColumn[],
  { rowCount, compressedSize, chunks }: RelocatableRowGroup,
  offset: number,
  ordinal: number,
): PlacedRowGroup {
  let position = offset
  const starts = chunks.map((chunk) => {
    const start = position
    position += chunk.compressedSize
    return start
  })
  const own = chunks.map((chunk, i) => encodeThrift(columnMetadata(columns[i]!, chunk, starts[i]!)).slice())
  const uncompressedSize = chunks.reduce((sum, chunk) => sum + chunk.uncompressedSize, 0)
  const joined = new Uint8Array(Buffer.concat(own))
  const lengths = Int32Array.from(own, ({ length }) => length)
  const index = rowGroupIndex(
    chunks.map(({ pageIndex }) => pageIndex),
    chunks.map(({ dataPageOffset }, i) => starts[i]! + dataPageOffset),
  )
  const metadata = (places: readonly IndexPlaces[]): Uint8Array => {
    let at = 0
    const columnChunks = Array.from(lengths, (length, i) =>
      columnChunk(joined.subarray(at, (at += length)), places[i]),
    )
    return encodeThrift(
      struct(
        [1, list('struct', columnChunks)],
        [2, i64(uncompressedSize)],
        [3, i64(rowCount)],
        [5, i64(offset)],
        [6, i64(compressedSize)],
        // Sixteen bits, signed.
        [7, ordinal <= 0x7fff ? i16(ordinal) : undefined],
      ),
    ).slice()
  }
  return { offset, rowCount, index, metadata }
}

/**
 * The serialized FileMetaData (parquet.thrift; the numbers are its field ids), without its length and the magic. `places`: where the
 * page indexes of each row group lie.
 */
export const encodeFooter = (
  { columns, keyValueMetadata, createdBy }: FileDescription,
  rowGroups: readonly PlacedRowGroup[],
  places: readonly (readonly IndexPlaces[])[] = [],
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
          rowGroups.map(({ metadata }, at) => encoded(metadata(places[at] ?? []))),
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

/** parquet.thrift's ColumnChunk around a ColumnMetaData. */
const columnChunk = (metadata: Uint8Array, places: IndexPlaces | undefined): ThriftValue =>
  struct(
    // Deprecated: 0 where no column metadata lies outside the footer.
    [2, i64(0)],
    [3, encoded(metadata)],
    [4, places?.offset && i64(places.offset.offset)],
    [5, places?.offset && i32(places.offset.length)],
    [6, places?.column && i64(places.column.offset)],
    [7, places?.column && i32(places.column.length)],
  )

function columnMetadata(
  { name, type, required, element }: ParquetColumn,
  chunk: RelocatableChunk,
  start: number,
): ThriftValue {
  const { indexedPages, plainPages } = chunk
  // PLAIN also encodes the dictionary page, RLE the levels.
  const used = [
    encodings.PLAIN,
    ...(required && element === undefined ? [] : [encodings.RLE]),
    ...(indexedPages > 0 ? [encodings.RLE_DICTIONARY] : []),
  ]
  const stats = (pageType: number, encoding: number, count: number): ThriftValue =>
    struct([1, i32(pageType)], [2, i32(encoding)], [3, i32(count)])
  return struct(
    [1, i32(physicalTypes[physicalType(type).kind])],
    [2, list('i32', used.map(i32))],
    [3, list('binary', [name, ...(element === undefined ? [] : listPath)].map(text))],
    [4, i32(codecs[chunk.codec])],
    [5, i64(chunk.metrics.valueCount)],
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
export const codecs = { none: 0, snappy: 1, gzip: 2, zstd: 6 } as const
