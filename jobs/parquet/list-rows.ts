import type { ListVector } from '../vector/vector.ts'
import { encodeFlags, encodePairs, hybridCapacity } from './encoding/hybrid.ts'
import { valuesIn, type ChunkRows } from './rows.ts'

/**
 * Rows of lists (LogicalTypes.md, "Lists", three levels): each element is an entry, and so is a list without any. The
 * repetition level is 0 where a row begins. Definition levels, from the top: there is a value, the element is NULL, the list is
 * empty, the list is NULL; the last one exists only in optional columns. Pages hold whole rows.
 */
export function listRows(vector: ListVector, optional: boolean): ChunkRows {
  const { rows, defined, elements } = vector
  const starts = startsOf(vector)
  const empty = optional ? 1 : 0
  const levels = levelStarts(starts)
  // The value at which each element comes, counted where it is asked for: pages go forward.
  let [seenElement, seenValue] = [0, 0]
  const valueAt = (element: number): number => {
    if (elements.defined === undefined) return element
    if (element < seenElement) [seenElement, seenValue] = [0, 0]
    seenValue += valuesIn(elements.defined, seenElement, element)
    seenElement = element
    return seenValue
  }
  return {
    rows,
    values: elements.count,
    levels: levels[rows]!,
    rowsFrom(from, mostRows, mostLevels) {
      const last = Math.min(rows, from + mostRows)
      let to = from + 1
      while (to < last && levels[to + 1]! - levels[from]! <= mostLevels) to++
      return to - from
    },
    valuesIn(from, to) {
      const first = valueAt(starts[from]!)
      return valueAt(starts[to]!) - first
    },
    levelsIn: (from, to) => levels[to]! - levels[from]!,
    rowsOf(from, values) {
      const isThere = elements.defined
      let row = from
      for (let left = values; row < rows; row++) {
        left -= valuesIn(isThere, starts[row]!, starts[row + 1]!)
        if (left < 0) break
      }
      return row - from
    },
    // A bit and two bits an entry, in groups of eight, and the headers of runs that save more than they take.
    levelBytes: (from, to) => hybridCapacity((levels[to]! - levels[from]!) >> 3) + 64,
    writeLevels(from, to, { bytes, view }, start) {
      const count = levels[to]! - levels[from]!
      const repetition = new Uint8Array(count)
      const definition = new Uint8Array(count)
      let at = 0
      for (let row = from; row < to; row++) {
        const first = starts[row]!
        const end = starts[row + 1]!
        if (first === end) {
          definition[at++] = defined?.[row] === 0 ? 0 : empty
          continue
        }
        for (let element = first; element < end; element++, at++) {
          repetition[at] = element === first ? 0 : 1
          definition[at] = empty + 1 + (elements.defined?.[element] ?? 1)
        }
      }
      const middle = encodeFlags(repetition, 0, count, bytes, start + 4)
      view.setInt32(start, middle - start - 4, true)
      const stop = encodePairs(definition, bytes, middle + 4)
      view.setInt32(middle, stop - middle - 4, true)
      return stop
    },
  }
}

/** Where the elements of each row begin, and behind them where the last one's end; a NULL list has none. */
function startsOf({ rows, offsets, defined }: ListVector): Int32Array {
  if (defined === undefined) return offsets
  const starts = new Int32Array(rows + 1)
  for (let row = 0, list = 0; row < rows; row++) {
    list += defined[row]!
    starts[row + 1] = offsets[list]!
  }
  return starts
}

/** The same for entries of levels. */
function levelStarts(starts: Int32Array): Int32Array {
  const levels = new Int32Array(starts.length)
  for (let row = 0; row + 1 < starts.length; row++)
    levels[row + 1] = levels[row]! + Math.max(1, starts[row + 1]! - starts[row]!)
  return levels
}
