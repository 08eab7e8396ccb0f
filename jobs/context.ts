import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Progress } from './progress.ts'

/** What every job gets from main.ts: the effects and the identity of this run. Nothing else is global. */
export interface JobContext {
  readonly runId: string
  /** Injected clock. */
  readonly now: () => Date
  readonly logger: Logger
  readonly progress: Progress
  /** Does a part of the work, whose time the run's summary tells. Parts of one stage that are done at once count once. */
  readonly during: <T>(stage: Stage, work: () => Promise<T>) => Promise<T>
  /** Aborted by SIGINT and SIGTERM with an `Interrupted`; long work checks it and cleans up. */
  readonly signal: AbortSignal
  /** The environment: process.env over `.env`, empty values removed. Read through options.ts only. */
  readonly env: Readonly<Record<string, string>>
  /** Where the value of an environment name comes from in this run, a flag of the command included. */
  readonly originOf: (name: string) => 'flag' | 'environment' | '.env' | 'default'
  /** The environment names of every command's options. */
  readonly optionNames: () => Promise<readonly string[]>
  /** Takes note of what this run reads and writes; undefined where nobody wants to know. */
  readonly touches?: (what: Touched) => void
}

/** What a job is busy with; docs/telemetry/metrics.md tells which job has which. */
export type Stage =
  'plan' | 'read' | 'commit' | 'lake' | 'source' | 'count' | 'publish' | 'compact' | 'expire' | 'orphans'

/** Something that a run reads (`input`) or writes (`output`): `table` is its name in the run's summary. */
export type Touched = { readonly role: 'input' | 'output' } & (
  | {
      readonly kind: 'source'
      readonly host: string
      readonly port: number
      readonly database: string
      readonly schema: string
      readonly table: string
    }
  /** An Iceberg table; `location` is its folder. */
  | {
      readonly kind: 'lake'
      readonly table: string
      readonly location: string
      readonly fields: readonly {
        readonly name: string
        readonly type: string | { readonly type: string }
      }[]
    }
  /** A folder of plain files. */
  | { readonly kind: 'files'; readonly table?: string; readonly location: string }
)

/** Standard output, for the command whose result it carries (`CommandSpec.prints`). */
export interface ResultOutput {
  /** Resolves when it has been taken, or nobody reads any more. */
  readonly write: (text: string) => Promise<void>
  /** Columns of the terminal; undefined: it is none, and nothing need be cut to its width. */
  readonly columns: number | undefined
  /** A terminal whose user wants colours (no-color.org). */
  readonly colours: boolean
}

/** What a library may do of a run's that is no result: the clock, chance, waiting (in ms, ended by the signal), the log. */
export interface Effects {
  readonly now: () => Date
  readonly uuid: () => string
  /** Cryptographic. */
  readonly randomBytes: (size: number) => Buffer
  /** In [0, 1). */
  readonly random: () => number
  readonly sleep: (ms: number) => Promise<void>
  readonly signal: AbortSignal
  readonly log: (level: 'info' | 'warn', fields: Readonly<Record<string, unknown>>, message: string) => void
}

export const effectsOf = ({
  now,
  signal,
  logger,
}: Pick<JobContext, 'now' | 'signal' | 'logger'>): Effects => ({
  now,
  uuid: randomUUID,
  randomBytes,
  random: Math.random,
  sleep: (ms) => setTimeout(ms, undefined, { signal }),
  signal,
  log: (level, fields, message) => {
    logger[level](fields, message)
  },
})
