import type { Day } from '../calendar.ts'
import { dataError, type JobError } from '../errors.ts'
import type { Limit } from '../options/options.ts'
import type { FileIO } from '../storage/file-io.ts'
import { basename, join } from '../storage/place.ts'
import type { AggregateCache } from './cache/cache.ts'
import type { CountedDay } from './day/day-store.ts'
import { remedies } from './log/likely-cause.ts'
import { isMostlyRejected } from './log/totals.ts'
import { assertOurs } from './result/ours.ts'
import { rejectsHeader } from './result/write-rejects.ts'

/**
 * What forbids to publish a day, if anything (exit 3): more rejects than allowed (without a limit of the user's the larger of
 * 1 % of its records and 10), or that it is probably no log, which only a limit of 100 % allows.
 */
export function objectionTo(
  day: Day,
  { entry }: Pick<CountedDay, 'entry'>,
  limit: Limit | undefined,
  folder: string,
): JobError | undefined {
  const { rows, rejects, bytes, rejectedBytes } = entry.totals
  const share = limit === undefined ? 0.01 : 'share' in limit ? limit.share : 0
  if (share >= 1) return undefined
  const reasons = `reasons in ${join(folder, `${day}.csv`)}`
  const field = '--max-rejects'
  if (isMostlyRejected(entry.totals)) {
    const { likelyCause: cause } = entry
    const found = rows === 0 ? `no row and ${rejects} rejects` : `${rejectedBytes} of ${bytes} bytes rejected`
    const why = cause === undefined ? `mend the log (${reasons})` : `${remedies[cause]} (${reasons})`
    return dataError(
      `the log of ${day} is probably none: ${found}${cause === undefined ? '' : `, ${cause}`}`,
      { field, fix: `${why}; or publish without what was rejected with --max-rejects 100%` },
    )
  }
  const count = limit === undefined ? 10 : 'count' in limit ? limit.count : 0
  const allowed = Math.max(count, Math.floor(share * (rows + rejects)))
  if (rejects <= allowed) return undefined
  return dataError(`${rejects} rejected lines in the log of ${day}, more than the ${allowed} allowed`, {
    field,
    fix: `mend the log (${reasons}), or allow more with --max-rejects`,
  })
}

/**
 * Writes `<folder>/DAY.csv` for each day with rejects and removes those of days that are clean now. Resolves to the
 * days whose cached rejects are damaged: they must be read again. Throws a `usageError` before it touches anything when
 * a file with such a name is not a rejects file.
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
  const nameOf = (day: Day): string => `${day}.csv`
  const touched = [...days].filter(
    ([day, { entry }]) => entry.rejectsFile !== undefined || existing.has(nameOf(day)),
  )
  for (const [day] of touched)
    await assertOurs(io, join(folder, nameOf(day)), { firstLine: rejectsHeader, field: '--rejects' })
  for (const [day, { entry }] of touched) {
    const location = join(folder, nameOf(day))
    if (entry.rejectsFile === undefined) {
      await io.delete(location)
      continue
    }
    const output = await io.create(location, { signal })
    try {
      if (await cache.read(entry.rejectsFile, (chunk) => output.write(chunk))) await output.close()
      else damaged.push(day)
    } finally {
      await output.abort()
    }
  }
  return damaged
}
