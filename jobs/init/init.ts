import type { JobContext } from '../context.ts'
import { asError, decisive, JobError } from '../errors.ts'
import { withOutcome, type InitItem, type Outcome } from '../summary.ts'

/** Something that `init` makes, independent of the other parts. */
export interface InitPart {
  /** What it is called when it fails. */
  readonly item: string
  /** Makes what is missing of it, at once with others or again. */
  readonly make: () => Promise<readonly InitItem[]>
}

/**
 * Makes each part in turn, once, whatever became of those before it: what can be made is there after a run that failed.
 * The failure that decides the exit status is thrown, with every item in its outcome; the others are logged.
 */
export async function init(
  parts: readonly InitPart[],
  { logger, signal }: Pick<JobContext, 'logger' | 'signal'>,
): Promise<Outcome> {
  const items: InitItem[] = []
  const failures: Error[] = []
  for (const { item, make } of parts) {
    signal.throwIfAborted()
    try {
      items.push(...(await make()))
    } catch (thrown) {
      const error = asError(thrown)
      const fix = error instanceof JobError ? error.fix : undefined
      failures.push(error)
      items.push({
        item,
        state: 'failed',
        note: fix === undefined ? error.message : `${error.message}: ${fix}`,
      })
    }
  }
  signal.throwIfAborted()
  if (failures.length === 0) return { items }
  const deciding = decisive(failures)
  for (const other of failures.filter((failure) => failure !== deciding)) logger.error(other.message)
  throw withOutcome(deciding, { items })
}
