import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Logger } from 'pino'
import type { Day } from '../../calendar.ts'
import { JobError } from '../../errors.ts'
import type { FileIO, FileStat } from '../../storage/file-io.ts'
import { localError } from '../../storage/local-errors.ts'
import { isSameFile, type AggregateCache } from '../cache/cache.ts'
import { cacheVersion, dayEntryName, type CachedFile, type DayEntry } from '../cache/entry.ts'
import { decodeCountsFile, writeCountsFile } from '../counts-file.ts'
import type { EmailCounts } from '../counts.ts'
import type { Engine } from '../engine/engine.ts'
import type { DayRead, DayRequest } from './read-day.ts'
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
}

export interface DayStoreSettings {
  readonly io: FileIO
  readonly cache: AggregateCache
  readonly reader: DayReader
  /** Opens the engine with the first call. */
  readonly engine: () => Promise<Engine>
  readonly scratch: string
  /** Hash every file, whatever its inode says. */
  readonly verifyCache: boolean
  readonly logger: Logger
  readonly now: () => Date
  readonly signal: AbortSignal
  readonly onBytes: (count: number) => void
}

export interface DayStore {
  /** The day's counts, from the cache or from its log, which is read again while it changes. */
  count(day: Day, input: FileStat): Promise<CountedDay>
  /** Reads the day's log whatever the cache says. */
  recount(day: Day, input: FileStat): Promise<CountedDay>
  /** The counts in memory; undefined when the cached file is damaged. */
  inMemory(counted: CountedDay): Promise<EmailCounts | undefined>
  /** A local counts file for the engine; undefined when the cached file is damaged. */
  asFile(counted: CountedDay): Promise<string | undefined>
}

/** How often a log that changes while it is read is read again. */
const attempts = 3

export function createDayStore(settings: DayStoreSettings): DayStore {
  const { io, cache, scratch, now } = settings
  const countRead = createDayCounter(settings)

  const count = async (day: Day, input: FileStat, useCache: boolean): Promise<CountedDay> => {
    let file = input
    for (let attempt = 0; attempt < attempts; attempt++) {
      const readMs = now().getTime()
      const entries = useCache ? await cache.entriesOf(day) : []
      const same = settings.verifyCache ? undefined : entries.find((entry) => isSameFile(entry, file))
      if (same !== undefined) return { entry: same, cached: true, counts: undefined, path: undefined }

      const key = entries.length === 0 ? undefined : await hashOf(io, file.location, settings.signal)
      const known = entries.find((entry) => entry.key === key)
      const read = known === undefined ? await countRead(day, file) : undefined

      const after = await io.stat(file.location)
      if (after?.identity === file.identity) {
        const { location, identity, size } = file
        const source = { location, identity, size, readMs }
        if (read === undefined && known !== undefined) {
          const entry = { ...known, source }
          await cache.putDay(entry)
          return { entry, cached: true, counts: undefined, path: undefined }
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
    { read, emails, path }: ReadCounts,
  ): Promise<Pick<CountedDay, 'entry' | 'counts' | 'path'>> => {
    const name = dayEntryName(day, read.key)
    const counts = await copyToCache(cache, name, 'parquet', path)
    const rejectsFile =
      read.rejects === undefined ? undefined : await copyToCache(cache, name, 'rejects', read.rejects)
    const entry: DayEntry = {
      version: cacheVersion,
      day,
      key: read.key,
      source,
      counts,
      emails,
      totals: read.totals,
      ...(rejectsFile === undefined ? {} : { rejectsFile }),
    }
    await cache.putDay(entry)
    return { entry, counts: read.counts, path }
  }

  return {
    count: (day, input) => count(day, input, true),
    recount: (day, input) => count(day, input, false),
    async inMemory({ entry, counts }) {
      if (counts !== undefined) return counts
      const chunks: Uint8Array[] = []
      const intact = await cache.read(entry.counts, (chunk) => {
        chunks.push(chunk)
      })
      return intact ? decodeCountsFile(Buffer.concat(chunks)) : undefined
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

interface ReadCounts {
  readonly read: DayRead
  readonly emails: number
  /** The local counts file. */
  readonly path: string
}

/** Reads a day's log and makes its counts file: in the scanner, in the engine, or in parts that the engine merges. */
function createDayCounter({ io, reader, engine, scratch, onBytes }: DayStoreSettings) {
  let engineIsFree: Promise<unknown> = Promise.resolve()
  /** The engine uses every core for one day, so days take turns. */
  const inTurn = <T>(work: (engine: Engine) => Promise<T>): Promise<T> => {
    const turn = engineIsFree.then(async () => work(await engine()))
    engineIsFree = turn.catch(() => undefined)
    return turn
  }

  return async (day: Day, { location, size }: FileStat): Promise<ReadCounts> => {
    const path = join(scratch, `${day}.parquet`)
    const log = location.endsWith('.gz') ? undefined : io.localPath(location)
    const request: DayRequest = { day, location, size, scratch, engineMayCount: log !== undefined }
    let inEngine: ReturnType<Engine['countLog']> | undefined
    const onOutgrown = (): void => {
      if (log === undefined) return
      inEngine = inTurn((opened) => opened.countLog(log, path))
      // Awaited below; until then a failure must not count as unhandled.
      inEngine.catch(() => undefined)
    }
    let read = await reader.read(request, { onOutgrown, onBytes }).catch(async (error: unknown) => {
      // The engine is not closed while it counts.
      await inEngine?.catch(() => undefined)
      throw error
    })
    const counted = await inEngine
    if (read.countedBy === 'engine' && counted?.rows === read.totals.rows) {
      return { read, emails: counted.emails, path }
    }
    if (read.countedBy !== 'scanner') {
      read = await reader.read(
        { ...request, engineMayCount: false },
        { onOutgrown, onBytes: () => undefined },
      )
    }
    const { counts, parts } = read
    if (counts === undefined)
      return { read, emails: await inTurn((opened) => opened.mergeToFile(parts, path)), path }
    await writeCountsFile(path, counts)
    return { read, emails: counts.rows, path }
  }
}

async function hashOf(io: FileIO, location: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(await io.stream(location), hash, { signal })
  return hash.digest('hex')
}

async function copyToCache(
  cache: AggregateCache,
  entryName: string,
  extension: string,
  path: string,
): Promise<CachedFile> {
  const file = await cache.createFile(entryName, extension)
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }))
      await file.write(chunk as Buffer)
    return await file.close()
  } catch (error) {
    await file.abort()
    throw error
  }
}

/** Exit 1, so that a scheduler tries again. */
export const changing = (location: string): JobError =>
  new JobError('failed', `${location} changes while it is read`, {
    field: location,
    fix: 'let its writer finish (write aside, then rename), then run again',
  })
