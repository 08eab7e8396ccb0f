import type { Day } from '../calendar.ts'
import type { Limit } from '../options.ts'
import type { FileIO } from '../storage/file-io.ts'
import { basename, join } from '../storage/place.ts'
import type { AggregateCache } from './cache/cache.ts'
import type { CountedDay } from './day/day-store.ts'

/** A day with more rejects than are allowed. */
export interface Excess {
  readonly day: Day
  readonly rejects: number
  readonly allowed: number
}

/** Without a limit of the user's: the larger of 1 % of the day's records and 10. */
export function excessOf(days: ReadonlyMap<Day, CountedDay>, limit: Limit | undefined): Excess[] {
  return [...days].flatMap(([day, { entry }]) => {
    const { rows, rejects } = entry.totals
    const share = limit === undefined ? 0.01 : 'share' in limit ? limit.share : 0
    const count = limit === undefined ? 10 : 'count' in limit ? limit.count : 0
    const allowed = Math.max(count, Math.floor(share * (rows + rejects)))
    return rejects > allowed ? [{ day, rejects, allowed }] : []
  })
}

/**
 * Writes `<folder>/DAY.csv` for each day with rejects and removes those of days that are clean now. Resolves to the
 * days whose cached rejects are damaged: they must be read again.
 */
export async function publishRejects(
  io: FileIO,
  folder: string,
  days: ReadonlyMap<Day, CountedDay>,
  cache: AggregateCache,
  signal: AbortSignal,
): Promise<Day[]> {
  const damaged: Day[] = []
  const existing = new Set<string>()
  for await (const { location } of io.list(folder)) existing.add(basename(location))
  for (const [day, { entry }] of days) {
    const name = `${day}.csv`
    if (entry.rejectsFile !== undefined) {
      const output = await io.create(join(folder, name), { signal })
      try {
        if (await cache.read(entry.rejectsFile, (chunk) => output.write(chunk))) await output.close()
        else damaged.push(day)
      } finally {
        await output.abort()
      }
    } else if (existing.has(name)) await io.delete(join(folder, name))
  }
  return damaged
}
