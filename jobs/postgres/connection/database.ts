import { connectError } from './connect-error.ts'
import type { TlsFacts } from './open-stream.ts'
import { createPool } from './pool.ts'
import { openSession, type Session } from './session.ts'
import type { PostgresSettings } from './settings.ts'

interface Queries {
  query(
    sql: string,
    parameters?: unknown[],
  ): Promise<{ readonly rows: readonly Record<string, unknown>[]; readonly rowCount: number | null }>
}

/** Runs single statements, each on whichever connection is free; a broken one is replaced. */
export interface PostgresDatabase extends Queries {
  /** Of the first connection; undefined: not encrypted. */
  readonly tls: TlsFacts | undefined
  /** One connection for several statements, to be given back; `destroy`: it is closed then. */
  connect(): Promise<Queries & { release(destroy?: boolean): void }>
  close(): Promise<void>
}

/** A server that went away without a word must not hold up a job for ever; statements here take milliseconds. */
const longestStatementMs = 30_000
/** Of a maintenance: one that shows that it works on the table, one in the queue of writers, one for statements. */
const mostConnections = 3

/**
 * Opens a small pool, whose first connection shows that the settings are right; errors are those of `connect`. A
 * statement without an answer for `queryTimeoutMs` fails, and its connection is closed: what it did is unknown.
 */
export async function openDatabase(
  settings: PostgresSettings,
  prefix: string,
  queryTimeoutMs = longestStatementMs,
): Promise<PostgresDatabase> {
  const open = (): Promise<Session> => openSession(settings, { prefix, queryTimeoutMs })
  const first = await open().catch((error: unknown) => {
    throw connectError(error, settings, prefix)
  })
  const pool = createPool(mostConnections, first, open)
  const queriesOf = ({ client }: Session): Queries => ({
    query: (sql, parameters) => client.query<Record<string, unknown>>(sql, parameters),
  })
  return {
    tls: first.stream.tls,
    async query(sql, parameters) {
      const { session, release } = await pool.borrow()
      try {
        const result = await queriesOf(session).query(sql, parameters)
        release()
        return result
      } catch (error) {
        release(true)
        throw error
      }
    },
    async connect() {
      const { session, release } = await pool.borrow()
      return { ...queriesOf(session), release }
    },
    close: () => pool.close(),
  }
}
