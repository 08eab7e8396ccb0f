import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { mapConcurrently } from '../../concurrency.ts'
import { dataError } from '../../errors.ts'
import type { DataFile } from '../../iceberg/manifest/data-file.ts'
import type { FileIO } from '../../storage/file-io.ts'
import { canonicalLocation } from '../../storage/place.ts'
import { quote } from '../engine-names.ts'

export interface Bringing {
  /** A local folder of this run alone. */
  readonly scratch: string
  /** Bytes that all the files of an object store may have. */
  readonly maxDownload: number
  /** Whether the engine reads `s3://` itself. */
  readonly readsStore: boolean
  readonly signal: AbortSignal
}

/** Files under names that DuckDB opens as they are. */
export interface Brought {
  /** By the file's path: its name as SQL. */
  readonly sources: ReadonlyMap<string, string>
  /** The names themselves, for the engine's list of what may be read. */
  readonly paths: readonly string[]
}

/** Whatever DuckDB is told to read is a pattern to it, or an address with a query: these have nothing of either. */
const plainPath = /^\/[\w./=:@+, -]*$/
const plainKey = /^s3:\/\/[\w.-]+\/[\w./=:@, -]*$/
const downloadsAtOnce = 4

/**
 * Local files stay where they are, under a link if their names are patterns; those of an object store are read there if the
 * engine can, else they are copied into the scratch folder. Errors: `JobError` data, before the first byte is copied, if
 * they have more than `maxDownload`.
 */
export async function bringFiles(
  io: FileIO,
  files: readonly DataFile[],
  { scratch, maxDownload, readsStore, signal }: Bringing,
): Promise<Brought> {
  const found = files.map((file) => {
    const location = canonicalLocation(file.filePath)
    return { file, location, path: io.localPath(location) }
  })
  const isRead = (location: string): boolean => readsStore && plainKey.test(location)
  const copied = found.filter(({ path, location }) => path === undefined && !isRead(location))
  assertSize(
    copied.map(({ file }) => file),
    maxDownload,
  )
  const names = new Map<string, string>()
  await mapConcurrently(found, downloadsAtOnce, async ({ file, location, path }) => {
    if (path !== undefined && plainPath.test(path)) names.set(file.filePath, path)
    else if (path === undefined && isRead(location)) names.set(file.filePath, location)
    else {
      const name = join(scratch, `source-${randomBytes(8).toString('hex')}`)
      if (path !== undefined) await symlink(path, name)
      else await pipeline(await io.stream(location), createWriteStream(name), { signal })
      names.set(file.filePath, name)
    }
  })
  const sources = [...names].map(([path, name]) => [path, quote(patternOf(name, scratch))] as const)
  return { sources: new Map(sources), paths: [...names.values()] }
}

/** A file of ours below the scratch folder as the pattern that it alone matches; other names are none. */
export const patternOf = (path: string, scratch: string): string =>
  path.startsWith(`${scratch}/`) ? `${scratch.replace(/[*?[]/g, '[$&]')}${path.slice(scratch.length)}` : path

function assertSize(files: readonly DataFile[], maxDownload: number): void {
  const bytes = files.reduce((total, { fileSizeInBytes }) => total + fileSizeInBytes, 0)
  if (bytes <= maxDownload) return
  const largest = [...files].sort((a, b) => b.fileSizeInBytes - a.fileSizeInBytes).slice(0, 3)
  const sizes = largest.map(({ filePath, fileSizeInBytes }) => `${filePath} ${fileSizeInBytes}`).join(', ')
  throw dataError(
    `${files.length} file${files.length === 1 ? '' : 's'} of ${bytes} bytes must be brought here, --max-download allows ${maxDownload} (largest: ${sizes})`,
    {
      field: '--max-download',
      fix: `read less of them with a condition on the partition's column, or allow it with --max-download ${Math.ceil(bytes / 1e6)}MB`,
    },
  )
}
