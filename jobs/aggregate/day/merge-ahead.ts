import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Day } from '../../calendar.ts'
import type { AggregateCache } from '../cache/cache.ts'
import { mostLists } from '../lists/merge-lists.ts'
import type { LocalList } from '../lists/merge-to-list.ts'
import type { LocalFile } from '../../storage/scratch.ts'
import type { CountedDay } from './day-store.ts'
import type { DayReader } from './reader.ts'

type Days = ReadonlyMap<Day, CountedDay>

/** Days whose lists a thread merges that has no day left to count, while others still count: the window's merge has less to do. */
export interface MergeAhead {
  /** Begins with the days that are counted, where that pays; does nothing when it has begun before. */
  begin(counted: Days): void
  /** The local list of several days' counts, and which days, all of them among `days` and as they were; undefined where there is none. */
  of(days: Days): Promise<{ readonly path: string; readonly days: ReadonlySet<Day> } | undefined>
}

export interface MergeAheadSettings {
  readonly reader: DayReader
  readonly cache: AggregateCache
  readonly scratch: string
  readonly logger: Logger
}

/** With fewer emails in their lists the merge is over before a thread has started. */
const worthwhileEmails = 250_000

export function createMergeAhead({ reader, cache, scratch, logger }: MergeAheadSettings): MergeAhead {
  let begun:
    { readonly keys: ReadonlyMap<Day, string>; readonly merging: Promise<LocalFile | undefined> } | undefined
  return {
    begin(counted) {
      if (begun !== undefined) return
      const days = [...counted].flatMap(([day, { entry, list }]) => {
        const local = listOf(entry, list, cache)
        return local === undefined ? [] : [{ day, entry, local }]
      })
      const emails = days.reduce((sum, { entry }) => sum + entry.emails, 0)
      if (days.length < 2 || days.length > mostLists || emails < worthwhileEmails) return
      const lists = days.map(({ local }) => local)
      const merging = reader.mergeElsewhere(lists, join(scratch, 'ahead.list'))
      if (merging === undefined) return
      begun = {
        keys: new Map(days.map(({ day, entry }) => [day, entry.key])),
        // The window's own merge says what is wrong with a list, or goes without it.
        merging: merging.catch((error: unknown) => {
          logger.debug({ err: error }, 'days were not merged ahead')
          return undefined
        }),
      }
    },
    async of(days) {
      if (begun === undefined) return undefined
      const { keys, merging } = begun
      if ([...keys].some(([day, key]) => days.get(day)?.entry.key !== key)) return undefined
      const list = await merging
      if (list === undefined) return undefined
      logger.debug({ days: [...keys.keys()] }, 'days that were merged ahead')
      return { path: list.path, days: new Set(keys.keys()) }
    },
  }
}

/** The local list of a day, this run's or the cache's. */
function listOf(
  entry: CountedDay['entry'],
  own: string | undefined,
  cache: AggregateCache,
): LocalList | undefined {
  if (own !== undefined) return { path: own, sha256: undefined }
  const path = entry.list && cache.localPath(entry.list)
  return path === undefined ? undefined : { path, sha256: entry.list?.sha256 }
}
