import type { PrimitiveType } from '../../iceberg/schema/types.ts'
import { kernel } from '../../kernel/kernel.ts'
import type { ValueBuilder } from '../../vector/builder.ts'
import { NotOurs } from './chunk-pages.ts'
import { decodeChunk } from './decode-chunk.ts'
import type { GroupBytes } from './group-bytes.ts'
import { pageRoom } from './page-room.ts'

/**
 * Adds the rows of a row group of ours to what is gathered of its columns: all of them, or none where it is not as we write them, or
 * damaged, or its values have more than `mostBytes`. Whether it did.
 */
export function decodeGroup(
  { group, bytes, offset }: GroupBytes,
  types: readonly PrimitiveType[],
  builders: readonly ValueBuilder[],
  mostBytes: number,
): boolean {
  const size = (): number => builders.reduce((sum, one) => sum + one.bytes(), 0)
  const most = size() + mostBytes
  const marks = builders.map((builder) => builder.mark())
  try {
    kernel().arena.scope((take) => {
      const room = pageRoom(take)
      for (const [at, type] of types.entries()) {
        const one = { type, chunk: group.chunks[at]!, rows: group.rows, bytes, offset }
        decodeChunk(one, builders[at]!, Math.max(0, most - size()), room)
      }
    })
    return true
  } catch (error) {
    for (const goBack of marks) goBack()
    if (error instanceof NotOurs) return false
    throw error
  }
}
