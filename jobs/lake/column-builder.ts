import type { ColumnType } from '../iceberg/schema/types.ts'
import { bytesBuilder, fixedBuilder } from '../vector/builder.ts'
import { bindings } from './columns/bindings.ts'
import { listBuilder } from './columns/list-builder.ts'
import { newRows, type ColumnBuilder } from './columns/rows.ts'

/** A builder for vectors of at most `room` rows. */
export function columnBuilder(type: ColumnType, room: number): ColumnBuilder {
  switch (type.kind) {
    case 'list':
      return listBuilder(room, (most) => columnBuilder(type.element, most))
    case 'string':
    case 'binary':
      return texts(room)
    // Parquet has these without lengths, and wide decimals in their least width.
    case 'fixed':
      return { ...texts(room), values: undefined }
    case 'uuid':
      return fixed(16, 16, room, uuidBytes)
    case 'boolean':
      return fixed(1, 1, room)
    case 'int':
    case 'float':
    case 'date':
      return fixed(4, 4, room)
    case 'decimal':
      if (type.precision <= 4) return fixed(2, 4, room, widened)
      if (type.precision <= 9) return fixed(4, 4, room)
      if (type.precision <= 18) return fixed(8, 8, room)
      return { ...fixed(16, 16, room, bigEndian), values: undefined }
    default:
      return fixed(8, 8, room)
  }
}

/** Puts values of DuckDB's layout into ours. */
type Place = (from: Uint8Array, to: Uint8Array) => void

const asIs: Place = (from, to) => {
  to.set(from)
}

/** 16 bits to 32. */
const widened: Place = (from, to) => {
  const source = new Int16Array(from.buffer, from.byteOffset, from.length / 2)
  new Int32Array(to.buffer, to.byteOffset, source.length).set(source)
}

/** 16 bytes, lowest first, to highest first. */
const bigEndian: Place = (from, to) => {
  for (let value = 0; value < from.length; value += 16)
    for (let byte = 0; byte < 16; byte++) to[value + byte] = from[value + 15 - byte]!
}

/** DuckDB keeps a UUID with its first bit turned, so that it sorts as an integer. */
const uuidBytes: Place = (from, to) => {
  bigEndian(from, to)
  for (let value = 0; value < to.length; value += 16) to[value]! ^= 0x80
}

/** @param from bytes of a value in DuckDB's layout */
function fixed(from: number, width: number, room: number, place: Place = asIs): ColumnBuilder {
  const values = fixedBuilder(width, room)
  return {
    values,
    add(vector, rows) {
      const taken = newRows(vector, rows)
      const bytes = bindings().vector_get_data(vector, rows * from)
      if (taken.defined !== undefined) compact(bytes, from, taken.defined)
      place(bytes.subarray(0, taken.count * from), values.add(taken))
    },
    bytes: values.bytes,
    take: values.take,
  }
}

/** Moves the values that are there to the front. The bytes are a copy of DuckDB's. */
function compact(bytes: Uint8Array, width: number, defined: Uint8Array): void {
  if (width === 4 || width === 8) {
    compactWords(
      new Int32Array(bytes.buffer, bytes.byteOffset, (defined.length * width) / 4),
      width / 4,
      defined,
    )
    return
  }
  let count = 0
  for (let row = 0; row < defined.length; row++)
    if (defined[row] === 1) bytes.copyWithin(width * count++, width * row, width * (row + 1))
}

function compactWords(words: Int32Array, perValue: number, defined: Uint8Array): void {
  let to = 0
  for (let row = 0; row < defined.length; row++) {
    if (defined[row] === 0) continue
    for (let from = perValue * row; from < perValue * (row + 1); from++) words[to++] = words[from]!
  }
}

function texts(room: number): ColumnBuilder {
  const values = bytesBuilder(room)
  return {
    values,
    add(vector, rows) {
      const taken = newRows(vector, rows)
      const { defined } = taken
      const own = bindings().vector_get_data(vector, rows * textBytes)
      const words = new Uint32Array(own.buffer, own.byteOffset, rows * textWords)
      const { data, at, offsets, value } = values.add(taken, sizeOf(words, rows, defined))
      placeEnds(words, rows, defined, offsets, value)
      placeTexts(own, words, rows, defined, data, at)
    },
    bytes: values.bytes,
    take: values.take,
  }
}

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

function sizeOf(words: Uint32Array, rows: number, defined: Uint8Array | undefined): number {
  let size = 0
  for (let row = 0; row < rows; row++) if (defined?.[row] !== 0) size += words[row * textWords]!
  return size
}

/** Writes where each value ends behind those of the `value` values before. */
function placeEnds(
  words: Uint32Array,
  rows: number,
  defined: Uint8Array | undefined,
  offsets: Int32Array,
  value: number,
): void {
  let end = offsets[value]!
  for (let row = 0; row < rows; row++) {
    if (defined?.[row] === 0) continue
    offsets[++value] = end += words[row * textWords]!
  }
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
      fetched = bindings().get_data_from_pointer(
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
