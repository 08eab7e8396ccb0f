import type { JobContext } from '../context.ts'
import { asError, decisive, JobError } from '../errors.ts'
import { withOutcome, type CheckSummary, type Outcome } from '../summary.ts'

/**
 * Tries one thing and notes how long it took and what came of it; `test` returns what is worth knowing of its success.
 * False when it failed: what needs it cannot be tested.
 */
export type Attempt = (name: string, test: () => Promise<string>) => Promise<boolean>

/** Something that works, and that somebody should look at: it changes no exit status. */
export interface Warning {
  readonly check: string
  readonly detail: string
  /** The command or setting that mends it. */
  readonly fix: string
}

/** One connection's or place's checks. It throws nothing of its own. */
export type Check = (attempt: Attempt, warn: (warning: Warning) => void) => Promise<void>

/**
 * Runs all checks side by side, each to its end. When some failed, the failure that decides the exit status is thrown,
 * with every check in its outcome, those that failed first, then warnings; these and the other failures are logged.
 */
export async function runChecks(
  checks: readonly Check[],
  { now, logger, signal }: Pick<JobContext, 'now' | 'logger' | 'signal'>,
): Promise<Outcome> {
  const failures: Error[] = []
  const results = await Promise.all(
    checks.map(async (check) => {
      const summaries: CheckSummary[] = []
      const attempt: Attempt = async (name, test) => {
        const start = now().getTime()
        const failure = await test().then(
          (detail) => {
            summaries.push({ check: name, status: 'ok', milliseconds: now().getTime() - start, detail })
            return undefined
          },
          (thrown: unknown) => asError(thrown),
        )
        if (failure === undefined) return true
        failures.push(failure)
        summaries.push({
          check: name,
          status: 'failed',
          milliseconds: now().getTime() - start,
          detail: failure.message,
          ...(failure instanceof JobError && {
            ...(failure.field !== undefined && { field: failure.field }),
            ...(failure.fix !== undefined && { fix: failure.fix }),
          }),
        })
        return false
      }
      await check(attempt, (warning) => {
        summaries.push({ ...warning, status: 'warning', milliseconds: 0 })
        logger.warn(`${warning.check}: ${warning.detail}: ${warning.fix}`)
      })
      return summaries
    }),
  )
  signal.throwIfAborted()
  const summaries = results.flat()
  const outcome = {
    checks: (['failed', 'warning', 'ok'] as const).flatMap((status) =>
      summaries.filter((one) => one.status === status),
    ),
  }
  if (failures.length === 0) return outcome
  const deciding = decisive(failures)
  for (const other of failures.filter((failure) => failure !== deciding)) logger.error(other.message)
  throw withOutcome(deciding, outcome)
}
