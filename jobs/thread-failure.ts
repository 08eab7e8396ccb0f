import { asError, JobError, type ErrorCode } from './errors.ts'

/** A failure on its way between threads: an error's class does not survive the passage, its code does. */
export interface ThreadFailure {
  readonly kind: 'failed'
  readonly code: ErrorCode | undefined
  readonly message: string
  readonly field: string | undefined
  readonly fix: string | undefined
}

/** What a thread tells of what was thrown in it. */
export function toThreadFailure(thrown: unknown): ThreadFailure {
  const error = asError(thrown)
  const { code, field, fix } = error instanceof JobError ? error : {}
  return { kind: 'failed', code, message: error.message, field, fix }
}

/** The error to throw for it in the thread that asked. */
export const fromThreadFailure = ({ code, message, field, fix }: ThreadFailure): Error =>
  code === undefined
    ? new Error(message)
    : new JobError(code, message, {
        ...(field === undefined ? {} : { field }),
        ...(fix === undefined ? {} : { fix }),
      })
