import { types } from 'node:util'

/**
 * The errors a caller of a job can tell apart: one class, one code per decision. The code fixes the exit
 * status (docs/architecture.md, "exit codes"); `field` names what was wrong, `fix` what to do about it.
 */
export const exitCodes = {
  failed: 1,
  /** The source's snapshot is gone: what was read of it cannot be completed, only read anew. */
  snapshotLost: 1,
  usage: 2,
  data: 3,
  conflict: 4,
  unknownCommit: 4,
  notYet: 5,
  nothingToDo: 99,
} as const

export type ErrorCode = keyof typeof exitCodes

export interface ErrorDetails {
  /** The option, environment name, table, column or file that the message is about. */
  readonly field?: string
  /** One sentence in the imperative: what makes the next run succeed. */
  readonly fix?: string
  readonly cause?: unknown
  /** What was done until then, for whoever reports the run; nothing else looks inside (`outcomeOf` of summary.ts). */
  readonly outcome?: object
}

/** A failure that the user can act on: printed as one line, without a stack trace. */
export class JobError extends Error {
  override readonly name = 'JobError'
  readonly code: ErrorCode
  readonly field: string | undefined
  readonly fix: string | undefined
  readonly outcome: object

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.field = details.field
    this.fix = details.fix
    this.outcome = details.outcome ?? {}
  }
}

/** The run was stopped by a signal; everything unpublished has been cleaned up. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted'
  readonly signal: 'SIGINT' | 'SIGTERM'

  constructor(signal: 'SIGINT' | 'SIGTERM') {
    super(`stopped by ${signal}`)
    this.signal = signal
  }
}

/** Wrong flag, environment value or configuration: exit 2. */
export const usageError = (message: string, details?: ErrorDetails): JobError =>
  new JobError('usage', message, details)

/** The data does not allow the job to go on: exit 3. */
export const dataError = (message: string, details?: ErrorDetails): JobError =>
  new JobError('data', message, details)

/** Whatever was thrown, as an Error; also one of another realm, as native add-ons throw them under Jest. */
export const asError = (thrown: unknown): Error =>
  types.isNativeError(thrown) ? thrown : new Error(String(thrown))

/** The system's error code (`ENOENT`, `ECONNREFUSED`, an SQLSTATE …), if `thrown` carries one. */
export function systemCode(thrown: unknown): string | undefined {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return undefined
  return typeof thrown.code === 'string' ? thrown.code : undefined
}

const listCap = 20

/** Items of a message, 20 at most: `a, b`; of more than 20 how many are left out. */
export const listed = (items: readonly string[], separator = ', '): string =>
  items.length <= listCap
    ? items.join(separator)
    : `${items.slice(0, listCap).join(separator)} and ${items.length - listCap} more`

/** A word as a shell takes it, quoted where it must be. */
export const shellWord = (text: string): string =>
  /^[\w.,=:/-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`

const mostNear = 3

/** Names that differ from one by a third of its letters at most, from a short one by two if that leaves two, the nearest first. */
export function nearest(names: readonly string[], name: string): string[] {
  const most = Math.min(Math.max(2, Math.floor(name.length / 3)), name.length - 2)
  return names
    .map((one) => ({ one, distance: distance(one.toLowerCase(), name.toLowerCase()) }))
    .filter((near) => near.distance <= most)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, mostNear)
    .map(({ one }) => one)
}

/** Levenshtein's: letters to insert, remove or replace. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)))
    row = next
  }
  return row[b.length]!
}

const ranks = [exitCodes.usage, exitCodes.data, exitCodes.conflict, exitCodes.failed] as const

/**
 * Of the failures of one run's independent parts the one that decides its exit status: the first of 2, 3, 4 and 1 that
 * occurred (operations-spec §1.4). `failures` holds at least one.
 */
export function decisive(failures: readonly Error[]): Error {
  const exitOf = (error: Error): number =>
    error instanceof JobError ? exitCodes[error.code] : exitCodes.failed
  return ranks.flatMap((exit) => failures.filter((error) => exitOf(error) === exit))[0] ?? failures[0]!
}
