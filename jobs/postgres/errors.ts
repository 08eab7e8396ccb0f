import { JobError, asError, dataError, systemCode, usageError } from '../errors.ts'

/**
 * The exported snapshot is gone and cannot be taken up again: the whole export starts anew under another one.
 * SQLSTATE 40001 on a standby (a conflict with recovery), or a snapshot file that no longer exists.
 */
export class SnapshotLost extends JobError {
  constructor(cause: unknown) {
    super(
      'snapshotLost',
      'the source snapshot was lost: the server cancelled it (a standby that replays changes)',
      {
        fix: 'run again; on a standby raise max_standby_streaming_delay or set hot_standby_feedback = on',
        cause,
      },
    )
  }
}

/** A lock could not be had in time, or at once: another transaction holds or awaits a conflicting one. */
export class LockUnavailable extends JobError {
  constructor(table: string, cause: unknown) {
    super('failed', `${table} is locked by another transaction`, {
      field: table,
      fix: 'wait for the running ALTER, TRUNCATE, VACUUM FULL or REFRESH, or raise the lock timeout',
      cause,
    })
  }
}

/** The connection broke off, or the server ends it: a reset, a time-out, SQLSTATEs of class 08 and of a shutdown. */
const connectionLost = /^(E[A-Z]+|08...|57P0[123])$/
const connectionText = /^Connection terminated|^Client has encountered a connection error|timeout/

/** The source went away in the middle. */
const lostConnection = (thrown: Error): JobError =>
  new JobError('failed', `the connection to PostgreSQL was lost: ${thrown.message}`, {
    fix: 'run again; if it persists, check the network and the server’s log',
    cause: thrown,
  })

/** SQLSTATEs of class 22, 23 and 2F: the statement met a value it cannot handle. */
const dataClass = /^(22|23)/

/**
 * What a server's error means to the user of `table` (or of the database, when it is undefined), or that it could
 * not be reached any more. Other errors come back as they are.
 */
export function serverError(thrown: unknown, table?: string): Error {
  const code = systemCode(thrown)
  if (thrown instanceof JobError || !(thrown instanceof Error)) return asError(thrown)
  if (code === undefined) return connectionText.test(thrown.message) ? lostConnection(thrown) : thrown
  if (connectionLost.test(code)) return lostConnection(thrown)
  const where = table === undefined ? '' : `${table}: `
  const details = { ...(table !== undefined && { field: table }), cause: thrown }
  if (code === '40001') return new SnapshotLost(thrown)
  if (code === '55P03') return new LockUnavailable(table ?? 'a table', thrown)
  if (code === '42501') {
    return usageError(`${where}${thrown.message}`, {
      ...details,
      fix: 'grant the role what it lacks (to read a table: GRANT SELECT), or connect as a role that has it',
    })
  }
  if (code === '42P01' || code === '3F000') {
    return usageError(`${where}${thrown.message}`, { ...details, fix: 'check the schema and the table name' })
  }
  if (dataClass.test(code)) return dataError(`${where}${thrown.message}`, details)
  return new JobError('failed', `${where}${thrown.message} (${code})`, {
    ...details,
    fix: 'run again; if it persists, look into the server’s log',
  })
}
