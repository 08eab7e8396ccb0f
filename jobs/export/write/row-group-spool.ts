import type { RelocatableRowGroup } from '../../parquet/row-group.ts'
import { openSpool } from '../../storage/spool.ts'

/** Encoded row groups by name that wait in a local file; of those that wait, nothing but their places is in memory. */
export interface RowGroupSpool {
  readonly names: () => readonly string[]
  readonly add: (name: string, rowGroup: RelocatableRowGroup) => Promise<void>
  /** Those of a name, in the order in which they came, one in memory at a time. */
  readonly rowGroups: (name: string) => AsyncIterable<RelocatableRowGroup>
  readonly remove: () => Promise<void>
}

/** A spool below `parent`, a path. */
export async function openRowGroupSpool(parent: string): Promise<RowGroupSpool> {
  const spool = await openSpool(parent)
  return {
    names: spool.names,
    add: (name, rowGroup) =>
      spool.add(
        name,
        { ...rowGroup, chunks: rowGroup.chunks.map((chunk) => ({ ...chunk, blocks: [] })) },
        rowGroup.chunks.flatMap(({ blocks }) => blocks),
      ),
    async *rowGroups(name) {
      for await (const { value, bytes } of spool.records(name)) {
        const rowGroup = value as RelocatableRowGroup
        let at = 0
        const chunks = rowGroup.chunks.map((chunk) => {
          const block = bytes.subarray(at, at + chunk.compressedSize)
          at += chunk.compressedSize
          return { ...chunk, blocks: [block] }
        })
        yield { ...rowGroup, chunks }
      }
    },
    remove: spool.remove,
  }
}
