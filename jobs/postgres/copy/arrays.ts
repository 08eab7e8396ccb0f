import type { ListVector } from '../../vector/vector.ts'
import { obtainMemory } from '../../vector/vector-memory.ts'
import type { ColumnBuilder } from './column-builder.ts'
import type { Presence } from './presence.ts'
import { notCopy, rowOfValue, type RowBatch } from './scan.ts'

/**
 * An array as it is sent (array_send): int32 number of dimensions, int32 whether it has NULLs, the elements' oid, for each
 * dimension int32 its size and int32 its lower bound; then for each element int32 its length (-1: NULL) and its bytes.
 */
const headerBytes = 12
const dimensionBytes = 8

/** Elements that are handed on at once. */
const mostElements = 16_384
/** For all builders of this thread: each is through with it before it returns. */
const places = new Int32Array(mostElements)
const nulls = new Int32Array(mostElements)

/** What the lake's lists cannot say. */
const refusedShape = 'an array of more than one dimension, or that does not begin at 1'

/**
 * Collects arrays of one dimension as lists: `elements` takes their elements as if they were a column's values, whose length
 * stands before each as in COPY itself.
 */
export function arrayBuilder(
  column: number,
  elements: ColumnBuilder,
  refusedElement: string,
  presence: Presence,
): ColumnBuilder {
  let offsets = new Int32Array(0)
  let [count, end] = [0, 0]
  let why = refusedShape
  const counts = new Int32Array(1)
  const nullCounts = new Int32Array(1)

  /** The array, counted from `firstArray`, that has the element. */
  const arrayOf = (element: number, firstArray: number): number => {
    let array = firstArray
    while (offsets[array + 1]! <= element) array++
    return array - firstArray
  }
  return {
    append(batch) {
      const { view, positions } = batch
      const more = batch.counts[column]!
      const first = column * batch.capacity
      offsets = grown(offsets, count + 1, more)
      const part: RowBatch = {
        ...batch,
        columns: 1,
        capacity: mostElements,
        positions: places,
        counts,
        nulls,
        nullCounts,
        inKernel: undefined,
        rows: 0,
      }
      const before = count
      let handedOn = end
      clear(part)
      const hand = (): number => {
        if (part.rows === 0) return -1
        const refused = elements.append(part)
        if (refused >= 0) return arrayOf(handedOn + rowOfValue(part, 0, refused), before)
        handedOn += part.rows
        clear(part)
        return -1
      }
      for (let i = 0; i < more; i++) {
        const position = positions[first + i]!
        const size = sizeOf(view, position)
        if (size < 0) {
          why = refusedShape
          count = before
          return i
        }
        offsets[count + 1] = end + size
        let at = position + headerBytes + (size === 0 ? 0 : dimensionBytes)
        for (let element = 0; element < size; element++) {
          const length = view.getInt32(at)
          at += 4
          if (length < 0) nulls[nullCounts[0]!++] = part.rows
          else places[counts[0]!++] = at
          at += Math.max(length, 0)
          if (++part.rows < mostElements) continue
          const refused = hand()
          if (refused >= 0) {
            why = refusedElement
            return refused
          }
        }
        if (size > 0 && at !== position + view.getInt32(position - 4))
          throw notCopy('an array of a wrong length')
        end += size
        count++
      }
      const refused = hand()
      if (refused >= 0) {
        why = refusedElement
        return refused
      }
      presence.append(batch)
      return -1
    },
    size: () => 4 * count + end + elements.size(),
    refusal: () => why,
    take() {
      const taken = elements.take()
      if (taken.kind === 'list') throw new TypeError('an array of arrays')
      if (offsets.length === 0) offsets = new Int32Array(1)
      offsets[0] = 0
      const vector: ListVector = { kind: 'list', elements: taken, offsets, count, ...presence.take() }
      offsets = new Int32Array(0)
      ;[count, end] = [0, 0]
      return vector
    },
  }
}

function clear(part: RowBatch): void {
  part.rows = 0
  part.counts[0] = 0
  part.nullCounts[0] = 0
}

/** How many elements an array has; -1 where it is no list. */
function sizeOf(view: DataView, position: number): number {
  const dimensions = view.getInt32(position)
  if (dimensions === 0) return 0
  if (dimensions !== 1 || view.getInt32(position + headerBytes + 4) !== 1) return -1
  return view.getInt32(position + headerBytes)
}

function grown(offsets: Int32Array<ArrayBuffer>, used: number, more: number): Int32Array<ArrayBuffer> {
  if (used + more <= offsets.length) return offsets
  const next = new Int32Array(obtainMemory(4 * Math.max(used + more, 2 * offsets.length)))
  next.set(offsets.subarray(0, used))
  return next
}
