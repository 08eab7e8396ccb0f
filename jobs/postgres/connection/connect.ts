import { JobError, asError } from '../../errors.ts'
import { serverError } from '../errors.ts'
import type { ByteStream } from './byte-stream.ts'
import { connectError } from './connect-error.ts'
import type { TlsFacts } from './open-stream.ts'
import type { pg } from './pg.ts'
import { openSession, type SessionOptions } from './session.ts'
import { addressOf, type PostgresSettings } from './settings.ts'
import { watchProgress } from './stall.ts'

export type { PostgresSettings }

export interface ConnectOptions extends SessionOptions {
  /** Aborting it cancels the running statement at the server and closes the connection. */
  readonly signal?: AbortSignal | undefined
  /** How long statements may wait for a lock: so long a server without an answer is none that has stalled. */
  readonly lockTimeoutMs?: number | undefined
}

/** One connection. Statements run one after the other; after an abort every call throws the signal's reason. */
export interface Connection {
  /** For what speaks the protocol itself (COPY); everything else goes through `query`. */
  readonly client: pg.Client
  readonly stream: ByteStream
  readonly settings: PostgresSettings
  /** Undefined: not encrypted. */
  readonly tls: TlsFacts | undefined
  /** Runs one statement; server errors come as JobErrors, with `table` as their subject. */
  query(sql: string, parameters?: readonly unknown[], table?: string): Promise<Record<string, unknown>[]>
  /** Runs a statement of another kind (COPY), which is cut off when no byte moves for too long. */
  watched<T>(statement: () => Promise<T>): Promise<T>
  /** What a failure of a statement means: the abort's reason, a JobError for a server's error. */
  explain(thrown: unknown, table?: string): Error
  /** Whether it is known to have ended while no statement ran. */
  isBroken(): boolean
  /** Cancels the running statement at the server and cuts the connection. */
  kill(): void
  /** Ends the connection; never throws, may be called twice. */
  close(): Promise<void>
}

/** What a lock's time-out needs to arrive. */
const lockGraceMs = 5000

/** Connects; errors are those of `connectError`, and the abort's reason. */
export async function connect(settings: PostgresSettings, options: ConnectOptions): Promise<Connection> {
  const { signal, prefix, lockTimeoutMs = 0 } = options
  signal?.throwIfAborted()
  const session = await openSession(settings, { prefix, signal }).catch((error: unknown) => {
    signal?.throwIfAborted()
    throw connectError(error, settings, prefix)
  })
  const { client, stream } = session
  // Without a listener a connection that breaks while idle would end the process. The next query fails because of it, but
  // does not say so: a standby that cancels an idle transaction is a lost snapshot, whichever statement finds out.
  let broken: Error | undefined
  client.on('error', (error) => {
    broken ??= error
  })
  const cut = (): void => {
    stream.socket.destroy()
  }
  const kill = (): void => {
    void session.cancel().then(cut, cut)
  }
  const { stallTimeoutMs = 0 } = settings
  const patienceMs =
    stallTimeoutMs === 0 ? 0 : Math.max(stallTimeoutMs, lockTimeoutMs === 0 ? 0 : lockTimeoutMs + lockGraceMs)
  const stall = (): void => {
    broken = stalled(settings, patienceMs)
    // What does not answer is not waited for.
    void session.cancel().catch(() => undefined)
    cut()
  }
  const watched = async <T>(statement: () => Promise<T>): Promise<T> => {
    const done = watchProgress(stream.socket, patienceMs, stall)
    try {
      return await statement()
    } finally {
      done()
    }
  }
  const explain = (thrown: unknown, table?: string): Error =>
    signal?.aborted === true ? asError(signal.reason) : serverError(broken ?? thrown, table)
  signal?.addEventListener('abort', kill, { once: true })
  return {
    client,
    stream,
    settings,
    tls: stream.tls,
    watched,
    explain,
    isBroken: () => broken !== undefined,
    kill,
    async query(sql, parameters = [], table) {
      signal?.throwIfAborted()
      try {
        const result: pg.QueryResult<Record<string, unknown>> = await watched(() =>
          parameters.length > 0 ? client.query(sql, [...parameters]) : client.query(sql),
        )
        return result.rows
      } catch (error) {
        throw explain(error, table)
      }
    },
    async close() {
      signal?.removeEventListener('abort', kill)
      await session.end()
    },
  }
}

const stalled = (settings: PostgresSettings, patienceMs: number): JobError =>
  new JobError('failed', `PostgreSQL at ${addressOf(settings)} has sent nothing for ${patienceMs / 1000} s`, {
    field: '--stall-timeout',
    fix: 'run again; if its statement needs that long, raise --stall-timeout (0: never)',
  })
