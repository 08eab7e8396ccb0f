import type { Stats } from 'node:fs'
import { access, chmod, chown, constants, readdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemCode } from '../errors.ts'
import { localError } from '../storage/local/errors.ts'
import { makeFolders } from '../storage/local/make-folders.ts'
import type { InitItem } from '../summary.ts'

/** Set group id, and all rights for owner and group: what is made in such a folder belongs to its group, too. */
const shared = 0o2770

/** The group that folders are to have; undefined: the one that they have. */
const groupOf = (isRoot: boolean): number | undefined => (isRoot ? process.getegid?.() : undefined)

/**
 * Makes a folder and its parents, and opens it and the folders below it to its group: jobs that run as different
 * users of one group, with umask 0002, then replace and remove each other's files (operations-spec §4.2). Root also
 * gives them its own group, in containers 0. Folders of other owners are left as they are.
 *
 * @param path of the folder, absolute
 * @param isWritten false: it may be one that this user only reads
 */
export async function makeFolder(path: string, isWritten: boolean): Promise<InitItem> {
  const item = `folder ${path}`
  try {
    const first = await makeFolders(path)
    if (first !== undefined) {
      for (let made = path; made.length >= first.length; made = dirname(made)) await share(made)
      return { item, state: 'made' }
    }
    const changed = await shareBelow(path).catch((error: unknown) => {
      if (isWritten) throw error
      return 0
    })
    if (isWritten) await access(path, constants.W_OK | constants.X_OK)
    return { item, state: 'was there', ...(changed > 0 && { note: `now open to its group` }) }
  } catch (error) {
    throw localError(error, 'write', path)
  }
}

/** Shares a folder and those below it; returns how many were changed. Symbolic links are not followed. */
async function shareBelow(folder: string): Promise<number> {
  let changed = (await share(folder)) ? 1 : 0
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isDirectory()) continue
    changed += await shareBelow(`${folder}/${entry.name}`).catch((error: unknown) => {
      // Removed by a job since it was listed.
      if (systemCode(error) === 'ENOENT') return 0
      throw error
    })
  }
  return changed
}

/** True when the folder's group or rights were changed. */
async function share(folder: string): Promise<boolean> {
  const found: Stats = await stat(folder)
  const user = process.geteuid?.()
  if (user !== 0 && user !== found.uid) return false
  const group = groupOf(user === 0)
  const isShared = (found.mode & shared) === shared
  if (isShared && (group === undefined || group === found.gid)) return false
  if (group !== undefined && group !== found.gid) await chown(folder, found.uid, group)
  await chmod(folder, (found.mode & 0o7777) | shared)
  return true
}
