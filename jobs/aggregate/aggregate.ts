import type { Day } from '../calendar.ts'
import type { JobContext } from '../context.ts'
import { listed } from '../errors.ts'
import { join } from '../storage/place.ts'
import { openScratch } from '../storage/scratch.ts'
import type { Outcome } from '../summary.ts'
import { openCache } from './cache/cache.ts'
import { pruneCache } from './cache/prune.ts'
import { changing, createDayStore, type CountedDay } from './day/day-store.ts'
import { createMergeAhead } from './day/merge-ahead.ts'
import { createDayReader } from './day/reader.ts'
import { lazyEngine } from './engine/lazy.ts'
import { changedInputs, findInputs, nearMisses } from './inputs.ts'
import { checkPlaces, sweepPlaces } from './places.ts'
import { publish } from './publish.ts'
import { countDays, type AggregateOptions, type Run, type Stores } from './run.ts'
import type { SparkEngine } from './spark/spark-engine.ts'
import { checkMissing, daysOf } from './window.ts'

/** How often inputs that change while the job runs are looked at again. */
const attempts = 3

/**
 * Counts the CRUD actions per user of each window and publishes `<output>/D.csv` (design §3.4, §6): days from the
 * cache where their content is known, all others from their logs. Throws `dataError` (exit 3) without any input or
 * with too many rejects, `notYet` (exit 5) while the newest day is awaited; nothing is published then.
 */
export async function aggregate(
  options: AggregateOptions,
  stores: Stores,
  context: JobContext,
): Promise<Outcome> {
  const { logger, signal, now, progress } = context
  const startedAt = now()
  const table = await tableOf(options, stores)
  await checkPlaces(options, stores)
  const scratch = await openScratch(options.scratch)
  const engine = lazyEngine({
    threads: options.threads,
    memoryLimit: options.memoryLimit,
    scratch: scratch.folder,
    signal,
  })
  const reader = createDayReader(stores.input, {
    threads: options.threads,
    s3: stores.s3,
    logger,
    signal,
  })
  const cache = openCache(stores.cache, options.cache, { logger, signal })
  const bar = progress.start('aggregate', undefined, 'bytes')
  const onBytes = (count: number): void => {
    bar.add(count)
  }
  const spark = await sparkOf(options, stores, context, { scratch: scratch.folder, onBytes })
  try {
    const store = createDayStore({
      io: stores.input,
      cache,
      reader,
      scratch: scratch.folder,
      ...partBytesOf(options),
      verifyCache: options.verifyCache,
      logger,
      now,
      signal,
      onBytes,
      counterBeside: spark?.dayCounter,
    })
    const run: Run = {
      options,
      stores,
      context,
      startedAt,
      table,
      reader,
      results: {
        io: stores.output,
        cache,
        store,
        engine: engine.open,
        ahead:
          options.windows.length === 1 && spark === undefined
            ? createMergeAhead({ reader, cache, scratch: scratch.folder, logger })
            : undefined,
        mergeCached: spark?.merge,
        signal,
      },
    }
    const outcome = await countAndPublish(run).finally(() => {
      bar.done()
    })
    if (outcome.scannedDays !== 0) {
      await pruneCache(stores.cache, options.cache, options.cacheDays, now())
      await sweepPlaces(options, stores)
    }
    return outcome
  } finally {
    await Promise.all([reader.close(), engine.close().catch(() => undefined), spark?.close()])
    await scratch.remove()
  }
}

/** Loaded only where it is asked for. */
async function sparkOf(
  { spark, cache: cachePlace }: AggregateOptions,
  { input, cache }: Stores,
  { runId, logger, signal }: JobContext,
  own: { readonly scratch: string; readonly onBytes: (count: number) => void },
): Promise<SparkEngine | undefined> {
  if (spark === undefined) return undefined
  const { createSparkEngine } = await import('./spark/spark-engine.ts')
  return createSparkEngine({ ...spark, ...own, input, cache, cachePlace, runId, logger, signal })
}

/**
 * Each thread has a day's counts, and sorts them beside; the rest is for what is read, and for the engine. Where one day alone is read,
 * there is no large merge behind it.
 */
function partBytesOf({ memoryLimit, threads }: AggregateOptions): {
  readonly partBytes: number
  readonly alonePartBytes: number
} {
  const within = (bytes: number): number => Math.min(largestPart, Math.max(smallestPart, bytes))
  return {
    partBytes: within(memoryLimit / (4 * threads)),
    alonePartBytes: within(0.6 * memoryLimit),
  }
}
const smallestPart = 16 * 2 ** 20
const largestPart = 2 ** 30

async function countAndPublish(run: Run): Promise<Outcome> {
  const { options, stores, context } = run
  const days = daysOf(options.windows)
  let inputs = await findInputs(stores.input, options.input, days)
  let counted = new Map<Day, CountedDay>()
  for (let attempt = 0; ; attempt++) {
    const absent = days.filter((day) => !inputs.has(day))
    const hint = absent.length === 0 ? undefined : await nearMisses(stores.input, options.input, absent)
    const { publishable, missing } = checkMissing(
      options.windows,
      new Set(inputs.keys()),
      options.missingDays,
      options.input,
      hint,
    )
    counted = await context.during('count', () => countDays(run, inputs, counted))
    // A slow run must not replace the result of a newer one with that of files that are gone (operations-spec §1.7).
    const present = await findInputs(stores.input, options.input, days)
    const changed = changedInputs(inputs, present)
    const [first] = changed
    if (first !== undefined && attempt === attempts) throw changing(join(options.input, `${first}.csv`))
    if (first === undefined) {
      if (missing.length > 0 && options.missingDays !== 'ignore') {
        context.logger.warn(
          { missingDays: missing.slice(0, 20) },
          `no log of ${listed(missing)}: counted without${hint === undefined ? '' : `; ${hint}`}`,
        )
      }
      return context.during('publish', () => publish(run, publishable, missing, counted))
    }
    context.logger.warn({ days: changed.slice(0, 20) }, 'logs changed meanwhile: looking at them again')
    for (const day of changed) counted.delete(day)
    inputs = present
  }
}

/** The table that results go to as well, before anything is counted; its windows are as long as those that are asked for. */
async function tableOf({ table, windows }: AggregateOptions, { catalog }: Stores): Promise<Run['table']> {
  const [first] = windows
  if (table === undefined || catalog === undefined || first === undefined) return undefined
  const { openResultTable } = await import('./iceberg/result-table.ts')
  return openResultTable(catalog, table, first.length)
}
