import type { ColumnVector, FlatVector, ListVector } from './vector.ts'

/** The rows `from … to` (end exclusive) of a vector, over its memory. */
export function sliceVector(vector: FlatVector, from: number, to: number): FlatVector
export function sliceVector(vector: ColumnVector, from: number, to: number): ColumnVector
export function sliceVector(vector: ColumnVector, from: number, to: number): ColumnVector {
  const { defined } = vector
  const rows = to - from
  const [start, count] =
    defined === undefined ? [from, rows] : [valuesIn(defined, 0, from), valuesIn(defined, from, to)]
  const own = { rows, count, defined: defined?.subarray(from, to) }
  if (vector.kind === 'bytes')
    return {
      kind: 'bytes',
      data: vector.data,
      offsets: vector.offsets.subarray(start, start + count + 1),
      ...own,
    }
  if (vector.kind === 'list') return slicedLists(vector, start, own)
  const { width, data } = vector
  return { kind: 'fixed', width, data: data.subarray(start * width, (start + count) * width), ...own }
}

/** The lists `start …`; their offsets count from 0 again. */
function slicedLists(
  { elements, offsets }: ListVector,
  start: number,
  own: Pick<ListVector, 'rows' | 'count' | 'defined'>,
): ListVector {
  const first = offsets[start]!
  const last = offsets[start + own.count]!
  return {
    kind: 'list',
    elements: first === 0 && last === elements.rows ? elements : sliceVector(elements, first, last),
    offsets: offsets.subarray(start, start + own.count + 1).map((offset) => offset - first),
    ...own,
  }
}

function valuesIn(defined: Uint8Array, from: number, to: number): number {
  let count = 0
  for (let row = from; row < to; row++) count += defined[row]!
  return count
}
