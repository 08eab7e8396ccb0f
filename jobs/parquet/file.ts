import { checkColumns } from './column.ts'
import { encodeFooter, type FileDescription, placed, type PlacedRowGroup } from './footer.ts'
import { checksumOf, pageIndexChecksum, type IndexPlaces } from './page-index.ts'
import type { RelocatableRowGroup } from './row-group.ts'

const magic = Buffer.from('PAR1', 'latin1')

/** A finished file: what a catalog wants to know about it. */
export interface FileSummary {
  /** Bytes of the whole file. */
  readonly size: number
  readonly rowCount: number
  /** Bytes of the serialized metadata, without its length and magic. */
  readonly footerSize: number
  /** Where each row group starts: Iceberg's `split_offsets`. */
  readonly splitOffsets: readonly number[]
}

/**
 * Assembles a Parquet file from row groups in the order they are added. Of each it keeps what the footer says about it,
 * encoded (about 250 bytes a chunk); the bytes are the caller's to write, in the order they are returned.
 */
export interface FileAssembler {
  /** Bytes to write for this row group: its own blocks, before the first one also the file's magic. */
  readonly add: (rowGroup: RelocatableRowGroup) => readonly Uint8Array[]
  /** Bytes to write last. Without any row group the file is valid and has 0 rows. `late`: further key-value metadata. */
  readonly finish: (late?: Readonly<Record<string, string>>) => {
    readonly bytes: readonly Uint8Array[]
    readonly summary: FileSummary
  }
  /** Bytes returned so far: for rolling files at a target size. */
  readonly size: () => number
}

/** Starts a file. Throws `checkColumns`' errors. */
export function assembleFile(description: FileDescription): FileAssembler {
  checkColumns(description.columns)
  const rowGroups: PlacedRowGroup[] = []
  let size = 0
  const head = (): readonly Uint8Array[] => {
    if (size > 0) return []
    size = magic.length
    return [magic]
  }
  return {
    add(rowGroup) {
      if (rowGroup.chunks.length !== description.columns.length) {
        throw new TypeError(`a row group of ${rowGroup.chunks.length} columns does not fit the file's schema`)
      }
      const first = head()
      rowGroups.push(placed(description.columns, rowGroup, size, rowGroups.length))
      size += rowGroup.compressedSize
      return [...first, ...rowGroup.chunks.flatMap(({ blocks }) => blocks)]
    },
    finish(late = {}) {
      const first = head()
      const { index, places } = pageIndexes(rowGroups, size)
      size += index.length
      const checksum = index.length === 0 ? {} : { [pageIndexChecksum]: checksumOf(index) }
      const keyValueMetadata = { ...description.keyValueMetadata, ...late, ...checksum }
      const footer = encodeFooter({ ...description, keyValueMetadata }, rowGroups, places)
      const length = Buffer.alloc(4)
      length.writeUInt32LE(footer.length)
      size += footer.length + length.length + magic.length
      return {
        bytes: [...first, index, footer, length, magic],
        summary: {
          size,
          rowCount: rowGroups.reduce((sum, { rowCount }) => sum + rowCount, 0),
          footerSize: footer.length,
          splitOffsets: rowGroups.map(({ offset }) => offset),
        },
      }
    },
    size: () => size,
  }
}

/** All page indexes of a file, in one piece behind its row groups (PageIndex.md), which end at `end`. */
function pageIndexes(
  rowGroups: readonly PlacedRowGroup[],
  end: number,
): { readonly index: Uint8Array; readonly places: readonly (readonly IndexPlaces[])[] } {
  const parts: Uint8Array[] = []
  let offset = end
  const places = rowGroups.map(({ index }) => {
    if (index === undefined) return []
    const own = index.places(offset)
    parts.push(index.bytes)
    offset += index.bytes.length
    return own
  })
  return { index: Buffer.concat(parts), places }
}
