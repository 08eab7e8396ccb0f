import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import { JobError, asError, systemCode, usageError } from '../errors.ts'
import { serverError } from './errors.ts'
import { createCopySocket, type CopySocket } from './socket.ts'
import { pg } from './pg.ts'

export interface PostgresSettings {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: string
}

export interface ConnectOptions {
  /** What the environment names of the settings begin with (`POSTGRES`, `ICEBERG_POSTGRES`); for messages. */
  readonly prefix: string
  /** Aborting it cancels the running statement at the server and closes the connection. */
  readonly signal?: AbortSignal
}

/** One connection. Statements run one after the other; after an abort every call throws the signal's reason. */
export interface Connection {
  /** For what speaks the protocol itself (COPY); everything else goes through `query`. */
  readonly client: pg.Client
  readonly copySocket: CopySocket
  readonly settings: PostgresSettings
  /** Runs one statement; server errors come as JobErrors, with `table` as their subject. */
  query(sql: string, parameters?: readonly unknown[], table?: string): Promise<Record<string, unknown>[]>
  /** What a failure of a statement means: the abort's reason, a JobError for a server's error. */
  explain(thrown: unknown, table?: string): Error
  /** Cancels the running statement at the server and cuts the connection. */
  kill(): void
  /** Ends the connection; never throws, may be called twice. */
  close(): Promise<void>
}

const connectTimeoutMs = 10_000
const keepAliveMs = 30_000

/**
 * Connects. Wrong credentials and a missing database are configuration (exit 2), a server that is away is not
 * (exit 1); the error's `field` is the environment name to correct. No message ever holds the password.
 */
export async function connect(settings: PostgresSettings, options: ConnectOptions): Promise<Connection> {
  const { signal } = options
  signal?.throwIfAborted()
  const copySocket = createCopySocket()
  const client = new pg.Client({
    ...settings,
    stream: () => copySocket.socket,
    application_name: 'lakejobs',
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAliveMs,
    connectionTimeoutMillis: connectTimeoutMs,
  })
  // Without a listener a connection that breaks while idle would end the process. The next query fails because of it, but
  // does not say so: a standby that cancels an idle transaction is a lost snapshot, whichever statement finds out.
  let broken: Error | undefined
  client.on('error', (error) => {
    broken ??= error
  })
  try {
    await client.connect()
  } catch (error) {
    throw connectError(error, settings, options.prefix)
  }
  const kill = (): void => {
    void sendCancel(settings, client)
      .catch(() => undefined)
      .then(() => copySocket.socket.destroy())
  }
  const explain = (thrown: unknown, table?: string): Error =>
    signal?.aborted === true ? asError(signal.reason) : serverError(broken ?? thrown, table)
  signal?.addEventListener('abort', kill, { once: true })
  return {
    client,
    copySocket,
    settings,
    explain,
    kill,
    async query(sql, parameters = [], table) {
      signal?.throwIfAborted()
      try {
        const result: pg.QueryResult<Record<string, unknown>> =
          parameters.length > 0 ? await client.query(sql, [...parameters]) : await client.query(sql)
        return result.rows
      } catch (error) {
        throw explain(error, table)
      }
    },
    async close() {
      signal?.removeEventListener('abort', kill)
      await client.end().catch(() => undefined)
    },
  }
}

/** The codes of a CancelRequest: protocol 1234.5678 (PostgreSQL docs, "Message Formats"). */
const cancelRequest = 80_877_102

/** Sends a CancelRequest on a connection of its own; the server closes it once the request is passed on. */
async function sendCancel({ host, port }: PostgresSettings, client: pg.Client): Promise<void> {
  const { processID, secretKey } = client as pg.Client & { processID: number; secretKey: number }
  const request = Buffer.alloc(16)
  request.writeInt32BE(16, 0)
  request.writeInt32BE(cancelRequest, 4)
  request.writeInt32BE(processID, 8)
  request.writeInt32BE(secretKey, 12)
  const socket = connectSocket(port, host)
  socket.setTimeout(connectTimeoutMs, () => socket.destroy())
  socket.resume()
  socket.end(request)
  await once(socket, 'close')
}

/** What a failure to connect means, as `connect` says it. */
export function connectError(thrown: unknown, settings: PostgresSettings, prefix: string): JobError {
  const { host, port, database, user } = settings
  const cause = asError(thrown)
  const server = `PostgreSQL at ${host}:${port}`
  switch (systemCode(thrown)) {
    case '28P01':
      return usageError(`${server} refuses the password of user ${user}`, {
        field: `${prefix}_PASSWORD`,
        fix: `correct ${prefix}_PASSWORD or ${prefix}_USER`,
        cause,
      })
    case '28000':
      return usageError(`${server} does not let user ${user} into database ${database}: ${cause.message}`, {
        field: `${prefix}_USER`,
        fix: `correct ${prefix}_USER, or allow the connection in pg_hba.conf`,
        cause,
      })
    case '3D000':
      return usageError(`${server} has no database ${database}`, {
        field: `${prefix}_DB`,
        fix: `correct ${prefix}_DB, or create the database`,
        cause,
      })
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new JobError('failed', `no host is called ${host}`, {
        field: `${prefix}_HOST`,
        fix: `correct ${prefix}_HOST, or start the server that has this name`,
        cause,
      })
    case 'ECONNREFUSED':
      return new JobError('failed', `nothing listens at ${host}:${port}`, {
        field: `${prefix}_HOST`,
        fix: `start PostgreSQL there, or correct ${prefix}_HOST and ${prefix}_PORT`,
        cause,
      })
    default:
  }
  if (cause.message.startsWith('SASL')) {
    return usageError(`${server} wants a password for user ${user} and there is none it takes`, {
      field: `${prefix}_PASSWORD`,
      fix: `set ${prefix}_PASSWORD`,
      cause,
    })
  }
  return new JobError('failed', `cannot connect to ${server}: ${cause.message}`, {
    field: `${prefix}_HOST`,
    fix: `see whether ${host}:${port} is reachable and is a PostgreSQL server`,
    cause,
  })
}
