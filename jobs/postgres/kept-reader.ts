import { isDeepStrictEqual } from 'node:util'
import type { Connection } from './connection/connect.ts'
import { openReader, type SnapshotAccess } from './snapshot.ts'

/** A reader's connection, kept for the next table that is read the same way: each is a login and a process of the server's. */
export interface KeptReader {
  /**
   * Lends `work` a connection that sees the instant of `access`. It is closed when `work` fails or runs functions of the source's,
   * and what it does is cancelled when the signal is aborted. Errors: those of `openReader` and of `work`.
   */
  use<Result>(
    access: SnapshotAccess,
    signal: AbortSignal,
    work: (connection: Connection) => Promise<Result>,
    runsFunctions?: boolean,
  ): Promise<Result>
  /** Closes what is kept; the next use opens another one. */
  close(): Promise<void>
}

interface Opened {
  readonly connection: Connection
  readonly access: SnapshotAccess
  /** Of the connection, which outlives the signal of one use. */
  readonly stopping: AbortController
}

/** Keeps none yet. */
export function keptReader(): KeptReader {
  let kept: Opened | undefined
  const close = async (): Promise<void> => {
    const closing = kept
    kept = undefined
    await closing?.connection.close()
  }
  /** The kept one, if it sees the same, tables' policies included, and no one has ended it. */
  const take = async (access: SnapshotAccess): Promise<Opened | undefined> => {
    if (!isDeepStrictEqual(kept?.access, access) || kept?.connection.isBroken() === true) await close()
    const taken = kept
    kept = undefined
    return taken
  }
  return {
    async use(access, signal, work, runsFunctions = false) {
      const taken = await take(access)
      const stopping = taken?.stopping ?? new AbortController()
      const stop = (): void => {
        stopping.abort(signal.reason)
      }
      signal.addEventListener('abort', stop, { once: true })
      let connection = taken?.connection
      try {
        signal.throwIfAborted()
        connection ??= await openReader(access, stopping.signal)
        const result = await work(connection)
        // They may have changed the session, and no rollback undoes all of it: locks of the session, or that a setting of their
        // own is '' from then on where it was NULL, by which a policy hides rows of the next table.
        if (runsFunctions) await connection.close()
        else kept = { connection, access, stopping }
        return result
      } catch (error) {
        await connection?.close()
        throw error
      } finally {
        signal.removeEventListener('abort', stop)
      }
    },
    close,
  }
}
