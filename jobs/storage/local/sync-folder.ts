import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemCode } from '../../errors.ts'

/** Makes the names in `folder` durable. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } catch (error) {
    // Some network file systems know no fsync of a folder: there, a rename is as durable as it gets.
    if (systemCode(error) !== 'EINVAL') throw error
  } finally {
    await handle.close()
  }
}

/**
 * `work`, one at a time for a name. Whoever asks while it is under way waits for the next one, together: the one under way
 * may have begun before what they want to be part of it.
 */
function sharedByName(work: (name: string) => Promise<void>): (name: string) => Promise<void> {
  const underWay = new Map<string, Promise<void>>()
  const next = new Map<string, Promise<void>>()
  const begin = (name: string): Promise<void> => {
    const begun = work(name).finally(() => underWay.delete(name))
    underWay.set(name, begun)
    return begun
  }
  const follow = async (name: string, before: Promise<void>): Promise<void> => {
    await before.catch(() => undefined)
    next.delete(name)
    return begin(name)
  }
  return (name) => {
    const before = underWay.get(name)
    if (before === undefined) return next.get(name) ?? begin(name)
    const following = next.get(name) ?? follow(name, before)
    next.set(name, following)
    return following
  }
}

/** What is to be made durable before a file appears in a folder, and after. */
export interface FolderSyncs {
  /** These folders were made: `last`, a path, and those above it down from `first`. */
  readonly made: (first: string, last: string) => void
  /** Makes the names of those made durable that `folder` lies in, and its own. Errors: the file system's. */
  readonly parents: (folder: string) => Promise<void>
  /** Makes the names in `folder` durable. Errors: the file system's. */
  readonly names: (folder: string) => Promise<void>
}

/** Many files that appear at a time share the syncs of the folders that they have in common. */
export function folderSyncs(sync: (folder: string) => Promise<void> = syncFolder): FolderSyncs {
  const names = sharedByName(sync)
  /** Made here, their names not durable yet. */
  const fresh = new Set<string>()
  return {
    made(first, last) {
      for (let folder = last; folder.length >= first.length; folder = dirname(folder)) fresh.add(folder)
    },
    async parents(folder) {
      const waiting: Promise<void>[] = []
      for (let at = folder; fresh.size > 0 && at !== dirname(at); at = dirname(at)) {
        if (fresh.has(at)) waiting.push(names(dirname(at)).then(() => void fresh.delete(at)))
      }
      await Promise.all(waiting)
    },
    names,
  }
}
