import { dataError } from '../../errors.ts'
import type { FileIO } from '../../storage/file-io.ts'
import { assertOurs } from './ours.ts'
import { readPublished, resultLocation } from '../published.ts'
import { resultHeader } from './write-result.ts'
import type { AggregateOptions } from '../run.ts'
import type { Window } from '../window.ts'

/**
 * Throws unless what stands at the place of a window's result may be replaced by one of `events`: exit 2 for what is not
 * ours, exit 3 for a result of so many more that logs were probably emptied or pruned (aggregate-spec §4.3).
 */
export async function assertReplaceable(
  io: FileIO,
  { output, maxShrink }: Pick<AggregateOptions, 'output' | 'maxShrink'>,
  { window, events }: { readonly window: Window; readonly events: number },
): Promise<void> {
  const { last, length } = window
  const location = resultLocation(output, last, length)
  await assertOurs(io, location, { firstLine: resultHeader, field: '--output' })
  if (maxShrink >= 1) return
  const before = (await readPublished(io, output, last, length))?.events ?? 0
  if (events >= before * (1 - maxShrink)) return
  if ((await io.stat(location)) === undefined) return
  throw dataError(`${location}: a result of ${before} events would be replaced by one of ${events}`, {
    field: '--max-shrink',
    fix: 'put the logs back that are missing or cut; if all is right, allow it with --max-shrink 100%',
  })
}
