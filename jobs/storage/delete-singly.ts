import { mapConcurrently } from '../concurrency.ts'
import { asError } from '../errors.ts'
import type { Deletion } from './file-io.ts'

const atOnce = 16

/** `deleteAll` of a store that removes one object at a time. `remove` tells whether it has only hidden the object. */
export async function deleteSingly(
  remove: (location: string) => Promise<boolean>,
  locations: readonly string[],
  signal?: AbortSignal,
): Promise<Deletion> {
  let hidden = 0
  const failures: Deletion['failures'][number][] = []
  await mapConcurrently(locations, atOnce, async (location) => {
    signal?.throwIfAborted()
    try {
      if (await remove(location)) hidden++
    } catch (error) {
      failures.push({ location, error: asError(error) })
    }
  })
  return { failures, hidden }
}
