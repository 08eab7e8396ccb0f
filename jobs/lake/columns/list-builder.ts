import { rowsBuilder } from '../../vector/builder.ts'
import { concatenate, gather } from '../../vector/gather.ts'
import { reuseVectors } from '../../vector/vector-memory.ts'
import type { FlatVector } from '../../vector/vector.ts'
import { bindings } from './bindings.ts'
import { newRows, type ColumnBuilder } from './rows.ts'

/** DuckDB's list_entry_t: where a list's elements begin among all of the vector's, and how many they are, 8 bytes each. */
const entryBytes = 16

/** A builder of lists. `elements` makes one for so many elements. */
export function listBuilder(room: number, elements: (room: number) => ColumnBuilder): ColumnBuilder {
  const begun = rowsBuilder(room)
  let pieces: FlatVector[] = []
  let offsets = new Int32Array(room + 1)
  let [count, bytes] = [0, 0]
  return {
    add(vector, rows) {
      const taken = newRows(vector, rows)
      const { defined } = taken
      begun.add(taken)
      const entries = bindings().vector_get_data(vector, rows * entryBytes)
      const view = new DataView(entries.buffer, entries.byteOffset, entries.byteLength)
      const ranges: Range[] = []
      for (let row = 0; row < rows; row++) {
        if (defined?.[row] === 0) continue
        const start = view.getUint32(row * entryBytes, true)
        const length = view.getUint32(row * entryBytes + 8, true)
        offsets[count + 1] = offsets[count]! + length
        count++
        if (length > 0) ranges.push({ start, end: start + length })
      }
      if (ranges.length === 0) return
      const size = bindings().list_vector_get_size(vector)
      const builder = elements(size)
      builder.add(bindings().list_vector_get_child(vector), size)
      bytes += builder.bytes() + size
      const all = builder.take() as FlatVector
      for (const run of joined(ranges)) {
        const isAll = run.start === 0 && run.end === size
        const piece = isAll
          ? all
          : gather(
              all,
              Int32Array.from({ length: run.end - run.start }, (_, at) => run.start + at),
            )
        pieces.push(piece)
      }
    },
    values: undefined,
    bytes: () => bytes,
    take() {
      const joinedPieces = pieces.length === 0 ? (elements(1).take() as FlatVector) : concatenate(pieces)
      if (pieces.length > 1) reuseVectors(pieces)
      const vector = { kind: 'list', elements: joinedPieces, offsets, ...begun.take() } as const
      ;[pieces, offsets] = [[], new Int32Array(room + 1)]
      ;[count, bytes] = [0, 0]
      return vector
    },
  }
}

interface Range {
  readonly start: number
  readonly end: number
}

/** Ranges of which one begins where the one before ends are one: mostly all of them. */
function joined(ranges: readonly Range[]): Range[] {
  const runs: Range[] = []
  for (const range of ranges) {
    const last = runs.at(-1)
    if (last?.end === range.start) runs[runs.length - 1] = { start: last.start, end: range.end }
    else runs.push(range)
  }
  return runs
}
