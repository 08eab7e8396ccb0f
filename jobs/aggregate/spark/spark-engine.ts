import type { Logger } from 'pino'
import { JobError } from '../../errors.ts'
import type { Remote } from '../../spark/remote.ts'
import { openSession, type SparkSession } from '../../spark/session.ts'
import type { FileIO } from '../../storage/file-io.ts'
import type { EmailCounts } from '../counts.ts'
import type { DayCounter } from '../day/count-day.ts'
import { readCountsText } from '../engine/counts-text.ts'
import { createSparkDayCounter } from './count-day.ts'
import { observing } from './observing.ts'
import type { ToSparkPath } from './path-map.ts'
import { mergeDays } from './plans.ts'
import { temporaryFolder } from './temporary-folder.ts'

export interface SparkSettings {
  readonly remote: Remote
  readonly toSpark: ToSparkPath
  /** How long the server may be out of reach, milliseconds. */
  readonly patienceMs: number
}

export interface SparkRunSettings extends SparkSettings {
  readonly input: FileIO
  /** Where the cache is: Spark reads and writes there, too. */
  readonly cache: FileIO
  readonly cachePlace: string
  readonly scratch: string
  readonly runId: string
  readonly logger: Logger
  readonly signal: AbortSignal
  readonly onBytes: (count: number) => void
}

/** Counts days and merges windows by a Spark that is reached when it is first needed: cached results need none. */
export interface SparkEngine {
  /** A counter that asks Spark first, and `scan` for what is not of plain rows alone. */
  readonly dayCounter: (scan: DayCounter) => DayCounter
  /** Sums counts files of the cache (locations) per email, sorted, in batches. */
  readonly merge: (files: readonly string[]) => AsyncIterable<EmailCounts>
  /** Removes what Spark wrote for this run, releases the session. */
  close(): Promise<void>
}

/** What the plans rely on, whatever the server's defaults are: a file that cannot be read is an error. */
const sessionSettings = {
  'spark.sql.files.ignoreCorruptFiles': 'false',
  'spark.sql.files.ignoreMissingFiles': 'false',
  'spark.sql.session.timeZone': 'UTC',
}

export function createSparkEngine(settings: SparkRunSettings): SparkEngine {
  const { remote, toSpark, patienceMs, cache, cachePlace, runId, logger, signal } = settings
  const temporary = temporaryFolder(cache, cachePlace, runId, logger)
  let opened: Promise<SparkSession> | undefined
  const session = (): Promise<SparkSession> =>
    (opened ??= openSession({ remote, signal, patienceMs, settings: sessionSettings }))
  let merges = 0
  return {
    dayCounter: (scan) =>
      createSparkDayCounter({ ...settings, io: settings.input, session, temporary, scan }),
    merge: async function* (files) {
      const name = `merged-${merges++}`
      const target = temporary.place(name)
      const plan = mergeDays(files.map(toSpark), toSpark(target))
      const observed = await observing(await session(), plan, ['merged'])
      let rows = 0
      for (const file of await temporary.filesOf(name)) {
        for await (const batch of readCountsText(await cache.stream(file))) {
          signal.throwIfAborted()
          rows += batch.rows
          yield batch
        }
      }
      if (rows !== observed.get('merged')?.['rows'])
        throw new JobError(
          'failed',
          `Spark merged ${observed.get('merged')?.['rows']} rows, of which ${rows} are at ${target}`,
          {
            field: 'SPARK_PATH_MAP',
            fix: 'let this job and all of Spark see the same folder of the cache: --cache s3://…, or a shared one',
          },
        )
    },
    async close() {
      if (opened === undefined) return
      await temporary.remove()
      await opened.then((it) => it.close()).catch(() => undefined)
    },
  }
}
