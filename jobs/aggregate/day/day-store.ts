import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Logger } from 'pino'
import type { Day } from '../../calendar.ts'
import { JobError } from '../../errors.ts'
import type { FileIO, FileStat } from '../../storage/file-io.ts'
import { localError } from '../../storage/local/errors.ts'
import { isSameFile, type AggregateCache } from '../cache/cache.ts'
import { cacheVersion, dayEntryName, type CachedFile, type DayEntry } from '../cache/entry.ts'
import { decodeCountsFile } from '../counts-file.ts'
import type { EmailCounts } from '../counts.ts'
import type { CountsList } from '../lists/merge-lists.ts'
import { listOf } from '../lists/write-list.ts'
import { logKey } from '../log/source.ts'
import { createDayCounter, listEmails, type DayCounter, type ReadCounts } from './count-day.ts'
import type { DayReader } from './reader.ts'

/** What is known of a day, and where its counts are. */
export interface CountedDay {
  readonly entry: DayEntry
  /** Whether the counts came from the cache. */
  readonly cached: boolean
  /** Counts of this run, small enough to be kept. */
  readonly counts: EmailCounts | undefined
  /** This run's local counts file. */
  readonly path: string | undefined
  /** This run's local list of counts. */
  readonly list: string | undefined
}

export interface DayStoreSettings {
  readonly io: FileIO
  readonly cache: AggregateCache
  readonly reader: DayReader
  /** Counts days instead of this process, and has `scan` for those that it does not. */
  readonly counterBeside?: ((scan: DayCounter) => DayCounter) | undefined
  readonly scratch: string
  /** Bytes of a day's counts in memory, and where no other day is read. */
  readonly partBytes: number
  readonly alonePartBytes: number
  /** Hash every file, whatever its inode says. */
  readonly verifyCache: boolean
  readonly logger: Logger
  readonly now: () => Date
  readonly signal: AbortSignal
  readonly onBytes: (count: number) => void
}

export interface DayStore {
  /**
   * The day's counts, from the cache or from its log, which is read again while it changes. `onRead` is called when no log is read
   * for it any more.
   */
  count(day: Day, input: FileStat, onRead: () => void): Promise<CountedDay>
  /** Reads the day's log whatever the cache says. */
  recount(day: Day, input: FileStat): Promise<CountedDay>
  /** The counts in memory; undefined when the cached file is damaged. */
  inMemory(counted: CountedDay): Promise<EmailCounts | undefined>
  /** Where the cache has the counts; undefined when the cached file is damaged. */
  readonly inCache: (counted: CountedDay) => Promise<string | undefined>
  /** The counts as a list; undefined where there is none, or not without decoding a large file. */
  asList(counted: CountedDay): Promise<CountsList | undefined>
  /** A local counts file for the engine; undefined when the cached file is damaged. */
  readonly asFile: (counted: CountedDay) => Promise<string | undefined>
}

/** Of a day whose counts are in the cache. */
export const notRead = { counts: undefined, path: undefined, list: undefined } as const

/** How often a log that changes while it is read is read again. */
const attempts = 3

export function createDayStore(settings: DayStoreSettings): DayStore {
  const { io, cache, scratch, now } = settings
  const scan = createDayCounter(settings)
  const countRead = settings.counterBeside?.(scan) ?? scan

  const count = async (
    day: Day,
    input: FileStat,
    useCache: boolean,
    onRead: () => void,
  ): Promise<CountedDay> => {
    let file = input
    for (let attempt = 0; attempt < attempts; attempt++) {
      const readMs = now().getTime()
      const entries = useCache ? await cache.entriesOf(day) : []
      const same = settings.verifyCache ? undefined : entries.find((entry) => isSameFile(entry, file))
      if (same !== undefined) {
        // The newest entry is what queries take for the day's, and what stays when the cache is pruned.
        if (same !== entries[0]) await cache.putDay(same)
        return { entry: same, cached: true, ...notRead }
      }

      const key = entries.length === 0 ? undefined : await keyOf(io, file.location, settings.signal)
      const known = entries.find((entry) => entry.key === key)
      const read = known === undefined ? await countRead(day, file) : undefined

      const after = await io.stat(file.location)
      if (after?.identity === file.identity) {
        onRead()
        const { location, identity, size } = file
        const source = { location, identity, size, readMs }
        if (read === undefined && known !== undefined) {
          const entry = { ...known, source }
          await cache.putDay(entry)
          return { entry, cached: true, ...notRead }
        }
        if (read !== undefined) return { ...(await store(day, source, read)), cached: false }
      }
      if (after === undefined) throw changing(file.location)
      settings.logger.warn({ file: file.location }, 'the log changed while it was read: reading it again')
      file = after
    }
    throw changing(file.location)
  }

  const store = async (
    day: Day,
    source: DayEntry['source'],
    { read, emails, parquet, list }: ReadCounts,
  ): Promise<Omit<CountedDay, 'cached'>> => {
    const name = dayEntryName(day, read.key)
    const stored: CachedFile[] = []
    try {
      const counts = await cache.keepFile(name, 'parquet', parquet)
      stored.push(counts)
      const listFile = list === undefined ? undefined : await cache.keepList(name, list)
      if (listFile !== undefined) stored.push(listFile)
      const rejectsFile =
        read.rejects === undefined ? undefined : await cache.copyFile(name, 'rejects', read.rejects)
      if (rejectsFile !== undefined) stored.push(rejectsFile)
      const entry: DayEntry = {
        version: cacheVersion,
        day,
        key: read.key,
        source,
        counts,
        emails,
        totals: read.totals,
        ...(listFile === undefined ? {} : { list: listFile }),
        ...(rejectsFile === undefined ? {} : { rejectsFile }),
        ...(read.likelyCause === undefined ? {} : { likelyCause: read.likelyCause }),
      }
      await cache.putDay(entry)
      const kept = listFile === undefined ? undefined : cache.localPath(listFile)
      const path = cache.localPath(counts) ?? parquet.path
      return { entry, counts: read.counts, path, list: kept ?? list?.path }
    } catch (error) {
      // On a disk that is nearly full each try would take more of it.
      await cache.discard(stored)
      throw error
    }
  }

  const inMemory = async ({ entry, counts }: CountedDay): Promise<EmailCounts | undefined> => {
    if (counts !== undefined) return counts
    const chunks: Uint8Array[] = []
    const intact = await cache.read(entry.counts, (chunk) => {
      chunks.push(chunk)
    })
    return intact ? decodeCountsFile(Buffer.concat(chunks)) : undefined
  }

  return {
    count: (day, input, onRead) => count(day, input, true, onRead),
    recount: (day, input) => count(day, input, false, () => undefined),
    inMemory,
    async asList(counted) {
      const { entry, list } = counted
      if (list !== undefined) return list
      const local = entry.list === undefined ? undefined : cache.localPath(entry.list)
      if (entry.list !== undefined && local !== undefined)
        return (await cache.read(entry.list, () => undefined)) ? local : undefined
      if (entry.emails > listEmails) return undefined
      const counts = await inMemory(counted)
      return counts === undefined ? undefined : listOf(counts)
    },
    async inCache({ entry, path }) {
      // What this run wrote is read back by nobody else.
      const intact = path !== undefined || (await cache.read(entry.counts, () => undefined))
      return intact ? cache.location(entry.counts) : undefined
    },
    async asFile({ entry, path }) {
      if (path !== undefined) return path
      const local = cache.localPath(entry.counts)
      if (local !== undefined) return (await cache.read(entry.counts, () => undefined)) ? local : undefined
      const copy = join(scratch, entry.counts.name.replaceAll('/', '_'))
      const output = await open(copy, 'w')
      try {
        const intact = await cache.read(entry.counts, (chunk) => output.writeFile(chunk))
        return intact ? copy : undefined
      } catch (error) {
        throw localError(error, 'write', copy)
      } finally {
        await output.close()
      }
    },
  }
}

async function keyOf(io: FileIO, location: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(await io.stream(location), hash, { signal })
  return logKey(location, hash.digest('hex'))
}

/** Exit 1, so that a scheduler tries again. */
export const changing = (location: string): JobError =>
  new JobError('failed', `${location} changes while it is read`, {
    field: location,
    fix: 'let its writer finish (write aside, then rename), then run again',
  })
