import { asError } from '../errors.ts'
import { createLocationSet } from '../lake/location-set.ts'
import { anyInside, entryText, isInsideAny, wayOut, type Neighbour } from './ownership.ts'

/** What other entries need of what lies in some folders. */
export interface FilesOfOthers {
  readonly needs: (location: string) => boolean
  /** The entries that need any. */
  readonly names: readonly string[]
  /** Why it cannot be told. */
  readonly unknown: { readonly why: string; readonly fix: string } | undefined
}

/**
 * Files in a table's folders that other tables need, wherever these lie: no path tells it, so all of their
 * manifests are read. What cannot be read leaves everything unknown; nothing is thrown.
 */
export async function filesOfOthers(
  others: readonly Neighbour[],
  folders: readonly string[],
): Promise<FilesOfOthers> {
  const needed = createLocationSet()
  const names: string[] = []
  for (const other of others) {
    const { entry, folders: theirs, files: all, strays } = other
    if (entry.isView) continue
    const isAround = anyInside(folders, theirs)
    try {
      const files = await (isAround ? all() : strays())
      const inside = files.filter((location) => isInsideAny(location, folders))
      for (const location of inside) needed.add(location)
      if (inside.length > 0) names.push(entryText(entry))
    } catch (error) {
      const unknown = {
        why: `${entryText(entry)} may need some of the files, and what it needs cannot be read: ${asError(error).message}`,
        fix: `let this run read it; if it is lost, ${wayOut(other)}`,
      }
      return { needs: () => true, names, unknown }
    }
  }
  return { needs: (location) => needed.has(location), names, unknown: undefined }
}
