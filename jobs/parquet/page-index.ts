import { crc32 } from 'node:zlib'
import type { MinMax } from './statistics/bounds.ts'
import { binary, bools, encodeThrift, i32, i64, list, struct, type ThriftValue } from './thrift.ts'

/** What a chunk's data pages are to be found by (parquet-format, PageIndex.md). Plain data, may cross threads. */
export interface PageIndex {
  /** Of each page, in their order. */
  readonly rows: Int32Array
  /** Of each page with its header. */
  readonly bytes: Int32Array
  /** parquet.thrift's ColumnIndex; undefined where no bounds of pages are kept. */
  readonly columnIndex: Uint8Array<ArrayBuffer> | undefined
}

/** A page as its index tells of it. */
export interface PageSummary {
  readonly rows: number
  readonly bytes: number
  readonly nullCount: number
  /** Of its values; undefined: there is none. */
  readonly bounds: MinMax | undefined
}

/** The index of a chunk's pages. `hasBounds`: they are of whole numbers, with their bounds. */
export function pageIndexOf(pages: readonly PageSummary[], hasBounds: boolean): PageIndex {
  return {
    rows: Int32Array.from(pages, ({ rows }) => rows),
    bytes: Int32Array.from(pages, ({ bytes }) => bytes),
    columnIndex: hasBounds ? encodeThrift(columnIndex(pages)).slice() : undefined,
  }
}

/** parquet.thrift, BoundaryOrder. */
const unordered = 0
const ascending = 1
const descending = 2
const none = new Uint8Array(0)

function columnIndex(pages: readonly PageSummary[]): ThriftValue {
  const bounds = pages.flatMap((page) => page.bounds ?? [])
  // One that follows another; pages of NULLs alone do not count.
  const follow = (sign: number): boolean =>
    bounds.every(({ min, max }, at) => {
      const before = bounds[at - 1]
      return (
        before === undefined || (sign * compare(min, before.min) >= 0 && sign * compare(max, before.max) >= 0)
      )
    })
  return struct(
    [1, bools(pages.map((page) => page.bounds === undefined))],
    [
      2,
      list(
        'binary',
        pages.map((page) => binary(page.bounds?.min ?? none)),
      ),
    ],
    [
      3,
      list(
        'binary',
        pages.map((page) => binary(page.bounds?.max ?? none)),
      ),
    ],
    [4, i32(follow(1) ? ascending : follow(-1) ? descending : unordered)],
    [
      5,
      list(
        'i64',
        pages.map((page) => i64(page.nullCount)),
      ),
    ],
  )
}

/** The order of whole numbers in PLAIN encoding: of 4 or 8 bytes, little-endian. */
function compare(a: Uint8Array, b: Uint8Array): number {
  const number = ({ buffer, byteOffset, length }: Uint8Array): bigint => {
    const view = new DataView(buffer, byteOffset)
    return length === 4 ? BigInt(view.getInt32(0, true)) : view.getBigInt64(0, true)
  }
  const [left, right] = [number(a), number(b)]
  return left < right ? -1 : left > right ? 1 : 0
}

/** parquet.thrift's OffsetIndex of a chunk whose first data page is at `start`. */
function offsetIndex({ rows, bytes }: PageIndex, start: number): Uint8Array<ArrayBuffer> {
  let [offset, row] = [start, 0]
  const locations = Array.from(rows, (pageRows, at): ThriftValue => {
    const location = struct([1, i64(offset)], [2, i32(bytes[at]!)], [3, i64(row)])
    offset += bytes[at]!
    row += pageRows
    return location
  })
  return encodeThrift(struct([1, list('struct', locations)]))
}

/** Where one of the indexes lies in the file. */
export interface IndexPlace {
  readonly offset: number
  readonly length: number
}

/** Where the indexes of a chunk lie; undefined: there is none. */
export interface IndexPlaces {
  readonly column: IndexPlace | undefined
  readonly offset: IndexPlace | undefined
}

/** The page indexes of a row group at its place, encoded. */
export interface RowGroupIndex {
  /** Each chunk's ColumnIndex, then each one's OffsetIndex. */
  readonly bytes: Uint8Array
  /** Where they lie in a file that has the bytes at `offset`, by chunk. */
  readonly places: (offset: number) => readonly IndexPlaces[]
}

/** Undefined where a chunk has none. `starts`: where the first data page of each is. */
export function rowGroupIndex(
  indexes: readonly (PageIndex | undefined)[],
  starts: readonly number[],
): RowGroupIndex | undefined {
  const known = indexes.flatMap((index) => index ?? [])
  if (known.length === 0 || known.length < indexes.length) return undefined
  const columns = known.map(({ columnIndex }) => columnIndex ?? none)
  const offsets = known.map((index, at) => offsetIndex(index, starts[at]!))
  // Of a file with many row groups all are kept until its end: few objects, not one for each chunk.
  const lengths = Int32Array.from([...columns, ...offsets], ({ length }) => length)
  const chunks = known.length
  return {
    bytes: new Uint8Array(Buffer.concat([...columns, ...offsets])),
    places(offset) {
      const all: IndexPlace[] = []
      let at = offset
      for (const length of lengths) {
        all.push({ offset: at, length })
        at += length
      }
      const placeOf = (index: number): IndexPlace | undefined =>
        all[index]!.length === 0 ? undefined : all[index]
      return Array.from({ length: chunks }, (_, chunk) => ({
        column: placeOf(chunk),
        offset: placeOf(chunks + chunk),
      }))
    },
  }
}

/** The entry of the key-value metadata that has the CRC-32 of all page indexes of a file: nothing else tells whether they are damaged. */
export const pageIndexChecksum = 'lakejobs.page-index-crc32'
export const checksumOf = (indexes: Uint8Array): string => crc32(indexes).toString(16).padStart(8, '0')
