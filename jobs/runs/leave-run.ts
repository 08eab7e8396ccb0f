import { readdir, rmdir } from 'node:fs/promises'
import { addDays, dayOf, isDay, type Day } from '../calendar.ts'
import type { FileIO } from '../storage/file-io.ts'
import { join } from '../storage/place.ts'
import { runFile, runLocation, type RunIdentity } from './run-file.ts'

/** Days that summaries of runs are kept. */
export const daysKept = 90

/** Objects that a run looks at for those that may go, as many as one request lists: more go with the next runs. */
const mostLooked = 1000

/**
 * Leaves a run's summary, whole or not at all, in its place (`runLocation`). `folder` is a location; `signal` ends it.
 * Errors: the store's.
 */
export async function leaveRun(
  io: FileIO,
  folder: string,
  run: RunIdentity,
  signal?: AbortSignal,
): Promise<void> {
  const body = Buffer.from(`${JSON.stringify(run)}\n`)
  await io.write(runLocation(folder, run), body, signal && { signal })
}

/**
 * Removes the summaries of a job's runs that began more than `daysKept` days before now, and nothing of others. Of an object store
 * it looks at `mostLooked` objects at most: they are listed by their keys, so that the oldest days come first. Errors: the store's.
 */
export async function pruneRuns(
  io: FileIO,
  folder: string,
  job: string,
  now: Date,
  signal?: AbortSignal,
): Promise<void> {
  const oldest = addDays(dayOf(now), -daysKept)
  const of = join(folder, job)
  if (io.scheme === 'file') {
    const path = io.localPath(of)!
    for (const day of await readdir(path))
      if (isDay(day) && day < oldest) {
        await remove(io, await filesOf(io, folder, join(of, day), oldest), signal)
        // One that others have put something into stays.
        await rmdir(`${path}/${day}`).catch(() => undefined)
      }
  } else await remove(io, await filesOf(io, folder, of, oldest), signal)
}

/** Files of runs below a place that are older, of the first `mostLooked`. */
async function filesOf(io: FileIO, folder: string, below: string, oldest: Day): Promise<string[]> {
  const old: string[] = []
  let looked = 0
  for await (const { location } of io.list(below)) {
    const file = runFile(folder, location)
    if (file !== undefined && file.day < oldest) old.push(location)
    if (++looked === mostLooked) break
  }
  return old
}

async function remove(io: FileIO, locations: readonly string[], signal?: AbortSignal): Promise<void> {
  if (locations.length === 0) return
  const { failures } = await io.deleteAll(locations, signal)
  if (failures[0] !== undefined) throw failures[0].error
}
