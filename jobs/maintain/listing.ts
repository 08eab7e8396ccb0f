import type { FileKind } from '../lake/reachable.ts'
import { createLocationSet, isFolderInside, type LocationSet } from '../lake/location-set.ts'
import type { FileIO, FileStat } from '../storage/file-io.ts'
import { writtenAs } from '../lake/upkeep/writer-names.ts'

/** A folder of a table, canonical. */
export interface ListedFolder {
  readonly location: string
  readonly isMetadata: boolean
}

export type ListedFile = Pick<FileStat, 'location' | 'size'> & {
  /** Undefined: no writer of Iceberg gives such names. */
  readonly kind: FileKind | undefined
  readonly isYoung: boolean
}

export interface Listing {
  readonly files: readonly ListedFile[]
  /** The same by their locations. */
  readonly listed: LocationSet
  readonly bytes: number
}

/** Folders that are in no other one. */
export const outermost = (folders: readonly ListedFolder[]): ListedFolder[] =>
  folders.filter(
    (folder, index) =>
      !folders.some(
        (other, at) =>
          at !== index &&
          isFolderInside(folder.location, other.location) &&
          // Of two spellings of one folder the first.
          (at < index || !isFolderInside(other.location, folder.location)),
      ),
  )

/**
 * Lists folders; files from `cutoffMs` on are young. A file that is listed twice, as of stores whose pages move, counts once.
 * Errors: the store's.
 */
export async function listFolders(
  io: FileIO,
  folders: readonly ListedFolder[],
  cutoffMs: number,
  signal: AbortSignal,
): Promise<Listing> {
  const listed = createLocationSet()
  const files: ListedFile[] = []
  let bytes = 0
  for (const { location: folder, isMetadata } of folders) {
    for await (const { location, size, modifiedMs } of io.list(folder)) {
      signal.throwIfAborted()
      if (!listed.add(location)) continue
      bytes += size
      const path = location.slice(folder.length).replace(/^\/+/, '')
      const kind = writtenAs(path, isMetadata || /(^|\/)metadata\/[^/]+$/.test(path))
      files.push({ location, size, kind, isYoung: modifiedMs >= cutoffMs })
    }
  }
  return { files, listed, bytes }
}
