import * as v from 'valibot'
import { addDays, type Day } from '../calendar.ts'
import type { FileIO } from '../storage/file-io.ts'
import { join } from '../storage/place.ts'
import { windowsWith } from './window.ts'

/**
 * What a result was made of, kept beside the results where globs do not see it: `<output>/.lakejobs/<name>.json`
 * (operations-spec §1.7). `--refresh` finds by it the results that a corrected day concerns.
 */
const published = v.object({
  last: v.string(),
  length: v.number(),
  /** SHA-256 of each day's log, by day. */
  days: v.record(v.string(), v.string()),
  missingDays: v.array(v.string()),
  rejects: v.record(v.string(), v.number()),
  rows: v.number(),
  sha256: v.string(),
})

/** Anything else than a record of ours, one cut short included, counts as none. */
const recordText = v.pipe(v.string(), v.parseJson(), published)

export type Published = v.InferOutput<typeof published>

/** `2024-09-16` for the usual seven days, `2024-09-16.30d` for another length. */
const resultName = (last: Day, length: number): string => (length === 7 ? last : `${last}.${length}d`)

export const resultLocation = (output: string, last: Day, length: number): string =>
  join(output, `${resultName(last, length)}.csv`)

const recordLocation = (output: string, last: Day, length: number): string =>
  join(output, '.lakejobs', `${resultName(last, length)}.json`)

export async function writePublished(io: FileIO, output: string, record: Published): Promise<void> {
  const body = Buffer.from(`${JSON.stringify(record, null, 1)}\n`)
  await io.write(recordLocation(output, record.last, record.length), body)
}

async function readPublished(
  io: FileIO,
  output: string,
  last: Day,
  length: number,
): Promise<Published | undefined> {
  const location = recordLocation(output, last, length)
  if ((await io.stat(location)) === undefined) return undefined
  const result = v.safeParse(recordText, (await io.read(location)).toString())
  return result.success ? result.output : undefined
}

/**
 * The results in `output`, of windows of `length` days, that were made from another content of one of `days` (by
 * key) than it has now.
 */
export async function outdatedResults(
  io: FileIO,
  output: string,
  length: number,
  days: ReadonlyMap<Day, string>,
): Promise<Published[]> {
  const candidates = new Set([...days.keys()].flatMap((day) => windowsWith(day, length)))
  const records = await Promise.all([...candidates].map((last) => readPublished(io, output, last, length)))
  return records
    .filter((record): record is Published => record !== undefined)
    .filter(({ last, days: used }) =>
      [...days].some(([day, key]) => day <= last && day > addDays(last, -length) && used[day] !== key),
    )
    .sort((a, b) => (a.last < b.last ? -1 : 1))
}
