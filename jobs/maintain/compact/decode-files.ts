import { mapConcurrently } from '../../concurrency.ts'
import { readRawFooter, type Footer } from '../../lake/footer/footer.ts'
import { NotOurs } from '../../lake/pages/chunk-pages.ts'
import { ownRowGroups, type RowGroup } from '../../lake/pages/chunks.ts'
import { openGroups, sizeOf, type GroupBytes } from '../../lake/pages/group-bytes.ts'
import { hasDeletes, type PlannedFile } from '../../lake/read-plan.ts'
import type { FlatField } from '../../lake/read-rows.ts'
import type { FileIO } from '../../storage/file-io.ts'
import { canonicalLocation } from '../../storage/place.ts'
import type { RowGroups, TakeRowGroup } from './row-groups.ts'

export interface Decoding {
  readonly io: FileIO
  readonly signal: AbortSignal
  readonly fields: readonly FlatField[]
  readonly take: TakeRowGroup
  readonly onRows: (rows: number) => void
}

/** A file that DuckDB is to read, but for its first rows, which are there. */
export interface RestOfFile {
  readonly planned: PlannedFile
  readonly taken: number
  /** If it was read and kept. */
  readonly footer: Footer | undefined
}

/** Files whose footers are held at once. */
const filesAtOnce = 256
const footersAtOnce = 8
/** Footers of files that are left, which DuckDB's query wants, too: an object store need not be asked again. */
const mostKept = 1024
/** Bytes of a row group, of which each reader has one, and one more is on its way. */
const mostGroupBytes = 16 * 2 ** 20

/**
 * The rows of files that we wrote for exactly these fields, by as many readers as there are, without DuckDB: several times as
 * quick. What is left is anything else: of another writer, with deletes, with other columns or types, damaged. Errors: `JobError`
 * data, for a file that is not there or not as its manifest says; those of the store and of `take`.
 */
export async function decodeFiles(
  files: readonly PlannedFile[],
  readers: readonly RowGroups[],
  decoding: Decoding,
): Promise<RestOfFile[]> {
  const { io, fields, signal } = decoding
  const rest: RestOfFile[] = []
  const candidates = files.filter(({ file }) => file.recordCount > 0)
  for (let from = 0; from < candidates.length; from += filesAtOnce) {
    const some = candidates.slice(from, from + filesAtOnce)
    const own = await mapConcurrently(some, footersAtOnce, async (planned) => {
      signal.throwIfAborted()
      if (hasDeletes(planned)) return { footer: undefined, groups: undefined }
      const raw = await readRawFooter(io, planned.file)
      const groups = ownRowGroups(raw, fields)
      const isSmall = groups?.every((group) => sizeOf(group) <= mostGroupBytes) === true
      return { footer: raw.footer, groups: isSmall ? groups : undefined }
    })
    let next = 0
    await mapConcurrently(readers, readers.length, async (reader) => {
      for (let at = next++; at < some.length; at = next++) {
        const planned = some[at]!
        const { footer, groups } = own[at]!
        const taken = groups === undefined ? 0 : await decodeFile(planned, groups, reader, decoding)
        if (taken < planned.file.recordCount)
          rest.push({ planned, taken, footer: rest.length < mostKept ? footer : undefined })
      }
    })
  }
  return rest
}

/** How many of the file's rows were taken, from the first on: all but those from a row group on that is not as we write them. */
async function decodeFile(
  { file }: PlannedFile,
  groups: readonly RowGroup[],
  reader: RowGroups,
  { io, signal, take, onRows }: Decoding,
): Promise<number> {
  const bytes = await openGroups(io, canonicalLocation(file.filePath), (size) => new Uint8Array(size))
  let taken = 0
  try {
    let next: Promise<GroupBytes> | undefined = bytes.read(groups[0]!)
    for (let at = 0; next !== undefined; at++) {
      const one = await next
      const following = groups[at + 1]
      next = following && bytes.read(following)
      // Awaited above; until then a failure must not count as unhandled.
      next?.catch(() => undefined)
      signal.throwIfAborted()
      const rows = await reader.decode(one, take)
      if (rows === undefined) return taken
      taken += rows.rows
      onRows(rows.rows)
    }
  } catch (error) {
    if (!(error instanceof NotOurs)) throw error
  } finally {
    await bytes.close()
  }
  return taken
}
