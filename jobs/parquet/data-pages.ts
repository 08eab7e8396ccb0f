import type { Take } from '../kernel/arena.ts'
import { bitWidth, byteTarget, kernelTarget, type ByteTarget } from './encoding/bit-packing.ts'
import { type BlockList, blockList } from './blocks.ts'
import type { Codec } from './codec.ts'
import { mix } from './dictionary/dictionary.ts'
import { encodeIndices, hybridCapacity, indexRoom } from './encoding/hybrid.ts'
import type { PageSummary } from './page-index.ts'
import { dataPage, type PageEncoding } from './page.ts'
import type { ChunkRows } from './rows.ts'
import type { SourceDictionary, ValueSource } from './source.ts'

/** What the pages of a chunk are like. Plain data, may cross threads. */
export interface PageLimits {
  /** Uncompressed bytes of a data page; one value that is larger gets a page of its own. */
  readonly pageBytes: number
  /** Rows of a data page. */
  readonly pageRows: number
  /** Bytes of a dictionary, at most 1 MB; the rows after the one that exceeds it are written PLAIN. */
  readonly dictionaryBytes: number
  /** Whether row groups of several pages get an index of them. */
  readonly pageIndex: boolean
}

export interface EncodeOptions extends PageLimits {
  readonly codec: Codec
}

/** What the data pages of one chunk are made from. */
export interface ChunkInput {
  readonly rows: ChunkRows
  readonly source: ValueSource
  readonly options: EncodeOptions
  /** Where pages are put together before they are compressed; larger ones get memory of their own. */
  readonly page: ByteTarget
}

/** Room for pages of the usual limits (export-spec §2.2) with their levels. */
export const pageRoom = (take: Take): ByteTarget => kernelTarget((1 << 20) + (1 << 17), take)

/** A run of data pages of one encoding, from where the previous run ended to `endRow` and `endValue`. */
export interface DataPages {
  readonly blocks: BlockList
  readonly pages: readonly PageSummary[]
  readonly uncompressedSize: number
  readonly endRow: number
  readonly endValue: number
}

/** A chunk's first pages, as indices into a dictionary. */
export interface IndexedPages extends DataPages {
  readonly dictionary: SourceDictionary
}

/**
 * Encodes pages as dictionary indices until the rows end or the dictionary is full; undefined when the dictionary
 * would save nothing, so that the chunk is PLAIN altogether. Each page has the bit width that the dictionary
 * needed up to it.
 */
export function indexedPages(input: ChunkInput, take: Take): IndexedPages | undefined {
  const { rows: all, source, options } = input
  const dictionary = all.values === 0 ? undefined : source.dictionary(options.dictionaryBytes, take)
  if (dictionary === undefined) return undefined
  const pages = pageList(input)
  // How many bits an index takes is known only afterwards; Java, too, counts four bytes.
  const mostRows = Math.min(options.pageRows, Math.max(1, options.pageBytes >> 2))
  if (all.values > sampleValues && !promising(dictionary, input, take)) return undefined
  let indices = indexRoom(Math.min(mostRows, all.levels), take)
  let row = 0
  let value = 0
  let indexBytes = 0
  while (row < all.rows) {
    const pageRows = all.rowsFrom(row, mostRows, mostRows)
    const wanted = all.valuesIn(row, row + pageRows)
    if (wanted > indices.length) indices = new Int32Array(wanted)
    const found = dictionary.index(value, value + wanted, indices)
    const full = found < wanted
    const rows = full ? all.rowsOf(row, found) : pageRows
    if (full && rows === 0) break
    const indexed = full ? all.valuesIn(row, row + rows) : found
    const width = bitWidth(dictionary.count() - 1)
    const values = { from: value, to: value + indexed }
    pages.add(row, rows, values, 'RLE_DICTIONARY', hybridCapacity(indexed) + 1, (target, position) => {
      target.bytes[position] = width
      const end = encodeIndices(indices, indexed, width, target, position + 1)
      indexBytes += end - position
      return end
    })
    row += rows
    value += indexed
    if (full) break
  }
  const found = pages.finish(row, value)
  if (dictionary.body().length + indexBytes < source.plainSize(0, value)) return { ...found, dictionary }
  found.blocks.drop()
  return undefined
}

/**
 * A sample of blocks from all over the chunk, at irregular places: its start, or places in equal distance, would
 * show nothing but different values where these come in long cycles.
 */
const sampleBlocks = 64
const blockValues = 64
const sampleValues = sampleBlocks * blockValues

/** Whether the repetitions in a sample, which is entered into the dictionary, promise that it pays. */
function promising(
  dictionary: SourceDictionary,
  { rows: { values }, source, options }: ChunkInput,
  take: Take,
): boolean {
  const indices = indexRoom(blockValues, take)
  for (let block = 0; block < sampleBlocks; block++) {
    const from = Math.floor(((mix(mix(block + 1)) >>> 0) / 2 ** 32) * (values - blockValues))
    if (dictionary.index(from, from + blockValues, indices) < blockValues) return false
  }
  const distinct = dictionary.count()
  const bytes = (expectedDistinct(sampleValues, distinct, values) * dictionary.body().length) / distinct
  // Values are seldom equally likely: the frequent ones pay even where the dictionary overflows.
  return bytes <= 4 * options.dictionaryBytes && bytes < source.plainSize(0, values)
}

/**
 * How many distinct values there are, given the number in a sample: were all D equally likely, n draws would show
 * D (1 - exp(-n / D)) of them. Solved by bisection; at most `total`.
 */
function expectedDistinct(sample: number, distinct: number, total: number): number {
  let low = distinct
  let high = total
  while (high - low > 1) {
    const middle = (low + high) / 2
    if (middle * (1 - Math.exp(-sample / middle)) < distinct) low = middle
    else high = middle
  }
  return high
}

/** Encodes PLAIN pages from the given row, whose values start at `value`, to the last one. */
export function plainPages(input: ChunkInput, startRow: number, startValue: number): DataPages {
  const { rows: all, source, options } = input
  const pages = pageList(input)
  let row = startRow
  let value = startValue
  while (row < all.rows) {
    const pageRows = all.rowsFrom(row, options.pageRows, Math.max(1, options.pageBytes))
    const wanted = all.valuesIn(row, row + pageRows)
    const fitting = Math.min(
      wanted,
      Math.max(1, source.fit(value, value + wanted, options.pageBytes) - value),
    )
    // One row that is larger gets a page of its own.
    const rows = fitting < wanted ? Math.max(1, all.rowsOf(row, fitting)) : pageRows
    const from = value
    const to = value + (fitting < wanted ? all.valuesIn(row, row + rows) : wanted)
    pages.add(row, rows, { from, to }, 'PLAIN', source.plainSize(from, to), (target, position) =>
      source.writePlain(from, to, target, position),
    )
    row += rows
    value = to
  }
  return pages.finish(row, value)
}

interface PageList {
  /** Adds a page of `rows` rows with these of the chunk's values; `writeValues` needs at most `capacity` bytes and returns the position after them. */
  readonly add: (
    row: number,
    rows: number,
    values: { readonly from: number; readonly to: number },
    encoding: PageEncoding,
    capacity: number,
    writeValues: (target: ByteTarget, position: number) => number,
  ) => void
  readonly finish: (endRow: number, endValue: number) => DataPages
}

function pageList({ rows: all, source, options, page: usual }: ChunkInput): PageList {
  const blocks = blockList()
  let scratch = usual
  const pages: PageSummary[] = []
  let uncompressedSize = 0
  return {
    add(row, rows, { from, to }, encoding, capacity, writeValues) {
      const needed = all.levelBytes(row, row + rows) + capacity
      if (scratch.bytes.length < needed) scratch = byteTarget(needed)
      const levels = all.writeLevels(row, row + rows, scratch, 0)
      const end = writeValues(scratch, levels)
      const page = dataPage(
        scratch.bytes.subarray(0, end),
        all.levelsIn(row, row + rows),
        encoding,
        options.codec,
      )
      blocks.append(page.header)
      blocks.append(page.body)
      pages.push({
        rows,
        bytes: page.header.length + page.body.length,
        nullCount: all.levelsIn(row, row + rows) - (to - from),
        bounds: to > from ? source.pageBounds?.(from, to) : undefined,
      })
      uncompressedSize += page.uncompressedSize
    },
    finish: (endRow, endValue) => ({ blocks, pages, uncompressedSize, endRow, endValue }),
  }
}
