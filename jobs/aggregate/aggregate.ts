import { windowOf, type Day } from '../calendar.ts'
import { mapConcurrently } from '../concurrency.ts'
import type { JobContext } from '../context.ts'
import { dataError } from '../errors.ts'
import type { Limit } from '../options.ts'
import type { FileIO, FileStat } from '../storage/file-io.ts'
import type { S3Settings } from '../storage/s3-client.ts'
import { join } from '../storage/place.ts'
import { openScratch } from '../storage/scratch.ts'
import type { Outcome } from '../summary.ts'
import { openCache } from './cache/cache.ts'
import { pruneCache } from './cache/prune.ts'
import { changing, createDayStore, type CountedDay } from './day/day-store.ts'
import { createDayReader } from './day/reader.ts'
import { lazyEngine } from './engine/lazy.ts'
import { changedInputs, findInputs } from './inputs.ts'
import { checkPlaces } from './places.ts'
import { outdatedResults, resultLocation, writePublished } from './published.ts'
import { excessOf, publishRejects } from './rejects.ts'
import { checkMissing, daysOf, type MissingPolicy, type Window } from './window.ts'
import { publishResult, type PublishedResult, type ResultContext } from './window-result.ts'

export interface AggregateOptions {
  /** Canonical locations (storage/place.ts). */
  readonly input: string
  readonly output: string
  readonly cache: string
  readonly rejects: string
  readonly windows: readonly Window[]
  /** Days in a window. */
  readonly length: number
  readonly missingDays: MissingPolicy
  readonly maxRejects: Limit | undefined
  readonly refresh: boolean
  readonly verifyCache: boolean
  readonly cacheDays: number
  readonly threads: number
  /** Bytes. */
  readonly memoryLimit: number
  /** A local folder for what does not fit into memory. */
  readonly scratch: string
}

export interface Stores {
  readonly input: FileIO
  readonly output: FileIO
  readonly cache: FileIO
  readonly s3: S3Settings
}

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
  await checkPlaces(options, stores)
  const scratch = await openScratch(options.scratch)
  const engine = lazyEngine({
    threads: options.threads,
    memoryLimit: options.memoryLimit,
    scratch: scratch.folder,
    signal,
  })
  const reader = createDayReader(stores.input, { threads: options.threads, s3: stores.s3, signal })
  const cache = openCache(stores.cache, options.cache, { logger, signal })
  try {
    const bar = progress.start('aggregate', undefined, 'bytes')
    const store = createDayStore({
      io: stores.input,
      cache,
      reader,
      engine: engine.open,
      scratch: scratch.folder,
      verifyCache: options.verifyCache,
      logger,
      now,
      signal,
      onBytes: (count) => {
        bar.add(count)
      },
    })
    const run: Run = {
      options,
      stores,
      context,
      results: { io: stores.output, cache, store, engine: engine.open, signal },
    }
    const outcome = await countAndPublish(run).finally(() => {
      bar.done()
    })
    if (outcome.scannedDays !== 0) await pruneCache(stores.cache, options.cache, options.cacheDays, now())
    return outcome
  } finally {
    await Promise.all([reader.close(), engine.close().catch(() => undefined)])
    await scratch.remove()
  }
}

/** What was found out of each day; a day that must be read again is replaced. */
type Counted = Map<Day, CountedDay>

interface Run {
  readonly options: AggregateOptions
  readonly stores: Stores
  readonly context: JobContext
  readonly results: ResultContext
}

async function countAndPublish(run: Run): Promise<Outcome> {
  const { options, stores, context } = run
  const days = daysOf(options.windows)
  let inputs = await findInputs(stores.input, options.input, days)
  let counted = new Map<Day, CountedDay>()
  for (let attempt = 0; ; attempt++) {
    const { publishable, missing } = checkMissing(
      options.windows,
      new Set(inputs.keys()),
      options.missingDays,
      options.input,
    )
    counted = await countDays(run, inputs, counted)
    // A slow run must not replace the result of a newer one with that of files that are gone (operations-spec §1.7).
    const present = await findInputs(stores.input, options.input, days)
    const changed = changedInputs(inputs, present)
    const [first] = changed
    if (first !== undefined && attempt === attempts) throw changing(join(options.input, `${first}.csv`))
    if (first === undefined) {
      if (missing.length > 0 && options.missingDays !== 'ignore') {
        context.logger.warn({ missingDays: missing }, `no log of ${missing.join(', ')}: counted without`)
      }
      return publish(run, publishable, missing, counted)
    }
    context.logger.warn({ days: changed }, 'logs changed meanwhile: looking at them again')
    for (const day of changed) counted.delete(day)
    inputs = present
  }
}

async function countDays(
  { options, results }: Run,
  inputs: ReadonlyMap<Day, FileStat>,
  known: ReadonlyMap<Day, CountedDay>,
): Promise<Map<Day, CountedDay>> {
  const counted = await mapConcurrently([...inputs], options.threads, async ([day, input]) => {
    return [day, known.get(day) ?? (await results.store.count(day, input))] as const
  })
  return new Map(counted)
}

async function publish(
  run: Run,
  windows: readonly Window[],
  missing: readonly Day[],
  counted: Counted,
): Promise<Outcome> {
  const { options, context } = run
  const asked = [...counted.keys()]
  const refreshed = options.refresh ? await refreshable(run, windows, counted) : []
  await rejectsOf(run, counted)
  const report = {
    ...reportOf(asked.map((day) => counted.get(day)!)),
    from: daysOf(windows)[0],
    to: windows.at(-1)?.last,
    missingDays: [...missing],
  }
  const [excess] = excessOf(counted, options.maxRejects)
  if (excess !== undefined) {
    throw dataError(
      `${excess.rejects} rejected lines in the log of ${excess.day}, more than the ${excess.allowed} allowed`,
      {
        field: '--max-rejects',
        fix: `mend the log (reasons in ${options.rejects}/${excess.day}.csv), or allow more with --max-rejects`,
        outcome: report,
      },
    )
  }
  const published: PublishedResult[] = []
  for (const window of [...windows, ...refreshed]) {
    context.signal.throwIfAborted()
    published.push(await publishWindow(run, window, counted))
  }
  return {
    ...report,
    bytes: published.reduce((sum, { bytes }) => sum + bytes, 0),
    files: published.length,
    outputs: published.map(({ location }) => location),
    ...(options.refresh ? { refreshed: refreshed.map(({ last }) => last) } : {}),
  }
}

/** Publishes the days' rejects; a day whose cached rejects are damaged is read again. */
async function rejectsOf({ options, stores, context, results }: Run, counted: Counted): Promise<void> {
  let days: ReadonlyMap<Day, CountedDay> = counted
  for (;;) {
    const damaged = await publishRejects(stores.output, options.rejects, days, results.cache, context.signal)
    if (damaged.length === 0) return
    for (const day of damaged) await recount({ options, stores, results }, day, counted)
    days = new Map(damaged.map((day) => [day, counted.get(day)!]))
  }
}

/** Reads a day again whose cached files are damaged. */
async function recount(
  { options, stores, results }: Omit<Run, 'context'>,
  day: Day,
  counted: Counted,
): Promise<void> {
  const input = (await findInputs(stores.input, options.input, [day])).get(day)
  if (input === undefined)
    throw dataError(`the log of ${day} is gone, and what the cache kept of it is damaged`, {
      field: join(options.input, `${day}.csv`),
      fix: 'put the log back, or ask for a window without it',
    })
  counted.set(day, await results.store.recount(day, input))
}

function reportOf(days: readonly CountedDay[]): Outcome {
  const sum = (value: (day: CountedDay) => number): number =>
    days.reduce((total, day) => total + value(day), 0)
  return {
    rows: sum(({ entry }) => entry.totals.rows),
    rejects: sum(({ entry }) => entry.totals.rejects),
    otherDayRows: sum(({ entry }) => entry.totals.otherDayRows),
    cachedDays: sum(({ cached }) => Number(cached)),
    scannedDays: sum(({ cached }) => Number(!cached)),
  }
}

/**
 * Published windows that were made from another content of a counted day. Their other days join `counted`; a day
 * whose log has been removed since counts as it did, from the cache, and a window is left alone when that is gone, too.
 */
async function refreshable(run: Run, windows: readonly Window[], counted: Counted): Promise<Window[]> {
  const { options, stores, context, results } = run
  const keys = new Map([...counted].map(([day, { entry }]) => [day, entry.key]))
  const asked = new Set(windows.map(({ last }) => last))
  const outdated = (await outdatedResults(stores.output, options.output, options.length, keys)).filter(
    ({ last }) => !asked.has(last),
  )
  const others = new Set(outdated.flatMap(({ last }) => windowOf(last, options.length)))
  const inputs = await findInputs(
    stores.input,
    options.input,
    [...others].filter((day) => !counted.has(day)),
  )
  for (const [day, value] of await countDays(run, inputs, counted)) counted.set(day, value)

  const complete: Window[] = []
  for (const { last, days } of outdated) {
    const gone = Object.keys(days).filter((day) => !counted.has(day))
    for (const day of gone) {
      const entry = (await results.cache.entriesOf(day)).find(({ key }) => key === days[day])
      if (entry !== undefined) counted.set(day, { entry, cached: true, counts: undefined, path: undefined })
    }
    const lost = gone.filter((day) => !counted.has(day))
    if (lost.length === 0) complete.push({ last, days: windowOf(last, options.length) })
    else context.logger.warn({ window: last, lost }, 'not refreshed: logs that it was made from are gone')
  }
  return complete
}

async function publishWindow(run: Run, { last, days }: Window, counted: Counted): Promise<PublishedResult> {
  const { options, stores, results } = run
  const location = resultLocation(options.output, last, options.length)
  for (;;) {
    const used = new Map(days.flatMap((day) => (counted.has(day) ? [[day, counted.get(day)!] as const] : [])))
    const result = await publishResult(location, { last, length: options.length, days: used }, results)
    if ('damaged' in result) {
      await recount(run, result.damaged, counted)
      continue
    }
    await writePublished(stores.output, options.output, {
      last,
      length: options.length,
      days: Object.fromEntries([...used].map(([day, { entry }]) => [day, entry.key])),
      missingDays: days.filter((day) => !used.has(day)),
      rejects: Object.fromEntries([...used].map(([day, { entry }]) => [day, entry.totals.rejects])),
      rows: result.rows,
      sha256: result.sha256,
    })
    return result
  }
}
