import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js'
import type { DataFile } from '../../../iceberg/manifest/data-file.ts'
import { unreadable, type RawFooter } from '../../../lake/footer/footer.ts'
import { damagedIndexes, readPageIndexes } from '../../../lake/footer/page-indexes.ts'
import type { IndexPlace, PageIndex } from '../../../parquet/page-index.ts'
import type { FileIO } from '../../../storage/file-io.ts'
import { canonicalLocation } from '../../../storage/place.ts'

/** parquet.thrift's `OffsetIndex`: of each page its place, its bytes with their header, and the row group's rows before it. */
interface StoredOffsets {
  readonly field_1: readonly {
    readonly field_1: bigint
    readonly field_2: number
    readonly field_3: bigint
  }[]
}

/**
 * The page indexes of a file's row groups, by chunk; empty where there are none. Errors: `JobError` data where they are damaged; those
 * of the store.
 */
export async function storedPageIndexes(
  io: FileIO,
  file: DataFile,
  { footer: { pageIndexes }, parsed: { row_groups: groups } }: RawFooter,
): Promise<readonly (readonly (PageIndex | undefined)[])[]> {
  if (pageIndexes === undefined) return []
  const location = canonicalLocation(file.filePath)
  const bytes = await readPageIndexes(io, location, file.fileSizeInBytes, pageIndexes)
  if (bytes === undefined) throw unreadable(location, damagedIndexes)
  const partOf = ({ offset, length }: IndexPlace): Uint8Array<ArrayBuffer> => {
    const from = offset - pageIndexes.start
    return new Uint8Array(bytes.subarray(from, from + length))
  }
  return pageIndexes.places.map((chunks, group) =>
    chunks.map(({ column, offset }) => {
      if (offset === undefined) return undefined
      const own = parsedOffsets(partOf(offset), Number(groups[group]!.num_rows))
      return { ...own, columnIndex: column && partOf(column) }
    }),
  )
}

function parsedOffsets(bytes: Uint8Array, rowCount: number): Pick<PageIndex, 'rows' | 'bytes'> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const { field_1: pages } = deserializeTCompactProtocol({ view, offset: 0 }) as unknown as StoredOffsets
  const firstRow = (page: number): number => Number(pages[page]?.field_3 ?? rowCount)
  return {
    rows: Int32Array.from(pages, (_, page) => firstRow(page + 1) - firstRow(page)),
    bytes: Int32Array.from(pages, ({ field_2: size }) => size),
  }
}
