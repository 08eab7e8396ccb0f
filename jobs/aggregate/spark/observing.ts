import type { Observed } from '../../spark/execute.ts'
import type { Plan } from '../../spark/plan.ts'
import type { SparkSession } from '../../spark/session.ts'

/**
 * Runs a plan that replaces what it has written, and once more where something that it observes is not told: a server waits for it for
 * a tenth of a second (Spark's `Observation.getOrEmpty`), which with much else to do is too short. Of no row nothing is observed.
 */
export async function observing(
  session: Pick<SparkSession, 'run'>,
  plan: Plan,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<Observed> {
  const observed = await session.run(plan, signal)
  const isTold = (name: string): boolean => Object.keys(observed.get(name) ?? {}).length > 0
  return names.every(isTold) ? observed : session.run(plan, signal)
}
