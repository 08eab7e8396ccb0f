import type { Day } from '../calendar.ts'
import { mapConcurrently } from '../concurrency.ts'
import { FileNotFound } from '../storage/errors.ts'
import type { FileIO } from '../storage/file-io.ts'
import { join } from '../storage/place.ts'
import { runFile, runLocation, type RunIdentity } from './run-file.ts'

/** Which runs are wanted. */
export interface RunQuery {
  /** Undefined: every job's. */
  readonly job?: string | undefined
  /** The first day (UTC) that a run may have begun on. */
  readonly since: Day
}

export interface RunsRead<Run> {
  /** By the time that they began, oldest first. */
  readonly runs: readonly Run[]
  /** Locations of files in a run's place that are no run, or cannot be read. */
  readonly unreadable: readonly string[]
}

/** No summary comes near it: its lists are cut. */
const mostBytes = 4 * 2 ** 20
const atOnce = 16

/**
 * What runs have left below `folder`, a location. A file that another run removes meanwhile is none; one that is no run, torn, too
 * large or not to be read is told as `unreadable`; what others keep there under names of their own is passed over. A folder that is
 * not there holds no runs. Errors: the store's, where it cannot be listed.
 *
 * @param parse makes a run of JSON, and undefined of anything else: `parseRun` of summary.ts
 */
export async function readRuns<Run extends RunIdentity>(
  io: FileIO,
  folder: string,
  { job, since }: RunQuery,
  parse: (value: unknown) => Run | undefined,
): Promise<RunsRead<Run>> {
  const files: { readonly location: string; readonly size: number }[] = []
  for await (const { location, size } of io.list(job === undefined ? folder : join(folder, job)))
    if ((runFile(folder, location)?.day ?? '') >= since) files.push({ location, size })
  const unreadable: string[] = []
  const runs = await mapConcurrently(files, atOnce, async ({ location, size }) => {
    let run: Run | undefined
    try {
      if (size <= mostBytes) run = parse(JSON.parse((await io.read(location)).toString()))
    } catch (error) {
      if (error instanceof FileNotFound) return []
    }
    if (run !== undefined && runLocation(folder, run) === location) return [run]
    unreadable.push(location)
    return []
  })
  return { runs: runs.flat().sort(byTime), unreadable: unreadable.sort() }
}

const byTime = (a: RunIdentity, b: RunIdentity): number =>
  a.startedAt < b.startedAt ? -1 : a.startedAt > b.startedAt ? 1 : a.runId < b.runId ? -1 : 1
