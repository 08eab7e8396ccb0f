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
 * What the same statement meets again however often it is run: the statement, or the view and its functions behind the
 * name, does not fit (42, but for our own syntax and names that are taken), raises (P0, 38, 39), gives too many rows (21), writes (25006), is too large (54) or uses what the
 * server has not (0A).
 */
const definitionClass = /^(42(?!601|701|710|712|723|P0[3-7])|P0|38|39|21|25006|54|0A)/
const definitionFix = 'see that a SELECT from it works for this role: correct the view or function behind it'

const remedies: Readonly<Record<string, string>> = {
  '55000': 'if it is a materialized view, fill it with REFRESH MATERIALIZED VIEW',
  '42846': 'use another type with --cast (text takes every one), or leave the column out with --columns',
  '42883': 'use another type with --cast (text takes every one), or create the function at the source',
}

/** PostgreSQL's functions that find a right missing (`routine` of the error; messages are translated). */
function privilegeFix(thrown: Error): string {
  const routine = 'routine' in thrown ? thrown.routine : undefined
  if (routine === 'check_enable_rls')
    return 'connect as a role with BYPASSRLS, or allow the filtered read with --row-security'
  return 'grant the role what it lacks (GRANT SELECT to read a table, GRANT INSERT to fill it, GRANT USAGE on its schema), or connect as a role that has it'
}

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
  const said = (make: typeof usageError, fix: string): JobError =>
    make(`${where}${thrown.message}`, { ...details, fix })
  if (code === '42501') return said(usageError, privilegeFix(thrown))
  if (code === '42P01' || code === '3F000') return said(usageError, 'check the schema and the table name')
  if (dataClass.test(code)) return said(dataError, 'correct the value at the source')
  const remedy = remedies[code] ?? (definitionClass.test(code) ? definitionFix : undefined)
  if (remedy !== undefined) return said(dataError, remedy)
  return new JobError('failed', `${where}${thrown.message} (${code})`, {
    ...details,
    fix: 'run again; if it persists, look into the server’s log',
  })
}
