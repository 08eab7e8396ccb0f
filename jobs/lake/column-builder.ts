import duckdb from '@duckdb/node-bindings'
import type { ColumnType } from '../iceberg/schema/types.ts'
import { listBuilder } from './columns/list-builder.ts'
import { definedOf, rowsOf, type ColumnBuilder } from './columns/rows.ts'
import { obtainMemory } from '../vector/vector-memory.ts'

/** A builder for vectors of at most `room` rows. */
export function columnBuilder(type: ColumnType, room: number): ColumnBuilder {
  switch (type.kind) {
    case 'list':
      return listBuilder(room, (most) => columnBuilder(type.element, most))
    case 'string':
    case 'binary':
    case 'fixed':
      return bytesBuilder(room)
    case 'uuid':
      return fixedBuilder(16, 16, room, uuidBytes)
    case 'boolean':
      return fixedBuilder(1, 1, room)
    case 'int':
    case 'float':
    case 'date':
      return fixedBuilder(4, 4, room)
    case 'decimal':
      if (type.precision <= 4) return fixedBuilder(2, 4, room, widened)
      if (type.precision <= 9) return fixedBuilder(4, 4, room)
      return type.precision <= 18 ? fixedBuilder(8, 8, room) : fixedBuilder(16, 16, room, bigEndian)
    default:
      return fixedBuilder(8, 8, room)
  }
}

/** Puts values of DuckDB's layout behind each other in ours, from `at` on. */
type Place = (from: Uint8Array, values: number, to: Uint8Array, at: number) => void

const asIs: Place = (from, _, to, at) => {
  to.set(from, at)
}

/** 16 bits to 32. */
const widened: Place = (from, values, to, at) => {
  const source = new Int16Array(from.buffer, from.byteOffset, values)
  new Int32Array(to.buffer, at, values).set(source)
}

/** 16 bytes, lowest first, to highest first. */
const bigEndian: Place = (from, values, to, at) => {
  for (let value = 0; value < values; value++)
    for (let byte = 0; byte < 16; byte++) to[at + 16 * value + byte] = from[16 * value + 15 - byte]!
}

/** DuckDB keeps a UUID with its first bit turned, so that it sorts as an integer. */
const uuidBytes: Place = (from, values, to, at) => {
  bigEndian(from, values, to, at)
  for (let value = 0; value < values; value++) to[at + 16 * value]! ^= 0x80
}

function fixedBuilder(from: number, width: number, room: number, place: Place = asIs): ColumnBuilder {
  const begun = rowsOf(room)
  let data = new Uint8Array(obtainMemory(room * width))
  let end = 0
  return {
    add(vector, rows) {
      const defined = definedOf(vector, rows)
      begun.add(defined, rows)
      const bytes = duckdb.vector_get_data(vector, rows * from)
      const count = defined === undefined ? rows : compact(bytes, from, defined)
      place(bytes.subarray(0, count * from), count, data, end)
      end += count * width
    },
    bytes: () => end,
    take() {
      const vector = { kind: 'fixed', width, data, ...begun.take() } as const
      ;[data, end] = [new Uint8Array(obtainMemory(room * width)), 0]
      return vector
    },
  }
}

/** Moves the values that are there to the front; how many they are. The bytes are a copy of DuckDB's. */
function compact(bytes: Uint8Array, width: number, defined: Uint8Array): number {
  if (width === 4 || width === 8)
    return compactWords(
      new Int32Array(bytes.buffer, bytes.byteOffset, (defined.length * width) / 4),
      width / 4,
      defined,
    )
  let count = 0
  for (let row = 0; row < defined.length; row++)
    if (defined[row] === 1) bytes.copyWithin(width * count++, width * row, width * (row + 1))
  return count
}

function compactWords(words: Int32Array, perValue: number, defined: Uint8Array): number {
  let to = 0
  for (let row = 0; row < defined.length; row++) {
    if (defined[row] === 0) continue
    for (let from = perValue * row; from < perValue * (row + 1); from++) words[to++] = words[from]!
  }
  return to / perValue
}

function bytesBuilder(room: number): ColumnBuilder {
  const begun = rowsOf(room)
  let offsets = new Int32Array(obtainMemory(4 * (room + 1)))
  offsets[0] = 0
  let data = new Uint8Array(obtainMemory(firstBytes))
  let values = 0
  const grow = (end: number, wanted: number): void => {
    if (wanted <= data.length) return
    const larger = new Uint8Array(obtainMemory(Math.max(2 * data.length, wanted)))
    larger.set(data.subarray(0, end))
    data = larger
  }
  return {
    add(vector, rows) {
      const defined = definedOf(vector, rows)
      begun.add(defined, rows)
      const texts = duckdb.vector_get_data(vector, rows * textBytes)
      const words = new Uint32Array(texts.buffer, texts.byteOffset, rows * textWords)
      const end = offsets[values]!
      values = placeEnds(words, rows, defined, offsets, values)
      grow(end, offsets[values]!)
      placeTexts(texts, words, rows, defined, data, end)
    },
    bytes: () => offsets[values]!,
    take() {
      const vector = { kind: 'bytes', data, offsets, ...begun.take() } as const
      offsets = new Int32Array(obtainMemory(4 * (room + 1)))
      offsets[0] = 0
      data = new Uint8Array(obtainMemory(firstBytes))
      values = 0
      return vector
    },
  }
}

const firstBytes = 2 ** 20
/** DuckDB's string_t: the length in 4 bytes, then the text, or 4 bytes of it and a pointer. */
const textBytes = 16
const textWords = textBytes / 4
const inlineBytes = 12
/** Up to so many bytes a loop copies sooner than a view is made. */
const shortBytes = 64

/** A process's addresses have 48 bits, 57 where it asks for more: no double loses one of ours. */
const pointerAt = (words: Uint32Array, row: number): number =>
  words[row * textWords + 2]! + words[row * textWords + 3]! * 2 ** 32

// Loops in functions of their own: V8 compiles one anew whenever something else in its function is of another shape.

/** Writes where each value ends behind those of the `value` values before; how many values there are then. */
function placeEnds(
  words: Uint32Array,
  rows: number,
  defined: Uint8Array | undefined,
  offsets: Int32Array,
  value: number,
): number {
  let end = offsets[value]!
  for (let row = 0; row < rows; row++) {
    if (defined?.[row] === 0) continue
    offsets[++value] = end += words[row * textWords]!
  }
  return value
}

/** Texts that lie behind each other in memory in the order of their rows: they are fetched by one call. */
interface Run {
  readonly firstRow: number
  bytes: number
}

/** The runs of a vector's texts that are not inlined: DuckDB copies a chunk's texts into a heap, one behind the other. */
function runsOf(words: Uint32Array, rows: number, defined: Uint8Array | undefined): Run[] {
  const runs: Run[] = []
  let run: Run | undefined
  let next = 0
  for (let row = 0; row < rows; row++) {
    const size = words[row * textWords]!
    if (size <= inlineBytes || defined?.[row] === 0) continue
    const pointer = pointerAt(words, row)
    if (run === undefined || pointer !== next) runs.push((run = { firstRow: row, bytes: 0 }))
    run.bytes += size
    next = pointer + size
  }
  return runs
}

/** Copies a vector's texts behind each other to `to`, from `at` on. */
function placeTexts(
  texts: Uint8Array,
  words: Uint32Array,
  rows: number,
  defined: Uint8Array | undefined,
  to: Uint8Array,
  at: number,
): void {
  const runs = runsOf(words, rows, defined)
  let run = 0
  let fetched: Uint8Array = new Uint8Array(0)
  let [begun, place] = [0, 0]
  for (let row = 0; row < rows; row++) {
    if (defined?.[row] === 0) continue
    const size = words[row * textWords]!
    if (size > inlineBytes && place < fetched.length) {
      place += size
      continue
    }
    // What has been passed of a run is copied at once.
    at = copyBytes(fetched, begun, place, to, at)
    begun = place
    if (size <= inlineBytes) {
      const text = row * textBytes + 4
      at = copyBytes(texts, text, text + size, to, at)
    } else {
      const { firstRow, bytes } = runs[run++]!
      fetched = duckdb.get_data_from_pointer(
        texts.buffer as ArrayBuffer,
        texts.byteOffset + firstRow * textBytes + 8,
        bytes,
      )
      ;[begun, place] = [0, size]
    }
  }
  copyBytes(fetched, begun, place, to, at)
}

/** Copies the bytes `start` … `end` to `at`; the place behind them. */
function copyBytes(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): number {
  if (end - start > shortBytes) to.set(from.subarray(start, end), at)
  else for (let byte = start; byte < end; byte++) to[at + byte - start] = from[byte]!
  return at + end - start
}
