import type { PrimitiveType } from '../../iceberg/schema/types.ts'
import { kernel } from '../../kernel/kernel.ts'
import {
  expect,
  readPages,
  type ChunkBytes,
  type ChunkDictionary,
  type ChunkPage,
} from '../../lake/pages/chunk-pages.ts'
import { fixedValues } from '../../lake/pages/fixed-values.ts'
import type { PageRoom } from '../../lake/pages/page-room.ts'
import { blockRows, flatMixer, type RowHashes } from '../../provenance/hash/row-hash.ts'
import type { FixedVector } from '../../vector/vector.ts'
import { bothStatistics, noStatistics, statisticsOf, type ColumnStatistics } from '../columns/statistics.ts'

/** A column of a row group that is hashed. */
export interface HashedChunk extends ChunkBytes {
  readonly type: PrimitiveType
  /** The states of the rows' hashes that its values are mixed into; undefined: none. */
  readonly hashes: RowHashes | undefined
}

/** The places of a page's rows in the hashes of a row group. */
interface Target {
  readonly x: number
  readonly y: number
}

/** Mixes a column of one row group into its rows' hashes, as the fingerprint's own mixers do. Errors: as of `readPages`. */
export function hashChunk(one: HashedChunk, room: PageRoom): ColumnStatistics {
  const { type, hashes } = one
  let statistics = noStatistics(type)
  const add = (more: ColumnStatistics): void => {
    statistics = bothStatistics(type, statistics, more)
  }
  const column = type.kind === 'string' || type.kind === 'binary' ? texts(type, room) : fixed(type, room)
  readPages(one, room, column.dictionary, (page) => {
    const { firstRow } = page
    const target = hashes && { x: hashes.places.x + 4 * firstRow, y: hashes.places.y + 4 * firstRow }
    add(column.page(page, target, hashes))
  })
  add(column.end())
  return statistics
}

interface Column {
  readonly dictionary: (dictionary: ChunkDictionary) => void
  readonly page: (
    page: ChunkPage,
    target: Target | undefined,
    hashes: RowHashes | undefined,
  ) => ColumnStatistics
  /** What is known when all pages have been taken. */
  readonly end: () => ColumnStatistics
}

function texts(type: PrimitiveType, room: PageRoom): Column {
  const { bytes, words, textPlaces, mixTexts, markUsed, textBounds } = kernel()
  const { places, used, result } = room
  let entries = 0
  const boundsAmong = (at: number, count: number, marks: number): ColumnStatistics['bounds'] => {
    textBounds(at, count, marks, result)
    const text = (number: number): Uint8Array => {
      const place = (at >> 2) + number
      return bytes.slice(words[place]! + 4, words[place + 1])
    }
    const [least, most] = [words[result >> 2]!, words[(result >> 2) + 1]!]
    return least < 0 ? undefined : { min: text(least), max: text(most) }
  }
  return {
    dictionary(dictionary) {
      entries = dictionary.entries
      expect(textPlaces(dictionary.from, dictionary.end, entries, room.entries) !== 0, 'a dictionary’s texts')
      bytes.fill(0, used, used + entries)
    },
    page({ rows, count, defined, indices, from, end }, target) {
      if (indices === 0) expect(textPlaces(from, end, count, places) !== 0, 'a page’s texts')
      else markUsed(indices, count, used)
      if (target !== undefined)
        mixTexts(target.x, target.y, rows, indices === 0 ? places : room.entries, indices, defined)
      return {
        rows,
        nulls: rows - count,
        bounds: indices === 0 && count > 0 ? boundsAmong(places, count, 0) : undefined,
        sum: undefined,
      }
    },
    end: () => ({
      ...noStatistics(type),
      bounds: entries === 0 ? undefined : boundsAmong(room.entries, entries, used),
    }),
  }
}

function fixed(type: PrimitiveType, room: PageRoom): Column {
  const { bytes, mixWords } = kernel()
  const values = fixedValues(type, room)
  const { width } = values
  const isWords = (width === 4 || width === 8) && type.kind !== 'float' && type.kind !== 'double'
  return {
    dictionary: values.dictionary,
    page(page, target, hashes) {
      const { rows, count, defined } = page
      const data = values.page(page)
      if (isWords) {
        // They lie in the kernel's memory.
        const at = data.byteOffset
        if (target !== undefined) mixWords(target.x, target.y, rows, at, width, defined)
        return wordStatistics(type, width, rows, count, at, room.result)
      }
      const vector: FixedVector = {
        kind: 'fixed',
        width,
        // Words in memory of their own lie at multiples of 8.
        data: new Uint8Array(data),
        count,
        rows,
        defined: defined === 0 ? undefined : bytes.slice(defined, defined + rows),
      }
      if (target !== undefined && hashes !== undefined) mixVector(vector, type, target, hashes)
      return statisticsOf(type, vector)
    },
    end: () => noStatistics(type),
  }
}

function wordStatistics(
  { kind }: PrimitiveType,
  width: number,
  rows: number,
  count: number,
  values: number,
  result: number,
): ColumnStatistics {
  const { bytes, view, int32Statistics, int64Statistics } = kernel()
  const isSummed = kind === 'int' || kind === 'long' || kind === 'decimal'
  const own = { rows, nulls: rows - count }
  if (count === 0) return { ...own, bounds: undefined, sum: isSummed ? 0n : undefined }
  if (width === 4) int32Statistics(values, count, result)
  else int64Statistics(values, count, result)
  const sum =
    width === 4
      ? view.getBigInt64(result + 8, true)
      : (view.getBigInt64(result + 24, true) << 32n) + view.getBigInt64(result + 16, true)
  return {
    ...own,
    bounds: {
      min: bytes.slice(result, result + width),
      max: bytes.slice(result + width, result + 2 * width),
    },
    sum: isSummed ? sum : undefined,
  }
}

/** Types that are seldom: by the mixers of the fingerprint. */
function mixVector(vector: FixedVector, type: PrimitiveType, target: Target, { places }: RowHashes): void {
  const { words } = kernel()
  const mix = flatMixer(vector, type)
  for (let from = 0; from < vector.rows; from += blockRows) {
    const to = Math.min(vector.rows, from + blockRows)
    const [x, y] = [target.x + 4 * from, target.y + 4 * from]
    const rowsAt = (address: number): Int32Array => words.subarray(address >> 2, (address >> 2) + to - from)
    mix({ x: rowsAt(x), y: rowsAt(y), places: { ...places, x, y } }, from, to)
  }
}
