import { FileNotFound } from '../../../storage/errors.ts'
import type { FileIO } from '../../../storage/file-io.ts'
import { snapshotById, type TableMetadata } from '../../metadata/metadata.ts'
import type { TableIdentifier } from '../catalog.ts'
import type { CatalogStore } from './catalog-store.ts'
import { readMetadataFile } from './metadata-file.ts'

/** One compare-and-set: from `base` (undefined: a new table) to `location`, where `metadata` has been written. */
export interface PointerChange {
  readonly identifier: TableIdentifier
  readonly base: string | undefined
  readonly location: string
  readonly metadata: TableMetadata
  /** The snapshot that it adds, if any. */
  readonly snapshotId: bigint | undefined
}

/**
 * Whether a change that got no answer is in the table's history: the pointer is ours, our snapshot is among the
 * snapshots, or our file is in the metadata log (export-spec §3.6). It is lost only when the history goes from the
 * base to the pointer without it. Unclear: the pointer is at the base, the table is gone (perhaps renamed, with our
 * commit in it), or the history is no longer there to be read.
 */
export async function arrivalOf(
  store: CatalogStore,
  io: FileIO,
  change: PointerChange,
): Promise<'arrived' | 'lost' | 'unclear'> {
  const { base, location, snapshotId } = change
  const pointer = await store.pointer(change.identifier)
  if (pointer === location) return 'arrived'
  if (pointer === undefined || pointer === base) return 'unclear'
  const current = await readMetadataFile(io, pointer)
  if (current['table-uuid'] !== change.metadata['table-uuid']) return 'lost'
  // Nobody but us could make a table of that uuid.
  if (base === undefined || snapshotById(current, snapshotId) !== undefined) return 'arrived'
  for await (const file of logBackwards(io, current)) {
    if (file === location) return 'arrived'
    if (file === base) return 'lost'
  }
  return 'unclear'
}

/** The metadata files before `metadata`, newest first, as far as they exist: each one's log is bounded. */
async function* logBackwards(io: FileIO, metadata: TableMetadata): AsyncGenerator<string> {
  for (let at = metadata; ;) {
    const files = at['metadata-log'].map((entry) => entry['metadata-file'])
    yield* files.toReversed()
    const [oldest] = files
    if (oldest === undefined) return
    try {
      at = await readMetadataFile(io, oldest)
    } catch (error) {
      if (error instanceof FileNotFound) return
      throw error
    }
  }
}
