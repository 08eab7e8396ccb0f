import { kernel } from '../../kernel/kernel.ts'
import type { Chunk } from './chunks.ts'
import { pageHeader, type PageHeader } from './page-header.ts'
import { mostBytes, mostEntries, mostPageRows, type PageRoom } from './page-room.ts'

/** A file that is not as the export writes them, or damaged: another reader has to say which. */
export class NotOurs extends Error {
  constructor(what: string) {
    super(what)
    this.name = 'NotOurs'
  }
}

export const expect = (holds: boolean, what: string): void => {
  if (!holds) throw new NotOurs(what)
}

/** A column of a row group, and its bytes: those of the file, from `offset` on. */
export interface ChunkBytes {
  readonly chunk: Chunk
  readonly rows: number
  readonly bytes: Uint8Array
  readonly offset: number
}

/** A data page whose body lies in the kernel's memory. */
export interface ChunkPage {
  readonly firstRow: number
  readonly rows: number
  /** Values that are there. */
  readonly count: number
  /** The address of a byte a row, 1 where it has a value; 0: all have. */
  readonly defined: number
  /** The address of the values' numbers in the dictionary; 0: the values themselves are at `from`. */
  readonly indices: number
  readonly from: number
  readonly end: number
}

/** A dictionary in the kernel's memory, PLAIN. */
export interface ChunkDictionary {
  readonly entries: number
  readonly from: number
  readonly end: number
}

/**
 * Takes a column's pages apart, one after the other. Throws `NotOurs` for anything
 * that is not exactly as the export writes it.
 */
export function readPages(
  { chunk, rows, bytes, offset }: ChunkBytes,
  room: PageRoom,
  onDictionary: (dictionary: ChunkDictionary) => void,
  onPage: (page: ChunkPage) => void,
): void {
  const { start, dataStart, end, isCompressed, isOptional, uncompressedSize } = chunk
  const [last, data] = [end - offset, dataStart - offset]
  let at = start - offset
  let size = 0
  let entries = 0
  let firstRow = 0
  while (at < last) {
    const header = pageHeader(bytes, at)
    if (header === undefined) throw new NotOurs('a page’s header')
    const next = header.body + header.compressedSize
    expect(next <= last && header.isDictionary === at < data, 'where a page lies')
    expect(header.isDictionary ? next === data && firstRow === 0 : at >= data, 'where a dictionary lies')
    size += header.body - at + header.uncompressedSize
    const target = header.isDictionary ? room.dictionary : room.body
    unpack(bytes, header, isCompressed, room.packed, target)
    const stop = target + header.uncompressedSize
    if (header.isDictionary) {
      entries = header.values
      expect(entries > 0 && entries <= mostEntries, 'a dictionary’s entries')
      onDictionary({ entries, from: target, end: stop })
    } else {
      expect(header.values > 0 && header.values <= Math.min(mostPageRows, rows - firstRow), 'a page’s rows')
      onPage(pageOf(header, target, stop, firstRow, isOptional, entries, room))
      firstRow += header.values
    }
    at = next
  }
  expect(firstRow === rows && size === uncompressedSize, 'what a column’s pages add up to')
}

function unpack(
  bytes: Uint8Array,
  { body, compressedSize, uncompressedSize }: PageHeader,
  isCompressed: boolean,
  packed: number,
  target: number,
): void {
  const { bytes: memory, unpackSnappy } = kernel()
  expect(compressedSize <= mostBytes && uncompressedSize <= mostBytes, 'a page’s size')
  const content = bytes.subarray(body, body + compressedSize)
  if (!isCompressed) {
    expect(compressedSize === uncompressedSize, 'a page’s size')
    memory.set(content, target)
    return
  }
  memory.set(content, packed)
  expect(unpackSnappy(packed, packed + compressedSize, target, uncompressedSize) !== 0, 'a page in Snappy')
}

/** Levels, then values: data page v1. */
function pageOf(
  { values: rows, isIndexed }: PageHeader,
  body: number,
  end: number,
  firstRow: number,
  isOptional: boolean,
  entries: number,
  room: PageRoom,
): ChunkPage {
  const { bytes, view, decodeFlags, decodeIndices } = kernel()
  let from = body
  let count = rows
  if (isOptional) {
    expect(end - from >= 4, 'a page’s levels')
    const levels = from + 4
    const length = view.getUint32(from, true)
    expect(length <= end - levels, 'a page’s levels')
    from = levels + length
    count = decodeFlags(levels, from, rows, room.defined)
    expect(count >= 0, 'a page’s levels')
  }
  const page = { firstRow, rows, count, defined: count === rows ? 0 : room.defined }
  if (!isIndexed) return { ...page, indices: 0, from, end }
  expect(entries > 0 && from < end, 'a page without its dictionary')
  const width = bytes[from]!
  expect(width >= 1 && width <= 24, 'the width of a page’s indices')
  expect(decodeIndices(from + 1, end, width, count, entries, room.indices) !== 0, 'a page’s indices')
  return { ...page, indices: room.indices, from, end }
}
