import { createHash } from 'node:crypto'
import type { Day } from '../calendar.ts'
import { mapConcurrently } from '../concurrency.ts'
import { JobError } from '../errors.ts'
import type { FileIO } from '../storage/file-io.ts'
import type { AggregateCache } from './cache/cache.ts'
import { cacheVersion, windowEntryName, type WindowEntry } from './cache/entry.ts'
import type { EmailCounts } from './counts.ts'
import { contradiction } from './day/read-day.ts'
import type { CountedDay, DayStore } from './day/day-store.ts'
import type { MergeAhead } from './day/merge-ahead.ts'
import type { Engine } from './engine/engine.ts'
import { mergeLists, mostLists, type CountsList } from './lists/merge-lists.ts'
import { mergeCounts } from './merge-counts.ts'
import { resultReader } from './result/read-result.ts'
import { writeResult } from './result/write-result.ts'

/** Up to so many emails counts are merged as they are in memory. */
const mergedHere = 50_000
/** Rows of a batch of merged lists: what of it is written next is still in the processor's cache. */
const batchRows = 16_384
/** While one counts file is hashed, the next ones are read. */
const filesAtOnce = 4

/** A window's result at its place. */
export interface PublishedResult {
  readonly location: string
  readonly rows: number
  readonly bytes: number
  readonly sha256: string
}

export interface WindowSources {
  readonly last: Day
  /** The window's length in days, of which some may be missing. */
  readonly length: number
  readonly days: ReadonlyMap<Day, CountedDay>
}

export interface ResultContext {
  readonly io: FileIO
  readonly cache: AggregateCache
  readonly store: DayStore
  readonly engine: () => Promise<Engine>
  /** Where there is one window: all that is asked for is its days. */
  readonly ahead?: MergeAhead | undefined
  /** Merges windows of any size instead, from counts files of the cache (locations). */
  readonly mergeCached?: ((files: readonly string[]) => AsyncIterable<EmailCounts>) | undefined
  readonly signal: AbortSignal
}

/** A damaged counts file, found when it was to be used: its day must be read again. */
export interface DamagedDay {
  readonly damaged: Day
}

/**
 * Publishes a window's result at `location`: copied from the cache when these days were merged before, else merged
 * and put into the cache on its way.
 */
export async function publishResult(
  location: string,
  sources: WindowSources,
  context: ResultContext,
): Promise<PublishedResult | DamagedDay> {
  const { io, cache, signal } = context
  const key = keyOf(sources)
  const known = await cache.windowOf(sources.last, sources.length, key)
  const output = await io.create(location, { signal })
  try {
    if (known !== undefined && (await cache.read(known.result, (chunk) => output.write(chunk)))) {
      await output.close()
      const { size, sha256 } = known.result
      return { location, rows: known.rows, bytes: size, sha256 }
    }
  } catch (error) {
    await output.abort()
    throw error
  }
  await output.abort()
  const batches = await mergedBatches(sources, context)
  if ('damaged' in batches) return batches
  return writeAndCache(location, sources, { key, batches: batches.batches }, context)
}

/**
 * Hands the rows of a result that this run has published to `take`, in batches: from the cache, which knows it by the contents
 * of its days. Errors: `JobError` failed, where the cache has lost it meanwhile.
 */
export async function readResult(
  sources: WindowSources,
  { cache }: ResultContext,
  take: (batch: EmailCounts) => Promise<void>,
): Promise<void> {
  const known = await cache.windowOf(sources.last, sources.length, keyOf(sources))
  const reader = resultReader(take)
  if (known === undefined || !(await cache.read(known.result, (chunk) => reader.push(chunk))))
    throw new JobError('failed', `the result of ${sources.last} is gone from the cache, or damaged`, {
      field: '--cache',
      fix: 'run again, which makes it anew',
    })
  await reader.end()
}

async function writeAndCache(
  location: string,
  { last, length, days }: WindowSources,
  { key, batches }: { readonly key: string; readonly batches: Batches },
  { io, cache, signal }: ResultContext,
): Promise<PublishedResult> {
  const output = await io.create(location, { signal })
  const copy = await cache.createFile(windowEntryName(last, length, key), 'csv')
  try {
    const both = {
      async write(chunk: Uint8Array) {
        await Promise.all([output.write(chunk), copy.write(chunk)])
      },
    }
    const rows = await writeResult(both, provenBatches(batches, days, location))
    const [result] = await Promise.all([copy.close(), output.close()])
    const entry: WindowEntry = { version: cacheVersion, last, key, result, rows }
    await cache.putWindow(entry, length)
    return { location, rows, bytes: result.size, sha256: result.sha256 }
  } catch (error) {
    await Promise.all([output.abort(), copy.abort()])
    throw error
  }
}

/** The batches as they come; throws at their end unless they come to what the days' logs were proven to hold. */
async function* provenBatches(
  batches: Batches,
  days: WindowSources['days'],
  location: string,
): AsyncIterable<EmailCounts> {
  const left = [0, 0, 0, 0]
  for (const { entry } of days.values())
    entry.totals.events.forEach((count, action) => (left[action]! += count))
  for await (const batch of batches) {
    for (let row = 0; row < batch.rows; row++) {
      left[0]! -= batch.create[row]!
      left[1]! -= batch.read[row]!
      left[2]! -= batch.update[row]!
      left[3]! -= batch.delete[row]!
    }
    yield batch
  }
  if (left.some((count) => count !== 0)) throw contradiction(location)
}

type Batches = AsyncIterable<EmailCounts> | Iterable<EmailCounts>

async function mergedBatches(
  { days }: WindowSources,
  { store, engine, ahead, mergeCached }: ResultContext,
): Promise<{ readonly batches: Batches } | DamagedDay> {
  if (mergeCached !== undefined) {
    const files = await filesOf(days, store.inCache)
    return 'damaged' in files ? files : { batches: mergeCached(files.paths) }
  }
  const emails = [...days.values()].reduce((sum, { entry }) => sum + entry.emails, 0)
  if (emails > mergedHere) {
    const lists = await listsOf(days, store, ahead)
    if (lists !== undefined) return { batches: mergeLists(lists, batchRows) }
    const files = await filesOf(days, store.asFile)
    return 'damaged' in files ? files : { batches: (await engine()).merge(files.paths) }
  }
  const counts: EmailCounts[] = []
  for (const [day, counted] of days) {
    const found = await store.inMemory(counted)
    if (found === undefined) return { damaged: day }
    counts.push(found)
  }
  return { batches: [mergeCounts(counts)] }
}

async function filesOf(
  days: WindowSources['days'],
  fileOf: (counted: CountedDay) => Promise<string | undefined>,
): Promise<{ readonly paths: readonly string[] } | DamagedDay> {
  const files = await mapConcurrently([...days], filesAtOnce, async ([day, counted]) => {
    return { day, path: await fileOf(counted) }
  })
  const damaged = files.find(({ path }) => path === undefined)
  return damaged === undefined ? { paths: files.flatMap(({ path }) => path ?? []) } : { damaged: damaged.day }
}

/** The days' counts as lists; undefined where a large day has none, as its counts come from another engine or an object store. */
async function listsOf(
  days: WindowSources['days'],
  store: DayStore,
  ahead: MergeAhead | undefined,
): Promise<CountsList[] | undefined> {
  if (days.size > mostLists) return undefined
  const merged = await ahead?.of(days)
  const left = [...days].filter(([day]) => merged?.days.has(day) !== true)
  const lists = await mapConcurrently(left, filesAtOnce, ([, counted]) => store.asList(counted))
  const found = lists.filter((list) => list !== undefined)
  if (found.length < lists.length) return undefined
  return merged === undefined ? found : [merged.path, ...found]
}

/** What a result depends on: its days' contents, the missing ones included by their absence. */
function keyOf({ last, length, days }: WindowSources): string {
  const hash = createHash('sha256').update(`${cacheVersion} ${last} ${length}\n`)
  for (const [day, { entry }] of days) hash.update(`${day} ${entry.key}\n`)
  return hash.digest('hex')
}
