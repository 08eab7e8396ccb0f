import type { Logger } from 'pino'
import type { Progress } from './progress.ts'

/** What every job gets from main.ts: the effects and the identity of this run. Nothing else is global. */
export interface JobContext {
  readonly runId: string
  /** Injected clock. */
  readonly now: () => Date
  readonly logger: Logger
  readonly progress: Progress
  /** Aborted by SIGINT and SIGTERM with an `Interrupted`; long work checks it and cleans up. */
  readonly signal: AbortSignal
  /** The environment: process.env over `.env`, empty values removed. Read through options.ts only. */
  readonly env: Readonly<Record<string, string>>
  /** Where the value of an environment name comes from in this run, a flag of the command included. */
  readonly originOf: (name: string) => 'flag' | 'environment' | '.env' | 'default'
}
