import { createHash } from 'node:crypto'
import type { Day } from '../calendar.ts'
import { mapConcurrently } from '../concurrency.ts'
import type { FileIO } from '../storage/file-io.ts'
import type { AggregateCache } from './cache/cache.ts'
import { cacheVersion, windowEntryName, type WindowEntry } from './cache/entry.ts'
import type { EmailCounts } from './counts.ts'
import type { CountedDay, DayStore } from './day/day-store.ts'
import type { Engine } from './engine/engine.ts'
import { mergeCounts } from './merge-counts.ts'
import { writeResult } from './result/write-result.ts'

/** Below, merging in this thread is quicker than starting an engine (docs/benchmarks.md). */
const engineEmails = 50_000
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

async function writeAndCache(
  location: string,
  { last, length }: WindowSources,
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
    const rows = await writeResult(both, batches)
    const [result] = await Promise.all([copy.close(), output.close()])
    const entry: WindowEntry = { version: cacheVersion, last, key, result, rows }
    await cache.putWindow(entry, length)
    return { location, rows, bytes: result.size, sha256: result.sha256 }
  } catch (error) {
    await Promise.all([output.abort(), copy.abort()])
    throw error
  }
}

type Batches = AsyncIterable<EmailCounts> | Iterable<EmailCounts>

async function mergedBatches(
  { days }: WindowSources,
  { store, engine }: ResultContext,
): Promise<{ readonly batches: Batches } | DamagedDay> {
  const emails = [...days.values()].reduce((sum, { entry }) => sum + entry.emails, 0)
  if (emails > engineEmails) {
    const files = await mapConcurrently([...days], filesAtOnce, async ([day, counted]) => {
      return { day, path: await store.asFile(counted) }
    })
    const damaged = files.find(({ path }) => path === undefined)
    if (damaged !== undefined) return { damaged: damaged.day }
    return { batches: (await engine()).merge(files.flatMap(({ path }) => path ?? [])) }
  }
  const counts: EmailCounts[] = []
  for (const [day, counted] of days) {
    const found = await store.inMemory(counted)
    if (found === undefined) return { damaged: day }
    counts.push(found)
  }
  return { batches: [mergeCounts(counts)] }
}

/** What a result depends on: its days' contents, the missing ones included by their absence. */
function keyOf({ last, length, days }: WindowSources): string {
  const hash = createHash('sha256').update(`${cacheVersion} ${last} ${length}\n`)
  for (const [day, { entry }] of days) hash.update(`${day} ${entry.key}\n`)
  return hash.digest('hex')
}
