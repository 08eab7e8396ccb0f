import { type RelocatableChunk, encodeChunk } from './chunk.ts'
import { checkColumns, type ParquetColumn } from './column.ts'
import type { EncodeOptions, PageLimits } from './data-pages.ts'
import type { ColumnVector } from '../vector/vector.ts'

/** The limits of export-spec §2.2: data pages of 1 MB or 20,000 rows, dictionaries of 1 MB. */
export const defaultLimits: PageLimits = {
  pageBytes: 1 << 20,
  pageRows: 20_000,
  dictionaryBytes: 1 << 20,
  pageIndex: false,
}

/**
 * A row group whose offsets are relative, so that worker threads can encode it and one or several files take it
 * (export-spec §2.1). `chunks` are in the columns' order and follow each other in the file.
 */
export interface RelocatableRowGroup {
  readonly rowCount: number
  readonly chunks: readonly RelocatableChunk[]
  /** Bytes that it takes in a file. */
  readonly compressedSize: number
}

/**
 * Encodes one row group: `vectors[i]` are the values of `columns[i]`, all of the same number of rows, at least
 * one. Throws `checkColumns`' errors, and a TypeError for vectors that contradict the columns.
 */
export function encodeRowGroup(
  columns: readonly ParquetColumn[],
  vectors: readonly ColumnVector[],
  options: EncodeOptions,
): RelocatableRowGroup {
  checkColumns(columns)
  const rowCount = vectors[0]?.rows ?? 0
  if (rowCount === 0) throw new TypeError('a row group without rows is not written')
  if (vectors.length !== columns.length || vectors.some(({ rows }) => rows !== rowCount)) {
    throw new TypeError(`${columns.length} columns need as many vectors of ${rowCount} rows`)
  }
  const encoded = columns.map((column, i) => encodeChunk(column, vectors[i]!, options))
  // Readers leave out pages only where they know those of every column; where each has one there is nothing to leave out.
  const isParted = encoded.some(({ indexedPages, plainPages }) => indexedPages + plainPages > 1)
  const chunks = isParted ? encoded : encoded.map((chunk) => ({ ...chunk, pageIndex: undefined }))
  return {
    rowCount,
    chunks,
    compressedSize: chunks.reduce((sum, { compressedSize }) => sum + compressedSize, 0),
  }
}

/** What `postMessage` has to move so that no page is copied between threads. */
export const transferables = ({ chunks }: RelocatableRowGroup): ArrayBuffer[] =>
  chunks.flatMap(({ blocks }) => blocks.map(({ buffer }) => buffer))
