import type { Database, DatabaseSession } from './sql-tables.ts'

/** A writer that was stopped while it held the lock must not stop the others for longer than this. */
const longestWaitMs = 10_000

/**
 * Runs `work` while it holds the PostgreSQL advisory lock of that name (export-spec §3.8): writers of ours queue
 * instead of making each other's attempts void. The lock is a courtesy, the compare-and-set the truth: when it
 * cannot be had in time, or its connection breaks, the work goes on without it. A transaction's lock, because
 * poolers between us and the server may hand sessions to others.
 */
export async function inTurn<T>(database: Database, name: string, work: () => Promise<T>): Promise<T> {
  const session = await lock(database, name)
  try {
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

async function lock(database: Database, name: string): Promise<DatabaseSession | undefined> {
  const session = await database.connect?.().catch(() => undefined)
  // The work needs another connection, which takes 10 ms to make: it is made while we wait and manifests are written.
  if (session !== undefined) void database.query('SELECT').catch(() => undefined)
  try {
    await session?.query('BEGIN')
    await session?.query(`SET LOCAL lock_timeout = ${longestWaitMs}`)
    await session?.query('SET LOCAL idle_in_transaction_session_timeout = 0')
    await session?.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [name])
    return session
  } catch {
    session?.release(true)
    return undefined
  }
}
