import { addDays, type Day } from '../../calendar.ts'
import { mapConcurrently } from '../../concurrency.ts'
import { daysKept } from '../../runs/leave-run.ts'
import { readRuns } from '../../runs/read-runs.ts'
import type { FileIO } from '../../storage/file-io.ts'
import { parseRun, type Run } from '../../summary.ts'

/** Where runs leave their summaries. */
export interface RunsPlace {
  readonly io: FileIO
  readonly place: string
}

/** Jobs whose runs a report tells of. */
const told = ['export', 'verify', 'maintain', 'aggregate'] as const

/**
 * How far back runs are looked for: more than the squares show, for the median of rows; of verifies all, as what one of them found
 * wrong is so until another proves it.
 */
const daysBack = (job: (typeof told)[number]): number => (job === 'verify' ? daysKept : 45)

/** What runs that began in the weeks before `day`, or since, have left in these places, oldest first. */
export async function recentRuns(places: readonly RunsPlace[], day: Day): Promise<Run[]> {
  const wanted = places.flatMap((one) => told.map((job) => ({ ...one, job })))
  const read = await mapConcurrently(wanted, told.length, ({ io, place, job }) =>
    readRuns(io, place, { job, since: addDays(day, -daysBack(job)) }, parseRun),
  )
  return read
    .flatMap(({ runs }) => runs)
    .sort((a, b) =>
      a.startedAt < b.startedAt ? -1 : a.startedAt > b.startedAt ? 1 : a.runId < b.runId ? -1 : 1,
    )
}
