import { createHash, randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { copyFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { systemCode } from '../../errors.ts'
import type { FileIO } from '../../storage/file-io.ts'
import { localError } from '../../storage/local/errors.ts'
import { makeFolders } from '../../storage/local/make-folders.ts'
import { join } from '../../storage/place.ts'
import type { LocalFile } from '../../storage/scratch.ts'
import type { CachedFile } from './entry.ts'

export interface CachedFileWriter {
  write(chunk: Uint8Array): Promise<void>
  close(): Promise<CachedFile>
  abort(): Promise<void>
}

/** A file beside an entry. */
interface NewFile {
  readonly entryName: string
  readonly extension: string
  readonly signal: AbortSignal
}

/**
 * Opens a file beside the entry `entryName` of the cache at `place`. Its name is its own: runs that race write
 * different files, so that an entry never describes another run's bytes.
 */
export async function createCachedFile(
  io: FileIO,
  place: string,
  { entryName, extension, signal }: NewFile,
): Promise<CachedFileWriter> {
  const name = fileName(entryName, extension)
  const output = await io.create(join(place, name), { signal })
  const hash = createHash('sha256')
  return {
    async write(chunk) {
      hash.update(chunk)
      await output.write(chunk)
    },
    async close() {
      const { size } = await output.close()
      return { name, size, sha256: hash.digest('hex') }
    },
    abort: () => output.abort(),
  }
}

const fileName = (entryName: string, extension: string): string =>
  entryName.replace(/json$/, `${randomBytes(8).toString('hex')}.${extension}`)

/** Stores a local file beside its entry: moves it where the cache is on the same disk. */
export async function keepFile(
  io: FileIO,
  place: string,
  file: NewFile,
  { path, size, sha256 }: LocalFile,
): Promise<CachedFile> {
  const name = fileName(file.entryName, file.extension)
  if (await io.adopt?.(path, join(place, name))) return { name, size, sha256 }
  return copyToCache(io, place, file, path)
}

/** Copies the local file `path` beside its entry. */
export async function copyToCache(
  io: FileIO,
  place: string,
  file: NewFile,
  path: string,
): Promise<CachedFile> {
  const copy = await createCachedFile(io, place, file)
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }))
      await copy.write(chunk as Buffer)
    return await copy.close()
  } catch (error) {
    await copy.abort()
    throw error
  }
}

/**
 * Moves a list beside the entry `entryName` of a local cache at `place`; undefined where the cache is no local one: from an object
 * store less of Parquet is quicker. A list is not synced: one that a crash damages is not what its entry says, and Parquet has
 * the same counts.
 */
export async function keepList(
  io: FileIO,
  place: string,
  entryName: string,
  { path, size, sha256 }: LocalFile,
): Promise<CachedFile | undefined> {
  const name = fileName(entryName, 'list')
  const target = io.localPath(join(place, name))
  if (target === undefined) return undefined
  try {
    await makeFolders(dirname(target))
    await rename(path, target).catch(async (error: unknown) => {
      // Another file system: what an end in between leaves there has no entry, and is pruned.
      if (systemCode(error) !== 'EXDEV') throw error
      await copyFile(path, target)
      await rm(path)
    })
  } catch (error) {
    throw localError(error, 'write', target)
  }
  return { name, size, sha256 }
}

/**
 * Hands a cached file's bytes to `take`, chunk by chunk, and tells whether they are what the entry says: only then
 * may be kept what was made of them.
 */
export async function readCachedFile(
  io: FileIO,
  place: string,
  file: CachedFile,
  take: (chunk: Uint8Array) => Promise<void> | void,
): Promise<boolean> {
  const location = join(place, file.name)
  if ((await io.stat(location))?.size !== file.size) return false
  const hash = createHash('sha256')
  for await (const chunk of (await io.stream(location)) as AsyncIterable<Uint8Array>) {
    hash.update(chunk)
    await take(chunk)
  }
  return hash.digest('hex') === file.sha256
}
