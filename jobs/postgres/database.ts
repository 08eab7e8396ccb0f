import { connectError, type PostgresSettings } from './connect.ts'
import { pg } from './pg.ts'

interface Queries {
  query(
    sql: string,
    parameters?: unknown[],
  ): Promise<{ readonly rows: readonly Record<string, unknown>[]; readonly rowCount: number | null }>
}

/** Runs single statements, each on whichever connection is free; a broken one is replaced. */
export interface PostgresDatabase extends Queries {
  /** One connection for several statements, to be given back; `destroy`: it is closed then. */
  connect(): Promise<Queries & { release(destroy?: boolean): void }>
  close(): Promise<void>
}

/** A server that went away without a word must not hold up a job for ever; statements here take milliseconds. */
const longestStatementMs = 30_000

const ignore = (): void => undefined

/**
 * Opens a small pool, whose first connection shows that the settings are right; errors are those of `connect`. A
 * statement without an answer for `queryTimeoutMs` fails, and its connection is closed: what it did is unknown.
 */
export async function openDatabase(
  settings: PostgresSettings,
  prefix: string,
  queryTimeoutMs = longestStatementMs,
): Promise<PostgresDatabase> {
  const pool = new pg.Pool({
    ...settings,
    application_name: 'lakejobs',
    max: 2,
    connectionTimeoutMillis: 10_000,
    query_timeout: queryTimeoutMs,
    keepAlive: true,
  })
  // An idle connection that breaks is replaced by the next query; without a listener it would end the process.
  pool.on('error', ignore)
  // The same for one that breaks between two statements of its user, or while it is given back.
  pool.on('connect', (client) => client.on('error', ignore))
  try {
    const client = await pool.connect()
    client.release()
  } catch (error) {
    await pool.end()
    throw connectError(error, settings, prefix)
  }
  return {
    query: (sql, parameters) => pool.query<Record<string, unknown>>(sql, parameters),
    async connect() {
      const client = await pool.connect()
      return {
        query: (sql, parameters) => client.query<Record<string, unknown>>(sql, parameters),
        release(destroy) {
          client.release(destroy)
        },
      }
    },
    close: () => pool.end(),
  }
}
