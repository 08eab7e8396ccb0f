import { kernel } from '../../kernel/kernel.ts'
import type { PrimitiveType } from '../../iceberg/schema/types.ts'
import type { ListVector } from '../../vector/vector.ts'
import {
  blockRows,
  clear,
  createRowHashes,
  flatMixer,
  mixNull,
  turn,
  valuesIn,
  type Mixer,
} from './row-hash.ts'

/**
 * Mixes a column of lists: the number of elements, then for each of them its own hash, of 64 bits, made as that of a row with
 * this value (or NULL) alone. So a list hashes alike however its elements lie in memory, and NULL, an empty list and a list of
 * NULLs apart.
 */
export function listMixer(vector: ListVector, type: PrimitiveType): Mixer {
  const { offsets, defined, elements } = vector
  const mixElements = flatMixer(elements, type)
  let list = 0
  return ({ x, y }, from, to) => {
    kernel().arena.scope((take) => {
      const own = createRowHashes(take)
      // The elements whose hashes `own` has: a mixer takes block after block.
      let [first, end] = [offsets[list]!, offsets[list]!]
      const until = offsets[list + valuesIn(defined, from, to)]!
      for (let row = from; row < to; row++) {
        const at = row - from
        if (defined?.[row] === 0) {
          mixNull(x, y, at)
          continue
        }
        const start = offsets[list]!
        const stop = offsets[++list]!
        x[at] = turn(x[at]!, stop - start, lengthFactor)
        y[at] = turn(y[at]!, x[at], lengthFactor)
        for (let element = start; element < stop; element++) {
          if (element === end) {
            first = end
            end = Math.min(until, first + blockRows)
            clear(own)
            mixElements(own, first, end)
          }
          x[at] = turn(x[at], own.x[element - first]!, elementFactor)
          y[at] = turn(y[at], own.y[element - first]! ^ x[at], elementFactor)
        }
      }
    })
  }
}

/** Odd, and others than those of values and NULL. */
const lengthFactor = 0x85ebca6b | 0
const elementFactor = 0xc2b2ae35 | 0
