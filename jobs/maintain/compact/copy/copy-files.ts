import { buffer } from 'node:stream/consumers'
import { mapConcurrently, oneOnTheWay } from '../../../concurrency.ts'
import { readRawFooter, unreadable } from '../../../lake/footer/footer.ts'
import { hasDeletes, type PlannedFile } from '../../../lake/read-plan.ts'
import type { PageIndex } from '../../../parquet/page-index.ts'
import type { RelocatableRowGroup } from '../../../parquet/row-group.ts'
import type { FileIO } from '../../../storage/file-io.ts'
import { canonicalLocation } from '../../../storage/place.ts'
import { wrongPages } from './pages.ts'
import { storedRowGroups } from './stored-footer.ts'
import { storedPageIndexes } from './stored-page-indexes.ts'
import { copyableRowGroups, type CopyableRowGroup, type CopySettings } from './stored-row-groups.ts'

export interface Copying extends CopySettings {
  readonly io: FileIO
  readonly signal: AbortSignal
}

/**
 * Rows that a row group is to have on average, and bytes that are enough as well, for that it stays as it is: engines read those
 * of 100,000 rows to a million best (DuckDB, "Tuning workloads"), and smaller ones are what compaction is for.
 */
const enoughRows = 100_000
const enoughBytes = 4 * 2 ** 20
const footersAtOnce = 8

/** Whether a file's row groups are large enough to stay, and have all their rows: by its manifest alone. */
export function isLargeEnough(planned: PlannedFile): boolean {
  const { recordCount, fileSizeInBytes, splitOffsets = [] } = planned.file
  const groups = splitOffsets.length
  const isEnough = recordCount >= enoughRows * groups || fileSizeInBytes >= enoughBytes * groups
  return groups > 0 && recordCount > 0 && isEnough && !hasDeletes(planned)
}

/**
 * Hands the row groups of files over byte by byte, in their order, of those that we wrote for the table as it is now (`storedRowGroups`,
 * `copyableRowGroups`). Returns the files of which nothing was taken: their rows are to be decoded. Errors: `JobError` data, for a file
 * that is not there or not as its manifest and its footer say; those of the store and of `take`.
 */
export async function copyFiles(
  files: readonly PlannedFile[],
  copying: Copying,
  take: (rowGroup: RelocatableRowGroup) => Promise<void>,
): Promise<PlannedFile[]> {
  const { io, columns } = copying
  const large = files.filter(isLargeEnough)
  const rowGroups = await mapConcurrently(large, footersAtOnce, async ({ file }) => {
    const raw = await readRawFooter(io, file)
    const stored = storedRowGroups(raw.metadata, columns)
    const groups = stored && copyableRowGroups(stored, file, copying)
    if (groups === undefined) return undefined
    const indexes = await storedPageIndexes(io, file, raw)
    return groups.map((group, at) => withIndexes(group, indexes[at]))
  })
  const onTheWay = oneOnTheWay()
  for (const [at, { file }] of large.entries())
    for (const one of rowGroups[at] ?? []) {
      const rowGroup = await read(one, canonicalLocation(file.filePath), copying)
      await onTheWay.start(() => take(rowGroup))
    }
  await onTheWay.done()
  const copied = new Set(large.filter((_, at) => rowGroups[at] !== undefined))
  return files.filter((planned) => !copied.has(planned))
}

function withIndexes(
  group: CopyableRowGroup,
  indexes: readonly (PageIndex | undefined)[] = [],
): CopyableRowGroup {
  return { ...group, chunks: group.chunks.map((chunk, at) => ({ ...chunk, pageIndex: indexes[at] })) }
}

/** A row group with its bytes, which are held against what the footer says of its pages. */
async function read(
  { start, size, rowCount, chunks }: CopyableRowGroup,
  location: string,
  { io, columns, signal }: Copying,
): Promise<RelocatableRowGroup> {
  signal.throwIfAborted()
  const all = await buffer(await io.stream(location, { start, end: start + size }))
  let at = 0
  const filled = chunks.map((chunk, index) => {
    const bytes = all.subarray(at, (at += chunk.compressedSize))
    const wrong = bytes.length < chunk.compressedSize ? 'it is cut off' : wrongPages(bytes, chunk)
    if (wrong !== undefined) throw unreadable(location, `column ${columns[index]!.name}: ${wrong}`)
    return { ...chunk, blocks: [bytes] }
  })
  return { rowCount, chunks: filled, compressedSize: size }
}
