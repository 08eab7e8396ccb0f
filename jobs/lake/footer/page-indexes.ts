import { buffer } from 'node:stream/consumers'
import type { FileMetaData } from 'hyparquet'
import { checksumOf, pageIndexChecksum, type IndexPlaces } from '../../parquet/page-index.ts'
import type { FileIO } from '../../storage/file-io.ts'
import { isOwn } from '../../version.ts'

/** The page indexes of a file that we wrote, which lie in one piece (PageIndex.md). */
export interface PageIndexes {
  /** Of each chunk of each row group. */
  readonly places: readonly (readonly IndexPlaces[])[]
  /** The piece, as bytes of the file; end exclusive. */
  readonly start: number
  readonly end: number
  /** What the footer says of the piece. */
  readonly checksum: string | undefined
}

/** Where the page indexes of a file are; undefined: it has none, or another program wrote it. */
export function pageIndexesOf({
  created_by: createdBy = '',
  row_groups: groups,
  key_value_metadata: entries = [],
}: FileMetaData): PageIndexes | undefined {
  const places = groups.map(({ columns }) =>
    columns.map((chunk) => ({
      column: placeOf(chunk.column_index_offset, chunk.column_index_length),
      offset: placeOf(chunk.offset_index_offset, chunk.offset_index_length),
    })),
  )
  const all = places.flat().flatMap(({ column, offset }) => [column ?? [], offset ?? []].flat())
  if (all.length === 0 || !isOwn(createdBy)) return undefined
  return {
    places,
    start: all.reduce((least, { offset }) => Math.min(least, offset), Infinity),
    end: all.reduce((most, { offset, length }) => Math.max(most, offset + length), 0),
    checksum: entries.find(({ key }) => key === pageIndexChecksum)?.value,
  }
}

const placeOf = (offset: bigint | undefined, length: number | undefined): IndexPlaces['column'] =>
  offset === undefined || length === undefined ? undefined : { offset: Number(offset), length }

/**
 * Reads them; undefined: they are not what the footer's checksum says. A reader that believes them leaves out pages with rows that it
 * wants.
 */
export async function readPageIndexes(
  io: FileIO,
  location: string,
  size: number,
  { start, end, checksum }: PageIndexes,
): Promise<Uint8Array | undefined> {
  if (start < 0 || start >= end || end > size) return undefined
  const bytes = await buffer(await io.stream(location, { start, end }))
  return checksumOf(bytes) === checksum ? bytes : undefined
}

/** What is said of them. */
export const damagedIndexes = 'its page indexes are damaged: engines may leave out rows that they look for'
