import { realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** Each folder is asked for once: a table has few folders and many files. */
const known = new Map<string, string>()

/**
 * The path that an absolute one leads to, behind symbolic links, `.` and `..`; of what is not there, or may not be looked into, the
 * part above it. It is to compare with, not to open.
 */
export function realFolder(path: string): string {
  const before = known.get(path)
  if (before !== undefined) return before
  const real = realPath(path) ?? above(path)
  known.set(path, real)
  return real
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync.native(path)
  } catch {
    return undefined
  }
}

function above(path: string): string {
  const parent = dirname(path)
  return parent === path ? path : join(realFolder(parent), basename(path))
}
