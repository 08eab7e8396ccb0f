import { JobError } from '../errors.ts'
import type { ReachableFile } from '../lake/reachable.ts'
import type { FileIO } from '../storage/file-io.ts'
import { createTally, type Tally } from './tally.ts'

/** What came of the files that nobody needs. */
export interface Removed {
  /** Gone; of a dry run those that would go. */
  readonly freed: Tally
  /** Of these, how many are hidden and not freed: their bucket keeps versions. */
  readonly hidden: number
  /** Not ours to remove: outside of the table's folders, or shared. */
  readonly leftAlone: Tally
  /** Could not be removed; the next `orphans` finds them. */
  readonly failed: Tally
  readonly failures: readonly string[]
}

/** In memory at a time. */
const batchFiles = 1000
const mostFailures = 20

/**
 * Removes files as they come, in batches; with `dryRun` it only counts the same ones. A failure leaves its file and goes on.
 * Errors: those of `files`; the signal's reason, between two requests.
 */
export async function removeFiles(
  io: FileIO,
  files: AsyncIterable<ReachableFile>,
  isOurs: (file: ReachableFile) => boolean,
  { dryRun, signal }: { readonly dryRun: boolean; readonly signal: AbortSignal },
): Promise<Removed> {
  const [freed, leftAlone, failed] = [createTally(), createTally(), createTally()]
  const failures: string[] = []
  let hidden = 0
  const flush = async (batch: readonly ReachableFile[]): Promise<void> => {
    const locations = batch.map(({ location }) => location)
    const deletion = dryRun ? { failures: [], hidden: 0 } : await io.deleteAll(locations, signal)
    hidden += deletion.hidden
    const stay = new Map(deletion.failures.map(({ location, error }) => [location, error]))
    for (const file of batch) {
      const error = stay.get(file.location)
      ;(error === undefined ? freed : failed).add(file)
      if (error !== undefined && failures.length < mostFailures) failures.push(failureText(error))
    }
  }
  let batch: ReachableFile[] = []
  for await (const file of files) {
    signal.throwIfAborted()
    if (!isOurs(file)) {
      leftAlone.add(file)
      continue
    }
    batch.push(file)
    if (batch.length < batchFiles) continue
    await flush(batch)
    batch = []
  }
  if (batch.length > 0) await flush(batch)
  return { freed, hidden, leftAlone, failed, failures }
}

/** With what mends it. */
export const failureText = (error: Error): string =>
  error instanceof JobError && error.fix !== undefined ? `${error.message}: ${error.fix}` : error.message
