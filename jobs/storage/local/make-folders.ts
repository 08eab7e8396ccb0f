import { mkdir, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemCode } from '../../errors.ts'

/**
 * Makes the folder at `path` and what is missing above it; the first that was made, undefined where all are there. Part by part:
 * mkdir's own `recursive` hides behind ENOENT that the file system is read-only or full, and never ends where a folder that is
 * there takes no other, as /proc. Errors: the file system's.
 */
export async function makeFolders(path: string): Promise<string | undefined> {
  const above = dirname(path)
  try {
    return await makeOne(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || above === path) throw error
  }
  const first = await makeFolders(above)
  const made = await makeOne(path)
  return first ?? made
}

/** The folder, if it was made and not there before, whoever made it. */
async function makeOne(path: string): Promise<string | undefined> {
  try {
    await mkdir(path)
    return path
  } catch (error) {
    const found = await stat(path).catch((thrown: unknown) => {
      // A link that leads nowhere.
      throw systemCode(error) === 'EEXIST' ? thrown : error
    })
    if (!found.isDirectory()) throw error
    return undefined
  }
}
