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
export async function inTurn<T>(
  database: Database,
  name: string,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const session = await lock(database, name, signal)
  try {
    signal?.throwIfAborted()
    return await work()
  } finally {
    await session?.query('COMMIT').then(
      () => {
        session.release()
      },
      () => {
        session.release(true)
      },
    )
  }
}

async function lock(
  database: Database,
  name: string,
  signal: AbortSignal | undefined,
): Promise<DatabaseSession | undefined> {
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
    await session.query(`SET LOCAL lock_timeout = ${longestWaitMs}`)
    await session.query('SET LOCAL idle_in_transaction_session_timeout = 0')
    await session.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [name])
    signal?.throwIfAborted()
    return session
  } catch {
    giveBack()
    return undefined
  } finally {
    signal?.removeEventListener('abort', giveBack)
  }
}
