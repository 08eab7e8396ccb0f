import { randomUUID } from 'node:crypto'
import { ask, type Connection } from './connection.ts'
import { execute, type Observed } from './execute.ts'
import { isServiceError, sparkFailure } from './failure.ts'
import { loadMessages } from './messages.ts'
import type { Plan } from './plan.ts'
import { remoteName, type Remote } from './remote.ts'

/** A session of one run with a Spark Connect server. */
export interface SparkSession {
  /**
   * Executes a plan to its end; resolves to what was observed. Errors: `JobError` failed, with Spark's error class; when the
   * signal is aborted its reason, once the server has ended the operation.
   */
  run(plan: Plan, signal?: AbortSignal): Promise<Observed>
  /** Has the server forget the session, and end what it runs. Never fails. */
  release(): Promise<void>
  /** Releases it and closes the connection. Never fails. */
  close(): Promise<void>
}

export interface SessionSettings {
  readonly remote: Remote
  readonly signal: AbortSignal
  /** How long a server may be out of reach before the run fails, milliseconds. */
  readonly patienceMs: number
  /** Settings of Spark for this session. */
  readonly settings?: Readonly<Record<string, string>>
}

/** While a stream is silent: notices a connection of which the other end is gone (grpc.keepalive_* in gRPC's core). */
const keepAlive = {
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 20_000,
  'grpc.keepalive_permit_without_calls': 1,
  // After a cut the next attempt is not put off for minutes.
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 5_000,
  'grpc.max_receive_message_length': 128 * 2 ** 20,
}
/** Of the first call, and of the small ones. */
const answerMs = 20_000
/** Opens a session. Errors: `JobError` failed, where nothing answers or the server refuses. */
export async function openSession(settings: SessionSettings): Promise<SparkSession> {
  const { remote, patienceMs, signal } = settings
  signal.throwIfAborted()
  const messages = await loadMessages()
  const { grpc } = messages
  const metadata = new grpc.Metadata()
  for (const [name, value] of Object.entries(remote.headers)) metadata.set(name, value)
  if (remote.token !== undefined) metadata.set('authorization', `Bearer ${remote.token}`)
  const credentials = remote.secure ? grpc.credentials.createSsl() : grpc.credentials.createInsecure()
  const host = remote.host.includes(':') ? `[${remote.host}]` : remote.host
  const client = new messages.Service(`${host}:${remote.port}`, credentials, keepAlive)
  const sessionId = randomUUID()
  let serverSession: string | undefined
  const connection: Connection = {
    client,
    messages,
    metadata,
    name: remoteName(remote),
    patienceMs,
    fields: () => ({
      session_id: sessionId,
      user_context: { user_id: remote.userId },
      client_type: 'lakejobs',
      ...(serverSession === undefined ? {} : { client_observed_server_side_session_id: serverSession }),
    }),
    observe: (name) => {
      if (name !== undefined && name !== '') serverSession ??= name
    },
  }
  try {
    await configure(connection, settings.settings ?? {})
  } catch (error) {
    client.close()
    throw error
  }
  const release = async (): Promise<void> => {
    await ask(connection, 'ReleaseSession', {}).catch(() => undefined)
  }
  return {
    release,
    run: (plan, own = signal) => execute(connection, plan, own),
    async close() {
      await release()
      client.close()
    },
  }
}

async function configure(connection: Connection, settings: Readonly<Record<string, string>>): Promise<void> {
  const pairs = Object.entries(settings).map(([key, value]) => ({ key, value }))
  try {
    await ask(connection, 'Config', { operation: { set: { pairs } } }, answerMs)
  } catch (error) {
    throw isServiceError(error) ? sparkFailure(error, connection.name, connection.messages) : error
  }
}
