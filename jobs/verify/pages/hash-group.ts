import type { PrimitiveType } from '../../iceberg/schema/types.ts'
import type { Take } from '../../kernel/arena.ts'
import { kernel } from '../../kernel/kernel.ts'
import type { RowGroup } from '../../lake/pages/chunks.ts'
import { pageRoom, type PageRoom } from '../../lake/pages/page-room.ts'
import type { Fingerprint } from '../../provenance/fingerprint.ts'
import { addHashes, clear, createRowHashes, type RowHashes } from '../../provenance/hash/row-hash.ts'
import type { ColumnStatistics } from '../columns/statistics.ts'
import { hashChunk } from './hash-chunk.ts'

/** The rows of a row group. */
export interface GroupRows {
  readonly rows: number
  /** By the first `mixed` columns. */
  readonly fingerprint: Fingerprint
  readonly columns: readonly ColumnStatistics[]
}

/**
 * Decodes a row group column by column and hashes its rows in the kernel, where the pages are unpacked: no value becomes one of
 * JavaScript's. `bytes`: of the file, from `offset` on. `mixed`: how many of the columns, from the first on, a row's hash has.
 * Errors: `NotOurs`.
 */
export function hashGroup(
  { rows, chunks }: RowGroup,
  types: readonly PrimitiveType[],
  mixed: number,
  bytes: Uint8Array,
  offset: number,
): GroupRows {
  return kernel().arena.scope((take) => {
    const { room, hashes } = groupRoom(take, rows)
    clear(hashes)
    const columns = types.map((type, at) => {
      const own = at < mixed ? hashes : undefined
      return hashChunk({ type, chunk: chunks[at]!, rows, bytes, offset, hashes: own }, room)
    })
    const sums = new Uint32Array(4)
    addHashes(hashes, rows, sums)
    const [a, b, c, d] = sums
    const nulls = columns.slice(0, mixed).map((column) => column.nulls)
    return { rows, fingerprint: { rows, nulls, sum: [a!, b!, c!, d!] }, columns }
  })
}

/** Room for a page at a time and the states of all of a row group's rows. */
export function groupRoom(take: Take, rows: number): { readonly room: PageRoom; readonly hashes: RowHashes } {
  const { words } = kernel()
  const { places } = createRowHashes(take)
  const [x, y] = [take(4 * rows), take(4 * rows)]
  const statesAt = (address: number): Int32Array => words.subarray(address >> 2, (address >> 2) + rows)
  const hashes = { x: statesAt(x), y: statesAt(y), places: { ...places, x, y } }
  return { room: pageRoom(take), hashes }
}
