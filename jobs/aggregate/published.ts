import * as v from 'valibot'
import { isDay, type Day } from '../calendar.ts'
import { mapConcurrently } from '../concurrency.ts'
import type { FileIO } from '../storage/file-io.ts'
import { join } from '../storage/place.ts'
import { maxDays } from './window.ts'

/**
 * What a result was made of, kept beside the results where globs do not see it: `<output>/.lakejobs/<name>.json`
 * (operations-spec §1.7). `--refresh` finds by it the results that a corrected day concerns.
 */
const published = v.object({
  last: v.string(),
  length: v.number(),
  /** The key of each day's log (log/source.ts), by day. */
  days: v.record(v.string(), v.string()),
  missingDays: v.array(v.string()),
  rejects: v.record(v.string(), v.number()),
  rows: v.number(),
  /** Absent in records of earlier versions. */
  events: v.optional(v.number()),
  sha256: v.string(),
  /** By the UUID of each Iceberg table that it is for, the SHA-256 of the result whose rows are there; `''` before the first. */
  tables: v.optional(v.record(v.string(), v.string())),
})

/** Anything else than a record of ours, one cut short included, counts as none. */
const recordText = v.pipe(v.string(), v.parseJson(), published)

export type Published = v.InferOutput<typeof published>

/** `2024-09-16` for the usual seven days, `2024-09-16.30d` for another length. */
const resultName = (last: Day, length: number): string => (length === 7 ? last : `${last}.${length}d`)

export const resultLocation = (output: string, last: Day, length: number): string =>
  join(output, `${resultName(last, length)}.csv`)

const recordName = /^\d{4}-\d\d-\d\d(?:\.\d+d)?\.json$/
const recordLocation = (output: string, last: Day, length: number): string =>
  join(output, '.lakejobs', `${resultName(last, length)}.json`)

export async function writePublished(io: FileIO, output: string, record: Published): Promise<void> {
  const body = Buffer.from(`${JSON.stringify(record, null, 1)}\n`)
  await io.write(recordLocation(output, record.last, record.length), body)
}

export async function readPublished(
  io: FileIO,
  output: string,
  last: Day,
  length: number,
): Promise<Published | undefined> {
  return readRecord(io, recordLocation(output, last, length))
}

async function readRecord(io: FileIO, location: string): Promise<Published | undefined> {
  if ((await io.stat(location)) === undefined) return undefined
  const result = v.safeParse(recordText, (await io.read(location)).toString())
  return result.success ? result.output : undefined
}

/** Everything that was published in `output`, windows of any length, oldest first. */
export async function allPublished(io: FileIO, output: string): Promise<Published[]> {
  const folder = join(output, '.lakejobs')
  const locations: string[] = []
  for await (const { location } of io.list(folder)) {
    if (recordName.test(location.slice(folder.length + 1))) locations.push(location)
  }
  const records = await mapConcurrently(locations, 8, (location) => readRecord(io, location))
  return records
    .filter((record): record is Published => record !== undefined)
    .filter(({ last, length }) => isDay(last) && Number.isInteger(length) && length > 0 && length <= maxDays)
    .sort((a, b) => (a.last < b.last || (a.last === b.last && a.length < b.length) ? -1 : 1))
}
