import { randomBytes } from 'node:crypto'
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { usageError } from '../errors.ts'

/** What an engine is told of files, as SQL. */
export interface EngineNames {
  /** A list of files to be read. */
  sources(paths: readonly string[]): Promise<string>
  /** A file of this run to be written, below the scratch folder. */
  target(path: string): string
}

/**
 * Names for files that DuckDB reads as they are. Whatever it is told to read is a pattern to it, and where that finds
 * nothing a name: so it never sees a path of the user's, only links of our names in the folder `scratch` of this run.
 * Of that folder's own path each character that begins a pattern becomes a class of itself, `[` as `[[]`. Throws a
 * usage error for a path that has a backslash besides: a pattern takes it for a separator, whatever is done.
 */
export function createEngineNames(scratch: string): EngineNames {
  if (/[*?[]/.test(scratch) && scratch.includes('\\')) {
    throw usageError(`${scratch} has a backslash and one of * ? [`, {
      field: '--scratch',
      fix: 'give a folder with a simpler name with --scratch',
    })
  }
  const literal = scratch.replace(/[*?[]/g, '[$&]')
  return {
    async sources(paths) {
      const names = await Promise.all(
        paths.map(async (path) => {
          const name = `source-${randomBytes(8).toString('hex')}`
          await symlink(path, join(scratch, name))
          return quote(`${literal}/${name}`)
        }),
      )
      return `[${names.join(', ')}]`
    },
    target: quote,
  }
}

/** A text as SQL. */
export const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`
