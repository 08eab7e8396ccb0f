import { obtainMemory } from './vector-memory.ts'
import type { BytesVector, ColumnVector, FixedVector } from './vector.ts'

/** Gathers rows of one column, some at a time, into a vector of at most `room` rows. */
interface Builder<Vector> {
  /** Bytes of the values so far. */
  readonly bytes: () => number
  /** Where it is now, to be gone back to: what was added since is forgotten. Not beyond a `take`. */
  readonly mark: () => () => void
  /** The vector, whose memory is the caller's; the builder begins anew. */
  readonly take: () => Vector
}

export interface FixedBuilder extends Builder<FixedVector> {
  readonly kind: 'fixed'
  /** Adds rows (`FixedVector`): the memory for their values, which the caller fills. */
  add(rows: NewRows): Uint8Array
}

export interface BytesBuilder extends Builder<BytesVector> {
  readonly kind: 'bytes'
  /** Adds rows whose values have `size` bytes together. The caller fills what `NewTexts` says. */
  add(rows: NewRows, size: number): NewTexts
}

export type ValueBuilder = FixedBuilder | BytesBuilder

/** Rows, and of them the values that are there; as in a vector. */
export type NewRows = Pick<ColumnVector, 'rows' | 'count' | 'defined'>

/** Where new values belong: their bytes in `data` from `at` on, their ends in `offsets` behind the place `value`, which is `at`. */
export interface NewTexts {
  readonly data: Uint8Array
  readonly at: number
  readonly offsets: Int32Array
  readonly value: number
}

export function fixedBuilder(width: number, room: number): FixedBuilder {
  const begun = rowsBuilder(room)
  let data = new Uint8Array(obtainMemory(room * width))
  let end = 0
  return {
    kind: 'fixed',
    add(rows) {
      begun.add(rows)
      const start = end
      end += rows.count * width
      return data.subarray(start, end)
    },
    bytes: () => end,
    mark() {
      const [back, was] = [begun.mark(), end]
      return () => {
        back()
        end = was
      }
    },
    take() {
      const vector = { kind: 'fixed', width, data, ...begun.take() } as const
      ;[data, end] = [new Uint8Array(obtainMemory(room * width)), 0]
      return vector
    },
  }
}

const firstBytes = 2 ** 20

export function bytesBuilder(room: number): BytesBuilder {
  const begun = rowsBuilder(room)
  let offsets = new Int32Array(obtainMemory(4 * (room + 1)))
  offsets[0] = 0
  let data = new Uint8Array(obtainMemory(firstBytes))
  let [values, end] = [0, 0]
  return {
    kind: 'bytes',
    add(rows, size) {
      begun.add(rows)
      const [at, value] = [end, values]
      values += rows.count
      end += size
      if (end > data.length) {
        const larger = new Uint8Array(obtainMemory(Math.max(2 * data.length, end)))
        larger.set(data.subarray(0, at))
        data = larger
      }
      return { data, at, offsets, value }
    },
    bytes: () => end,
    mark() {
      const [back, was, before] = [begun.mark(), values, end]
      return () => {
        back()
        ;[values, end] = [was, before]
      }
    },
    take() {
      const vector = { kind: 'bytes', data, offsets, ...begun.take() } as const
      offsets = new Int32Array(obtainMemory(4 * (room + 1)))
      offsets[0] = 0
      data = new Uint8Array(obtainMemory(firstBytes))
      ;[values, end] = [0, 0]
      return vector
    },
  }
}

/** Which rows of a vector have a value, whatever it is. */
export interface RowsBuilder extends Pick<Builder<NewRows>, 'mark' | 'take'> {
  add(rows: NewRows): void
}

export function rowsBuilder(room: number): RowsBuilder {
  let [rows, count] = [0, 0]
  let all: Uint8Array | undefined
  return {
    add({ rows: more, count: values, defined }) {
      if (defined !== undefined) {
        // What is not said of a row: it has a value.
        all ??= new Uint8Array(room).fill(1)
        all.set(defined, rows)
      }
      rows += more
      count += values
    },
    mark() {
      const [was, before] = [rows, count]
      return () => {
        ;[rows, count] = [was, before]
        all?.fill(1, rows)
      }
    },
    take() {
      const taken = { rows, count, defined: count === rows ? undefined : all?.subarray(0, rows) }
      ;[rows, count, all] = [0, 0, undefined]
      return taken
    },
  }
}
