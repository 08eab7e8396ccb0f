import { obtainMemory } from './vector-memory.ts'
import type { BytesVector, ColumnVector, FixedVector, FlatVector, ListVector } from './vector.ts'

/**
 * The rows `rows` (ascending) of a vector as a vector of their own: how a batch is taken apart by partition. No
 * object per row.
 */
export function gather(vector: FlatVector, rows: Int32Array): FlatVector
export function gather(vector: ColumnVector, rows: Int32Array): ColumnVector
export function gather(vector: ColumnVector, rows: Int32Array): ColumnVector {
  const { defined } = vector
  if (defined === undefined) return { ...gatherValues(vector, rows), rows: rows.length, defined: undefined }
  const places = new Int32Array(vector.rows)
  for (let row = 0, place = 0; row < vector.rows; row++) {
    places[row] = place
    place += defined[row]!
  }
  const taken = new Uint8Array(rows.length)
  const values = new Int32Array(rows.length)
  let count = 0
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!
    taken[i] = defined[row]!
    if (defined[row] === 1) values[count++] = places[row]!
  }
  return {
    ...gatherValues(vector, values.subarray(0, count)),
    rows: rows.length,
    defined: count === rows.length ? undefined : taken,
  }
}

/** Vectors of the same column, one behind the other, in memory of their own. */
export function concatenate(pieces: readonly FlatVector[]): FlatVector
export function concatenate(pieces: readonly ColumnVector[]): ColumnVector
export function concatenate(pieces: readonly ColumnVector[]): ColumnVector {
  const [first] = pieces
  if (first === undefined) throw new TypeError('no vectors to put together')
  if (pieces.length === 1) return first
  const rows = pieces.reduce((sum, piece) => sum + piece.rows, 0)
  const count = pieces.reduce((sum, piece) => sum + piece.count, 0)
  const defined = pieces.some((piece) => piece.defined !== undefined)
    ? new Uint8Array(rows).fill(1)
    : undefined
  for (let at = 0, i = 0; defined !== undefined && i < pieces.length; at += pieces[i++]!.rows) {
    const own = pieces[i]!.defined
    if (own !== undefined) defined.set(own.subarray(0, pieces[i]!.rows), at)
  }
  if (first.kind === 'fixed') {
    const data = new Uint8Array(obtainMemory(count * first.width))
    let at = 0
    for (const piece of pieces as readonly FixedVector[]) {
      data.set(piece.data.subarray(0, piece.count * first.width), at)
      at += piece.count * first.width
    }
    return { kind: 'fixed', width: first.width, data, count, rows, defined }
  }
  if (first.kind === 'list')
    return concatenateLists(pieces as readonly ListVector[], { count, rows, defined })
  return concatenateBytes(pieces as readonly BytesVector[], { count, rows, defined })
}

/** Bytes that a vector's values take. */
export function sizeOf(vector: ColumnVector): number {
  if (vector.kind === 'fixed') return vector.count * vector.width
  if (vector.kind === 'bytes') return vector.offsets[vector.count]! + 4 * vector.count
  // Each element has a byte of levels, NULL or not.
  return 4 * vector.count + vector.elements.rows + sizeOf(vector.elements)
}

/** The vector without the room behind its values, to be written somewhere; of the same memory. */
export function trimmed(vector: FlatVector): FlatVector
export function trimmed(vector: ColumnVector): ColumnVector
export function trimmed(vector: ColumnVector): ColumnVector {
  if (vector.kind === 'fixed')
    return { ...vector, data: vector.data.subarray(0, vector.count * vector.width) }
  const offsets = vector.offsets.subarray(0, vector.count + 1)
  if (vector.kind === 'list') return { ...vector, offsets, elements: trimmed(vector.elements) }
  return { ...vector, data: vector.data.subarray(0, vector.offsets[vector.count]), offsets }
}

/** The vector in memory of its own, which begins where words may. */
export function aligned(vector: FlatVector): FlatVector
export function aligned(vector: ColumnVector): ColumnVector
export function aligned(vector: ColumnVector): ColumnVector {
  if (vector.kind === 'list')
    return {
      ...vector,
      offsets: vector.offsets.slice(),
      defined: vector.defined?.slice(),
      elements: aligned(vector.elements),
    }
  const { data, defined } = vector
  const own = new Uint8Array(obtainMemory(data.length))
  own.set(data)
  const common = { data: own.subarray(0, data.length), defined: defined?.slice() }
  return vector.kind === 'fixed'
    ? { ...vector, ...common }
    : { ...vector, ...common, offsets: vector.offsets.slice() }
}

type Rows = Pick<ColumnVector, 'count' | 'rows' | 'defined'>

function concatenateBytes(pieces: readonly BytesVector[], { count, rows, defined }: Rows): BytesVector {
  const data = new Uint8Array(
    obtainMemory(pieces.reduce((sum, piece) => sum + piece.offsets[piece.count]!, 0)),
  )
  const offsets = new Int32Array(obtainMemory(4 * (count + 1)))
  offsets[0] = 0
  let value = 0
  let end = 0
  for (const piece of pieces) {
    const length = piece.offsets[piece.count]!
    data.set(piece.data.subarray(0, length), end)
    shiftOffsets(piece.offsets, piece.count, end, offsets, value)
    value += piece.count
    end += length
  }
  return { kind: 'bytes', data, offsets, count, rows, defined }
}

function concatenateLists(pieces: readonly ListVector[], { count, rows, defined }: Rows): ListVector {
  const offsets = new Int32Array(obtainMemory(4 * (count + 1)))
  offsets[0] = 0
  let list = 0
  let end = 0
  for (const piece of pieces) {
    shiftOffsets(piece.offsets, piece.count, end, offsets, list)
    list += piece.count
    end += piece.elements.rows
  }
  return {
    kind: 'list',
    elements: concatenate(pieces.map(({ elements }) => elements)),
    offsets,
    count,
    rows,
    defined,
  }
}

/**
 * Writes the ends of `count` values behind the first `at` of `to`, `by` bytes further on. A function of its own: V8 compiles
 * a loop anew whenever something else in its function is of another shape, which took 0.1 s of an export by day.
 */
function shiftOffsets(from: Int32Array, count: number, by: number, to: Int32Array, at: number): void {
  for (let i = 1; i <= count; i++) to[at + i] = by + from[i]!
}

/** The values at `places`, as if none of them were NULL. */
function gatherValues(vector: ColumnVector, places: Int32Array): ColumnVector {
  if (vector.kind === 'fixed') return gatherFixed(vector, places)
  return vector.kind === 'bytes' ? gatherBytes(vector, places) : gatherLists(vector, places)
}

function gatherLists({ elements, offsets }: ListVector, places: Int32Array): ListVector {
  const count = places.length
  const taken = new Int32Array(count + 1)
  for (let i = 0; i < count; i++) {
    const place = places[i]!
    taken[i + 1] = taken[i]! + offsets[place + 1]! - offsets[place]!
  }
  const rows = new Int32Array(taken[count]!)
  for (let i = 0, at = 0; i < count; i++)
    for (let row = offsets[places[i]!]!; at < taken[i + 1]!;) rows[at++] = row++
  return {
    kind: 'list',
    elements: gather(elements, rows),
    offsets: taken,
    count,
    rows: count,
    defined: undefined,
  }
}

/** Rows often come in the order of their partitions: a run is copied as a block. */
const isRun = (places: Int32Array): boolean => {
  const [first] = places
  const last = places.at(-1)
  return first !== undefined && last !== undefined && last - first === places.length - 1
}

function gatherFixed({ width, data }: FixedVector, places: Int32Array): FixedVector {
  const count = places.length
  if (isRun(places)) {
    const from = places[0]! * width
    const run = new Uint8Array(data.subarray(from, from + count * width))
    return { kind: 'fixed', width, data: run, count, rows: count, defined: undefined }
  }
  const bytes = new Uint8Array(Math.ceil((count * width) / 8) * 8)
  if (width === 4 || width === 8) {
    const per = width / 4
    const from = new Int32Array(data.buffer, data.byteOffset, data.byteLength >> 2)
    const to = new Int32Array(bytes.buffer)
    for (let i = 0; i < count; i++) {
      const place = places[i]! * per
      to[i * per] = from[place]!
      if (per === 2) to[i * 2 + 1] = from[place + 1]!
    }
  } else {
    for (let i = 0, at = 0; i < count; i++) {
      const start = places[i]! * width
      for (let byte = 0; byte < width; byte++) bytes[at++] = data[start + byte]!
    }
  }
  return { kind: 'fixed', width, data: bytes, count, rows: count, defined: undefined }
}

function gatherBytes({ data, offsets }: BytesVector, places: Int32Array): BytesVector {
  const count = places.length
  const taken = new Int32Array(count + 1)
  if (isRun(places)) {
    const first = places[0]!
    const from = offsets[first]!
    shiftOffsets(offsets.subarray(first), count, -from, taken, 0)
    const run = new Uint8Array(data.subarray(from, offsets[first + count]))
    return { kind: 'bytes', data: run, offsets: taken, count, rows: count, defined: undefined }
  }
  for (let i = 0; i < count; i++) {
    const place = places[i]!
    taken[i + 1] = taken[i]! + offsets[place + 1]! - offsets[place]!
  }
  const bytes = new Uint8Array(taken[count]!)
  for (let i = 0; i < count; i++) {
    const start = offsets[places[i]!]!
    const at = taken[i]!
    const length = taken[i + 1]! - at
    if (length < 64) for (let byte = 0; byte < length; byte++) bytes[at + byte] = data[start + byte]!
    else bytes.set(data.subarray(start, start + length), at)
  }
  return { kind: 'bytes', data: bytes, offsets: taken, count, rows: count, defined: undefined }
}
