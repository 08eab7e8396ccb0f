import type { Database, DatabaseSession } from './sql-tables.ts'

/** A writer that was stopped while it held the lock must not stop the others for longer than this. */
const longestWaitMs = 10_000

/**
 * Runs `work` while it holds the PostgreSQL advisory lock of that name (export-spec §3.8): writers of ours queue
 * instead of making each other's attempts void. The lock is a courtesy, the compare-and-set the truth: when it
 * cannot be had in time, or its connection breaks, the work goes on without it. A transaction's lock, because
 * poolers between us and the server may hand sessions to others. When `signal` is aborted before the work has
 * begun it never does, and the signal's reason is thrown.
 */
export async function holdingAdvisoryLock<T>(
  database: Database,
  name: string,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const take = async (session: DatabaseSession): Promise<boolean> => {
    await session.query(`SET LOCAL lock_timeout = ${longestWaitMs}`)
    await session.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [name])
    return true
  }
  const session = await lock(database, take, signal)
  try {
    signal?.throwIfAborted()
    return await work()
  } finally {
    await unlock(session)
  }
}

/**
 * Runs `work` while it holds the advisory lock of that name; undefined, and not at all, where another session has it. Where
 * there is no connection to be had for it, the work goes on without.
 */
export async function whileAlone<T>(
  database: Database,
  name: string,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<{ readonly result: T } | undefined> {
  const take = async (session: DatabaseSession): Promise<boolean> => {
    const { rows } = await session.query('SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS got', [
      name,
    ])
    return rows[0]?.['got'] === true
  }
  const session = await lock(database, take, signal)
  try {
    signal?.throwIfAborted()
    return session === 'taken' ? undefined : { result: await work() }
  } finally {
    await unlock(session)
  }
}

async function unlock(session: DatabaseSession | 'taken' | undefined): Promise<void> {
  if (session === undefined || session === 'taken') return
  await session.query('COMMIT').then(
    () => {
      session.release()
    },
    () => {
      session.release(true)
    },
  )
}

/**
 * A session in a transaction in which `take` has taken the lock; undefined where it cannot be had, `taken` where `take` says
 * that another session has it.
 */
async function lock(
  database: Database,
  take: (session: DatabaseSession) => Promise<boolean>,
  signal: AbortSignal | undefined,
): Promise<DatabaseSession | 'taken' | undefined> {
  const session = await database.connect?.().catch(() => undefined)
  if (session === undefined) return undefined
  // The work needs another connection, which takes 10 ms to make: it is made while we wait and manifests are written.
  void database.query('SELECT').catch(() => undefined)
  let isGiven = true
  // Without its connection the statement that waits has failed.
  const giveBack = (): void => {
    if (isGiven) session.release(true)
    isGiven = false
  }
  signal?.addEventListener('abort', giveBack)
  try {
    // It may have been aborted while the connection was made: nobody would hear of it any more.
    signal?.throwIfAborted()
    await session.query('BEGIN')
    await session.query('SET LOCAL idle_in_transaction_session_timeout = 0')
    const isOurs = await take(session)
    signal?.throwIfAborted()
    if (isOurs) return session
    giveBack()
    return 'taken'
  } catch {
    giveBack()
    return undefined
  } finally {
    signal?.removeEventListener('abort', giveBack)
  }
}
