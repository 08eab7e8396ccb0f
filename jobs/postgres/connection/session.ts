import { once } from 'node:events'
import { systemCode } from '../../errors.ts'
import {
  connectTimeoutMs,
  noAnswer,
  openStream,
  TlsFailure,
  type Encryption,
  type OpenedStream,
} from './open-stream.ts'
import { passwordFor } from './password.ts'
import { pg } from './pg.ts'
import { isSocketFolder, type PostgresSettings } from './settings.ts'

export interface SessionOptions {
  /** What the environment names of the settings begin with (`POSTGRES`, `ICEBERG_POSTGRES`); for messages. */
  readonly prefix: string
  /** A statement without an answer for so long fails. */
  readonly queryTimeoutMs?: number | undefined
  /** Ends the attempt to connect. */
  readonly signal?: AbortSignal | undefined
}

/** pg's client over a stream of ours. */
export interface Session {
  readonly client: pg.Client
  readonly stream: OpenedStream
  /** Asks the server to end the running statement, in a connection of its own, encrypted as this one. */
  cancel(): Promise<void>
  /** Says goodbye and closes the connection; never throws, and waits no longer than a moment for a server that is gone. */
  end(): Promise<void>
}

const longestGoodbyeMs = 5000

/**
 * Opens a session, encrypted as the settings' sslmode says; the modes that leave a choice try again the other way when
 * the server turns the first one down, as libpq does. Errors are the system's, pg's, `TlsFailure` and `JobError`s.
 */
export async function openSession(settings: PostgresSettings, options: SessionOptions): Promise<Session> {
  const [first = 'none', second] = encryptions(settings)
  const tried: Attempt = { isEncrypted: false, isAuthenticated: false }
  try {
    return await attempt(settings, first, options, tried)
  } catch (error) {
    if (second === undefined || !mayTryOtherwise(error, first, tried)) throw error
    try {
      return await attempt(settings, second, options, { isEncrypted: false, isAuthenticated: false })
    } catch (again) {
      throw progressOf(again) >= progressOf(error) ? again : error
    }
  }
}

/** PostgreSQL docs, "SSL Mode Descriptions"; a Unix socket is never encrypted. */
function encryptions({ host, tls }: PostgresSettings): Encryption[] {
  if (isSocketFolder(host)) return ['none']
  switch (tls?.mode) {
    case undefined:
    case 'disable':
      return ['none']
    case 'allow':
      return ['none', 'always']
    case 'prefer':
      return ['if offered', 'none']
    case 'require':
    case 'verify-ca':
    case 'verify-full':
      return ['always']
  }
}

/** How far an attempt came. */
interface Attempt {
  isEncrypted: boolean
  isAuthenticated: boolean
}

const isServerError = (error: unknown): boolean =>
  /^[0-9A-Z]{5}$/.test(systemCode(error) ?? '') && error instanceof pg.DatabaseError

/** The server said no before it knew who asks, or TLS failed; where there was no TLS, without it is no other way. */
function mayTryOtherwise(
  error: unknown,
  first: Encryption,
  { isEncrypted, isAuthenticated }: Attempt,
): boolean {
  if (error instanceof TlsFailure) return true
  return isServerError(error) && !isAuthenticated && (first === 'none' || isEncrypted)
}

/** Of two failures the one that came further says more. */
function progressOf(error: unknown): number {
  if (error instanceof TlsFailure) return error.reason === 'not offered' ? 0 : 2
  return isServerError(error) && systemCode(error) === '28000' ? 1 : 3
}

async function attempt(
  settings: PostgresSettings,
  encryption: Encryption,
  options: SessionOptions,
  came: Attempt,
): Promise<Session> {
  const stream = await openStream(settings, encryption, options)
  const { socket, tls } = stream
  came.isEncrypted = tls !== undefined
  const { host, port, database, user } = settings
  const client = new pg.Client({
    host,
    port,
    database,
    user,
    password: () => passwordFor(settings, options.prefix, options.signal),
    stream: () => connected(socket),
    // Encrypted already; pg would look for PGSSLMODE by itself.
    ssl: false,
    sslnegotiation: 'postgres',
    enableChannelBinding: tls !== undefined,
    application_name: 'lakejobs',
    query_timeout: options.queryTimeoutMs,
  })
  const { connection } = client as pg.Client & { readonly connection: NodeJS.EventEmitter }
  connection.once('authenticationOk', () => {
    came.isAuthenticated = true
  })
  const abort = (): void => {
    socket.destroy()
  }
  options.signal?.addEventListener('abort', abort, { once: true })
  const late = setTimeout(
    () => {
      socket.destroy(noAnswer())
    },
    connectTimeoutMs + passwordAllowance(settings),
  )
  try {
    await client.connect()
  } catch (error) {
    socket.destroy()
    options.signal?.throwIfAborted()
    throw error
  } finally {
    clearTimeout(late)
    options.signal?.removeEventListener('abort', abort)
  }
  return {
    client,
    stream,
    async end() {
      const late = setTimeout(() => socket.destroy(), longestGoodbyeMs)
      await client.end().catch(() => undefined)
      clearTimeout(late)
    },
    cancel: () => sendCancel(settings, client, tls === undefined ? 'none' : 'always', options.prefix),
  }
}

/** A command may take its time. */
const passwordAllowance = ({ password }: PostgresSettings): number =>
  typeof password === 'object' && password.kind === 'command' ? 30_000 : 0

/** pg connects what it is given: this one has been. */
const connected = (socket: OpenedStream['socket']): OpenedStream['socket'] =>
  Object.assign(socket, {
    connect() {
      process.nextTick(() => socket.emit('connect'))
      return socket
    },
  })

/** The codes of a CancelRequest: protocol 1234.5678 (PostgreSQL docs, "Message Formats"). */
const cancelRequest = 80_877_102

/** The server closes the connection once the request is passed on. */
async function sendCancel(
  settings: PostgresSettings,
  client: pg.Client,
  encryption: Encryption,
  prefix: string,
): Promise<void> {
  const { processID, secretKey } = client as pg.Client & { processID: number; secretKey: number }
  const request = Buffer.alloc(16)
  request.writeInt32BE(16, 0)
  request.writeInt32BE(cancelRequest, 4)
  request.writeInt32BE(processID, 8)
  request.writeInt32BE(secretKey, 12)
  const { socket } = await openStream(settings, encryption, { prefix })
  socket.setTimeout(connectTimeoutMs, () => socket.destroy())
  socket.on('error', () => undefined)
  socket.resume()
  socket.end(request)
  await once(socket, 'close')
}
