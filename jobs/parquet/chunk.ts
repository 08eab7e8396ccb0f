import type { Take } from '../kernel/arena.ts'
import { kernel } from '../kernel/kernel.ts'
import type { CodecName } from './codec.ts'
import type { ParquetColumn } from './column.ts'
import { type EncodeOptions, indexedPages, pageRoom, plainPages } from './data-pages.ts'
import { pageIndexOf, type PageIndex } from './page-index.ts'
import { dictionaryPage } from './page.ts'
import { listRows } from './list-rows.ts'
import { flatRows } from './rows.ts'
import { valueSource } from './source.ts'
import type { MinMax } from './statistics/bounds.ts'
import { type ColumnMetrics, type ColumnStatistics, summarize } from './statistics/statistics.ts'
import type { ColumnVector } from '../vector/vector.ts'

/**
 * One column of one row group, to be written at any position of any file. Plain data over ArrayBuffers: it can be
 * moved between threads.
 */
export interface RelocatableChunk {
  /** The pages, dictionary first, in blocks that follow each other. */
  readonly blocks: readonly Uint8Array<ArrayBuffer>[]
  readonly codec: CodecName
  /** Bytes before the first data page: the dictionary page's, 0 without one. */
  readonly dataPageOffset: number
  /** Bytes of all pages with their headers. */
  readonly compressedSize: number
  readonly uncompressedSize: number
  /** Data pages by encoding; the indexed ones come first. */
  readonly indexedPages: number
  readonly plainPages: number
  readonly statistics: ColumnStatistics
  readonly metrics: ColumnMetrics
  /** Undefined: there is none. */
  readonly pageIndex: PageIndex | undefined
}

/**
 * Encodes one column of a row group: dictionary indices as long as they pay and the dictionary has room, then
 * PLAIN (export-spec §2.2). Throws a TypeError for a vector that contradicts the column.
 */
export function encodeChunk(
  column: ParquetColumn,
  vector: ColumnVector,
  options: EncodeOptions,
): RelocatableChunk {
  return kernel().arena.scope((take) => encodeIn(take, column, vector, options))
}

/** The dictionary lies in the kernel's memory until the chunk is encoded. */
function encodeIn(
  take: Take,
  column: ParquetColumn,
  vector: ColumnVector,
  options: EncodeOptions,
): RelocatableChunk {
  if (column.required && vector.count !== vector.rows) {
    throw new TypeError(`required column "${column.name}" has ${vector.rows - vector.count} NULLs`)
  }
  const isList = vector.kind === 'list'
  if (isList !== (column.element !== undefined))
    throw new TypeError(`a vector of column "${column.name}" ${isList ? 'is' : 'is not'} of lists`)
  const flat = isList ? vector.elements : vector
  const source = valueSource(column.type, flat, options.pageIndex && !isList ? options.pageRows : undefined)
  const rows = isList ? listRows(vector, !column.required) : flatRows(vector, !column.required)
  const input = { rows, source, options, page: pageRoom(take) }
  const indexed = indexedPages(input, take)
  const plain = plainPages(input, indexed?.endRow ?? 0, indexed?.endValue ?? 0)
  const page = indexed && dictionaryPage(indexed.dictionary.body(), indexed.dictionary.count(), options.codec)
  const dictionaryBytes = page && joined(page.header, page.body)
  const complete = indexed?.endValue === rows.values
  const boundsOf = (): MinMax | undefined => (complete ? indexed.dictionary.bounds() : source.bounds())
  // Of elements no reader could leave out a row group, or a file: Iceberg has none either.
  const bounds = isList ? undefined : boundsOf()
  const pages = [...(indexed?.pages ?? []), ...plain.pages]
  const dataPageOffset = dictionaryBytes?.length ?? 0
  return {
    blocks: [
      ...(dictionaryBytes ? [dictionaryBytes] : []),
      ...(indexed?.blocks.finish() ?? []),
      ...plain.blocks.finish(),
    ],
    codec: options.codec.name,
    dataPageOffset,
    compressedSize: dataPageOffset + (indexed?.blocks.size() ?? 0) + plain.blocks.size(),
    uncompressedSize:
      (page?.uncompressedSize ?? 0) + (indexed?.uncompressedSize ?? 0) + plain.uncompressedSize,
    indexedPages: indexed?.pages.length ?? 0,
    plainPages: plain.pages.length,
    pageIndex: options.pageIndex ? pageIndexOf(pages, source.pageBounds !== undefined) : undefined,
    ...summarize(column.type, { rows: rows.levels, values: rows.values, nans: source.nanCount }, bounds),
  }
}

function joined(header: Uint8Array, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(header.length + body.length)
  bytes.set(header)
  bytes.set(body, header.length)
  return bytes
}
