import type { Day } from '../calendar.ts'
import { mapOverlapping } from '../concurrency.ts'
import type { JobContext } from '../context.ts'
import type { Catalog, TableIdentifier } from '../iceberg/catalog/catalog.ts'
import type { Limit } from '../options/options.ts'
import type { FileIO, FileStat } from '../storage/file-io.ts'
import type { S3Settings } from '../storage/s3/client.ts'
import type { CountedDay } from './day/day-store.ts'
import type { DayReader } from './day/reader.ts'
import type { ResultTable } from './iceberg/result-table.ts'
import type { SparkSettings } from './spark/spark-engine.ts'
import type { MissingPolicy, Window } from './window.ts'
import type { ResultContext } from './window-result.ts'

export interface AggregateOptions {
  /** Canonical locations (storage/place.ts). */
  readonly input: string
  readonly output: string
  readonly cache: string
  readonly rejects: string
  readonly windows: readonly Window[]
  readonly missingDays: MissingPolicy
  readonly maxRejects: Limit | undefined
  /** The share of a published result's events that may be gone from the one that replaces it, 0–1. */
  readonly maxShrink: number
  readonly refresh: boolean
  readonly verifyCache: boolean
  readonly cacheDays: number
  readonly threads: number
  /** Bytes. */
  readonly memoryLimit: number
  /** A local folder for what does not fit into memory. */
  readonly scratch: string
  /** Where `--engine spark` counts and merges; without it this process does. */
  readonly spark?: SparkSettings | undefined
  /** The Iceberg table that results go to as well. */
  readonly table?: TableIdentifier | undefined
}

export interface Stores {
  readonly input: FileIO
  readonly output: FileIO
  readonly cache: FileIO
  readonly s3: S3Settings
  /** Where `table` is. */
  readonly catalog?: Catalog
}

/** What was found out of each day; a day that must be read again is replaced. */
export type Counted = Map<Day, CountedDay>

/** One call of the job. */
export interface Run {
  readonly options: AggregateOptions
  readonly stores: Stores
  readonly context: JobContext
  readonly reader: DayReader
  readonly results: ResultContext
  /** Before the first look at the logs. */
  readonly startedAt: Date
  /** As it was then. */
  readonly table: ResultTable | undefined
}

/**
 * The UUID of the table that results of windows of that length go to as well; those that are longer or shorter than what is asked for
 * are left to their files.
 */
export const tableFor = (
  { table, options }: Pick<Run, 'table' | 'options'>,
  length: number,
): string | undefined =>
  options.windows[0]?.length === length ? table?.table.metadata['table-uuid'] : undefined

/** Counts the days of `inputs`, each of `known` as it is. When a thread has none left, it merges those that are counted, or helps. */
export async function countDays(
  { options, reader, results }: Run,
  inputs: ReadonlyMap<Day, FileStat>,
  known: ReadonlyMap<Day, CountedDay>,
): Promise<Map<Day, CountedDay>> {
  const done = new Map<Day, CountedDay>()
  let begun = 0
  if (inputs.size === 1) reader.oneIsLeft()
  const counted = await mapOverlapping([...inputs], options.threads, async ([day, input], letNext) => {
    begun++
    // While its counts go into the cache, another day is read.
    const found = known.get(day) ?? (await results.store.count(day, input, letNext))
    done.set(day, found)
    if (begun === inputs.size && done.size < inputs.size) results.ahead?.begin(done)
    // Behind the merge, which takes more of a thread than its share of a day.
    if (done.size === inputs.size - 1) reader.oneIsLeft()
    return [day, found] as const
  })
  return new Map(counted)
}
