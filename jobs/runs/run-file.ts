import { isDay, type Day } from '../calendar.ts'
import { join } from '../storage/place.ts'

/** What a run's place is made of. */
export interface RunIdentity {
  readonly job: string
  /** A UUID. */
  readonly runId: string
  /** ISO 8601, UTC. */
  readonly startedAt: string
}

/** `<folder>/<job>/<day it began, UTC>/<runId>.json`. */
export const runLocation = (folder: string, { job, startedAt, runId }: RunIdentity): string =>
  join(folder, job, startedAt.slice(0, 10), `${runId}.json`)

const form = /^([a-z]+)\/([^/]+)\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.json$/

/** The job and the day of a file of a run; undefined for a file of others, which is left alone. */
export function runFile(
  folder: string,
  location: string,
): { readonly job: string; readonly day: Day } | undefined {
  const [, job, day] = form.exec(location.slice(join(folder, '').length)) ?? []
  return job !== undefined && day !== undefined && isDay(day) ? { job, day } : undefined
}
