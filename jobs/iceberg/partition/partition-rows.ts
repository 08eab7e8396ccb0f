import type { ColumnVector } from '../../vector/vector.ts'
import type { PartitionColumnType } from './partition-spec.ts'
import { groupInts } from './transform-group.ts'
import { applyTransform } from './transform-vector.ts'
import type { PrimitiveType, Value } from '../schema/types.ts'

/** The partitions of a batch of rows. */
export interface PartitionedRows {
  /** For each row the index of its partition tuple. */
  readonly ordinals: Int32Array
  /** The distinct tuples in order of first appearance, each in the order of the spec's fields. */
  readonly tuples: readonly (readonly (Value | null)[])[]
}

/**
 * Sorts the rows of a batch into partitions. `column` gives the vector and type of a source column by its id;
 * all vectors have `rows` rows. An unpartitioned spec has one tuple, the empty one.
 */
export function partitionRows(
  type: readonly PartitionColumnType[],
  rows: number,
  column: (sourceId: number) => { readonly vector: ColumnVector; readonly type: PrimitiveType },
): PartitionedRows {
  let all: PartitionedRows = { ordinals: new Int32Array(rows), tuples: [[]] }
  for (const field of type) {
    const source = column(field.sourceId)
    const { ordinals, values } = applyTransform(field.transform, source.type, source.vector)
    if (values.length === 1) {
      all = { ...all, tuples: all.tuples.map((tuple) => [...tuple, values[0] ?? null]) }
      continue
    }
    const [only, ...others] = all.tuples
    // Without NULL, which comes last among the values, they are in order already.
    if (only !== undefined && others.length === 0 && values.at(-1) !== null) {
      all = { ordinals, tuples: values.map((value) => [...only, value]) }
      continue
    }
    // A double holds every product of two counts of rows exactly.
    const combined = new Float64Array(rows)
    for (let row = 0; row < rows; row++) combined[row] = all.ordinals[row]! * values.length + ordinals[row]!
    const [grouped, pairs] = groupInts(combined)
    const { tuples } = all
    all = {
      ordinals: grouped,
      tuples: pairs.map((pair) => [
        ...tuples[Math.floor(pair / values.length)]!,
        values[pair % values.length] ?? null,
      ]),
    }
  }
  return all
}
