import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Logger } from 'pino'
import type { Day } from '../../calendar.ts'
import type { SparkSession } from '../../spark/session.ts'
import type { FileIO, FileStat } from '../../storage/file-io.ts'
import { localError } from '../../storage/local/errors.ts'
import { basename } from '../../storage/place.ts'
import type { DayCounter, ReadCounts } from '../day/count-day.ts'
import { isGzip } from '../log/source.ts'
import type { LocalFile } from '../../storage/scratch.ts'
import { firstLook, type FirstLook, type Suspicion } from './first-look.ts'
import type { ToSparkPath } from './path-map.ts'
import { observing } from './observing.ts'
import { countDay, observedOfDay } from './plans.ts'
import { provenCounts } from './proven-counts.ts'
import type { TemporaryFolder } from './temporary-folder.ts'

export interface SparkDaySettings {
  readonly io: FileIO
  readonly session: () => Promise<SparkSession>
  readonly toSpark: ToSparkPath
  readonly temporary: TemporaryFolder
  /** A local folder of this run alone. */
  readonly scratch: string
  readonly logger: Logger
  readonly signal: AbortSignal
  readonly onBytes: (count: number) => void
  /** Counts by our scanner, which owns rejects, reasons and line numbers. */
  readonly scan: DayCounter
}

/**
 * Counts a day's log by Spark while this process hashes it. What is compressed, or not proven to be of plain rows alone, is
 * counted by `scan` instead.
 */
export function createSparkDayCounter(settings: SparkDaySettings): DayCounter {
  const { io, session, toSpark, temporary, scratch, logger, signal, onBytes, scan } = settings

  const bySpark = async (day: Day, { location }: FileStat): Promise<ReadCounts | string> => {
    const folder = temporary.place(day)
    const stop = new AbortController()
    const either = AbortSignal.any([signal, stop.signal])
    const opened = await session()
    const plan = countDay(day, toSpark(location), toSpark(folder))
    const counting = observing(opened, plan, Object.values(observedOfDay(day)), either)
    // Awaited below; until then a failure must not count as unhandled.
    counting.catch(() => undefined)
    const looked: FirstLook | Suspicion = await firstLook(io, location, signal).catch((error: unknown) => {
      stop.abort(error)
      throw error
    })
    if (typeof looked === 'string') {
      stop.abort(new Error(looked))
      // It has ended on the server, too: nothing writes below the folder any more.
      await counting.catch(() => undefined)
      signal.throwIfAborted()
      return looked
    }
    const proven = provenCounts(day, await counting, looked)
    if (typeof proven === 'string') return proven
    const files = await temporary.filesOf(day)
    const [only, another] = files
    if (only === undefined || another !== undefined) return `Spark wrote ${files.length} files instead of one`
    const parquet = await bring(temporary.io, only, join(scratch, `${day}.parquet`), signal)
    const read = {
      ...looked,
      totals: proven.totals,
      files: undefined,
      counts: undefined,
      rejects: undefined,
      likelyCause: undefined,
    }
    return { read, emails: proven.emails, parquet, list: undefined }
  }

  return async (day, input) => {
    const isPlain = !isGzip(input.location) && input.size > 0
    const counted = isPlain ? await bySpark(day, input) : 'it is compressed or empty'
    if (typeof counted !== 'string') {
      onBytes(input.size)
      return counted
    }
    logger.info(
      { file: input.location },
      `${basename(input.location)} is read here, not by Spark: ${counted}`,
    )
    return scan(day, input)
  }
}

async function bring(io: FileIO, location: string, path: string, signal: AbortSignal): Promise<LocalFile> {
  const hash = createHash('sha256')
  let size = 0
  const hashed = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      hash.update(chunk)
      size += chunk.length
      yield chunk
    }
  }
  await pipeline(await io.stream(location), hashed, createWriteStream(path), { signal }).catch(
    (error: unknown) => {
      signal.throwIfAborted()
      throw localError(error, 'write', path)
    },
  )
  return { path, size, sha256: hash.digest('hex') }
}
