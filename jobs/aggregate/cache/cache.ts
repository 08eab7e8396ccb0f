import type { Logger } from 'pino'
import type { Day } from '../../calendar.ts'
import type { FileIO, FileStat } from '../../storage/file-io.ts'
import { FileNotFound } from '../../storage/errors.ts'
import { basename, join } from '../../storage/place.ts'
import { isGzip } from '../log/source.ts'
import {
  dayEntryName,
  entryText,
  parseDayEntry,
  parseWindowEntry,
  windowEntryName,
  type CachedFile,
  type DayEntry,
  type WindowEntry,
} from './entry.ts'
import type { LocalFile } from '../../storage/scratch.ts'
import {
  copyToCache,
  createCachedFile,
  keepFile,
  keepList,
  readCachedFile,
  type CachedFileWriter,
} from './files.ts'

/** What earlier runs found out, in the folder `place`: per day under its content's key, per window under its days'. */
export interface AggregateCache {
  /** The day's entries, newest first; those that cannot be read count as absent. */
  entriesOf(day: Day): Promise<DayEntry[]>
  windowOf(last: Day, length: number, key: string): Promise<WindowEntry | undefined>
  /** Opens a file that an entry-to-be will name. */
  createFile(entryName: string, extension: string): Promise<CachedFileWriter>
  /** Stores a file that an entry-to-be will name; from its path it may be gone then. */
  keepFile(entryName: string, extension: string, file: LocalFile): Promise<CachedFile>
  /** Stores a copy of the local file `path`, which an entry-to-be will name. */
  copyFile(entryName: string, extension: string, path: string): Promise<CachedFile>
  /** Takes a list that an entry-to-be will name, and its file, which is gone then; undefined where the cache is no local one. */
  keepList(entryName: string, list: LocalFile): Promise<CachedFile | undefined>
  /** Removes files that no entry names, as far as that is possible. */
  discard(files: readonly CachedFile[]): Promise<void>
  /** Stores an entry, after its files: it makes them count. */
  putDay(entry: DayEntry): Promise<void>
  putWindow(entry: WindowEntry, length: number): Promise<void>
  /** Hands a file's bytes to `take`; false, with a warning, when they are not those that were stored. */
  read(file: CachedFile, take: (chunk: Uint8Array) => Promise<void> | void): Promise<boolean>
  /** Where a file is. */
  location(file: CachedFile): string
  /** The path of a local cache's file, for engines. */
  localPath(file: CachedFile): string | undefined
}

export function openCache(
  io: FileIO,
  place: string,
  { logger, signal }: { readonly logger: Logger; readonly signal: AbortSignal },
): AggregateCache {
  const readEntry = async <Entry>(
    location: string,
    parse: (json: string) => Entry | undefined,
  ): Promise<Entry | undefined> => {
    // Another run may prune it at any time, so it is not looked for first.
    const json = await io.read(location).catch((error: unknown) => {
      if (error instanceof FileNotFound) return undefined
      throw error
    })
    const entry = json === undefined ? undefined : parse(json.toString())
    if (json !== undefined && entry === undefined)
      logger.warn({ file: location }, 'cache entry is damaged or foreign: it is rebuilt')
    return entry
  }
  const write = async (name: string, entry: DayEntry | WindowEntry): Promise<void> => {
    await io.write(join(place, name), Buffer.from(entryText(entry)))
  }

  return {
    async entriesOf(day) {
      const files: FileStat[] = []
      for await (const file of io.list(join(place, day))) {
        if (basename(file.location).endsWith('.json')) files.push(file)
      }
      files.sort((a, b) => b.modifiedMs - a.modifiedMs)
      const entries = await Promise.all(files.map(({ location }) => readEntry(location, parseDayEntry)))
      return entries.filter((entry): entry is DayEntry => entry?.day === day)
    },
    async windowOf(last, length, key) {
      const entry = await readEntry(join(place, windowEntryName(last, length, key)), parseWindowEntry)
      return entry?.key === key && entry.last === last ? entry : undefined
    },
    createFile: (entryName, extension) => createCachedFile(io, place, { entryName, extension, signal }),
    keepFile: (entryName, extension, file) => keepFile(io, place, { entryName, extension, signal }, file),
    copyFile: (entryName, extension, path) => copyToCache(io, place, { entryName, extension, signal }, path),
    keepList: (entryName, list) => keepList(io, place, entryName, list),
    async discard(files) {
      await Promise.all(files.map(({ name }) => io.delete(join(place, name)).catch(() => undefined)))
    },
    putDay: (entry) => write(dayEntryName(entry.day, entry.key), entry),
    putWindow: (entry, length) => write(windowEntryName(entry.last, length, entry.key), entry),
    async read(file, take) {
      const intact = await readCachedFile(io, place, file, take)
      if (!intact) logger.warn({ file: file.name }, 'cached file is missing or damaged: it is rebuilt')
      return intact
    },
    location: (file) => join(place, file.name),
    localPath: (file) => io.localPath(join(place, file.name)),
  }
}

/**
 * A local file is known without reading it when nothing about its inode changed and its change time, which no
 * program can set, is this much older than the reading that made the entry: within the same tick of the file
 * system's clock a change would not show (aggregate-spec §2.1).
 */
const settledMs = 2_000

/** Whether the entry was made from exactly this file. */
export function isSameFile({ key, source }: DayEntry, input: FileStat): boolean {
  // Earlier versions did not keep how the bytes had been read, which another name may have decided.
  if (isGzip(key) !== isGzip(input.location)) return false
  if (source.location !== input.location || source.identity !== input.identity) return false
  return input.changedMs === undefined || input.changedMs + settledMs < source.readMs
}
