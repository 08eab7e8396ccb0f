import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { RelocatableRowGroup } from '../../parquet/row-group.ts'
import { localError } from '../../storage/local-errors.ts'
import { openScratch } from '../../storage/scratch.ts'

/** Row groups by name, kept in one local file until all are there: however many names, one file is open. */
export interface Spool {
  add(name: string, rowGroup: RelocatableRowGroup): Promise<void>
  /** Those of a name, in the order in which they came, one in memory at a time. */
  rowGroups(name: string): AsyncIterable<RelocatableRowGroup>
  remove(): Promise<void>
}

interface Kept {
  readonly position: number
  /** Without its bytes. */
  readonly rowGroup: RelocatableRowGroup
}

/** A spool in a folder of its own below `parent`, which a killed run's successor removes. */
export async function openSpool(parent: string): Promise<Spool> {
  const scratch = await openScratch(parent)
  const path = join(scratch.folder, 'row-groups')
  const failed = (error: unknown): never => {
    throw localError(error, 'write', path)
  }
  const file = await open(path, 'wx+').catch(async (error: unknown) => {
    await scratch.remove()
    return failed(error)
  })
  const kept = new Map<string, Kept[]>()
  let end = 0
  return {
    async add(name, rowGroup) {
      const position = end
      for (const block of rowGroup.chunks.flatMap(({ blocks }) => blocks)) {
        await file.writev([block], end).catch(failed)
        end += block.length
      }
      const chunks = rowGroup.chunks.map((chunk) => ({ ...chunk, blocks: [] }))
      const own = kept.get(name) ?? []
      own.push({ position, rowGroup: { ...rowGroup, chunks } })
      kept.set(name, own)
    },
    async *rowGroups(name) {
      for (const { position, rowGroup } of kept.get(name) ?? []) {
        const bytes = new Uint8Array(rowGroup.compressedSize)
        const { bytesRead } = await file.read(bytes, 0, bytes.length, position).catch(failed)
        if (bytesRead < bytes.length) throw new Error(`${path} is shorter than what was written to it`)
        let at = 0
        const chunks = rowGroup.chunks.map((chunk) => {
          const block = bytes.subarray(at, at + chunk.compressedSize)
          at += chunk.compressedSize
          return { ...chunk, blocks: [block] }
        })
        yield { ...rowGroup, chunks }
      }
    },
    async remove() {
      await file.close().catch(() => undefined)
      await scratch.remove()
    },
  }
}
