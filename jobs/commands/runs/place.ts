import type { JobContext } from '../../context.ts'

type Given = Readonly<Record<string, unknown>>

/** A dry run does nothing, and leaves nothing. */
const isDry = (given: Given): boolean => given['dry-run'] !== undefined && given['dry-run'] !== false

/** Of a job of the lake. */
export async function lakeRunsPlace(given: Given, env: JobContext['env']): Promise<string | undefined> {
  if (isDry(given)) return undefined
  return (await import('../../settings/runs-place.ts')).runsPlace(env)
}

/** Of a job of the CRUD logs. */
export async function crudRunsPlace({ output }: Given, env: JobContext['env']): Promise<string | undefined> {
  const { crudRunsPlace: placeOf } = await import('../../settings/runs-place.ts')
  return placeOf(env, typeof output === 'string' ? output : undefined)
}
