import { connect, type PostgresSettings } from './connect.ts'
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
const queryTimeoutMs = 30_000

const ignore = (): void => undefined

/** Opens a small pool, after one connection has shown that the settings are right (its errors are `connect`'s). */
export async function openDatabase(settings: PostgresSettings, prefix: string): Promise<PostgresDatabase> {
  await (await connect(settings, { prefix })).close()
  const pool = new pg.Pool({
    ...settings,
    application_name: 'lakejobs',
    max: 2,
    connectionTimeoutMillis: 10_000,
    query_timeout: queryTimeoutMs,
    keepAlive: true,
  })
  // An idle connection that breaks is replaced by the next query; without a listener it would end the process.
  pool.on('error', () => undefined)
  return {
    query: (sql, parameters) => pool.query<Record<string, unknown>>(sql, parameters),
    async connect() {
      const client = await pool.connect()
      // As above, for a connection that breaks between two statements of its user.
      client.on('error', ignore)
      return {
        query: (sql, parameters) => client.query<Record<string, unknown>>(sql, parameters),
        release(destroy) {
          client.off('error', ignore)
          client.release(destroy)
        },
      }
    },
    close: () => pool.end(),
  }
}
