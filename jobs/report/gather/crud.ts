import { addDays, windowOf, type Day } from '../../calendar.ts'
import { openCache, type AggregateCache } from '../../aggregate/cache/cache.ts'
import { allPublished, readPublished, resultLocation, type Published } from '../../aggregate/published.ts'
import { findInputs } from '../../aggregate/inputs.ts'
import { mapConcurrently } from '../../concurrency.ts'
import type { JobContext } from '../../context.ts'
import { asError } from '../../errors.ts'
import type { FileIO } from '../../storage/file-io.ts'
import type { CrudDay, CrudReport } from '../schema.ts'
import { topUsers, type ResultTotals } from './top-users.ts'

/** Where the CRUD logs, their results and their counts per day are. */
export interface CrudPlaces {
  readonly input: string
  readonly output: string
  readonly cache: string
  readonly rejects: string
  readonly open: (place: string) => Promise<FileIO>
}

/** What is known of the weekly counts. */
export interface CrudFacts {
  readonly report: CrudReport
  /** The days under which a week is published, of all that there are. */
  readonly published: readonly Day[]
}

const week = 7
const daysAtOnce = 7
const usersShown = 20

/**
 * The week of `last` and the one before it, by the counts per day that aggregates have cached, of exactly the logs that the
 * published result was made of; top users from that result. Undefined where there is neither. Errors: those of the stores.
 */
export async function crudFacts(
  { input, output, cache: place, open }: CrudPlaces,
  last: Day,
  context: Pick<JobContext, 'logger' | 'signal'>,
): Promise<CrudFacts | undefined> {
  const [results, cached] = await Promise.all([open(output), open(place)])
  const cache = openCache(cached, place, context)
  const earlier = addDays(last, -week)
  const [record, before, all] = await Promise.all([
    readPublished(results, output, last, week),
    readPublished(results, output, earlier, week),
    allPublished(results, output),
  ])
  const days = windowOf(last, 2 * week)
  const logs = await open(input)
    .then((io) => findInputs(io, input, days))
    .catch((error: unknown) => {
      context.logger.warn(`the logs are not looked at: ${asError(error).message}`)
      return undefined
    })
  const counted = await mapConcurrently(days, daysAtOnce, (day) =>
    crudDay(cache, day, day > earlier ? record : before, logs?.has(day)),
  )
  if (record === undefined && counted.every(({ state }) => state === 'missing')) return undefined
  const [older, own] = [counted.slice(0, -week), counted.slice(-week)]
  const result = record && (await topUsers(results, resultLocation(output, last, week), usersShown))
  const beforeTotal = await totalBefore(
    older,
    before && (() => topUsers(results, resultLocation(output, earlier, week), 0)),
  )
  return {
    report: {
      from: addDays(earlier, 1),
      to: last,
      published: record !== undefined,
      days: counted,
      total: result?.total ?? totalOf(own),
      ...(beforeTotal && { before: beforeTotal }),
      ...(record && { users: record.rows }),
      ...(before && { usersBefore: before.rows }),
      top: [...(result?.top ?? [])],
    },
    published: all.filter(({ length }) => length === week).map(({ last: day }) => day),
  }
}

/** Of the week before: by its days where all are known, else by its published result; undefined where that is not there. */
async function totalBefore(
  days: readonly CrudDay[],
  read: (() => Promise<ResultTotals | undefined>) | undefined,
): Promise<CrudReport['total'] | undefined> {
  if (days.some(({ state }) => state === 'unknown')) return (await read?.())?.total
  return days.some(({ state }) => state === 'counted') ? totalOf(days) : undefined
}

/** A day by its cached counts: those of the published log, else the newest. */
async function crudDay(
  cache: AggregateCache,
  day: Day,
  record: Published | undefined,
  hasLog: boolean | undefined,
): Promise<CrudDay> {
  if (record?.missingDays.includes(day) === true) return { day, state: 'missing' }
  const key = record?.days[day]
  const entry = (await cache.entriesOf(day)).find((one) => key === undefined || one.key === key)
  if (entry === undefined) return { day, state: key === undefined && hasLog !== true ? 'missing' : 'unknown' }
  const [create, read, update, removed] = entry.totals.events
  return { day, state: 'counted', create, read, update, delete: removed, rejects: entry.totals.rejects }
}

const totalOf = (days: readonly CrudDay[]): CrudReport['total'] => {
  const sum = (action: 'create' | 'read' | 'update' | 'delete'): number =>
    days.reduce((total, day) => total + (day[action] ?? 0), 0)
  return { create: sum('create'), read: sum('read'), update: sum('update'), delete: sum('delete') }
}
