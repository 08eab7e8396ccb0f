import type { Metadata } from '@grpc/grpc-js'
import type { ConnectClient, Messages, SessionFields, SmallAnswer } from './messages.ts'

/** What the parts of an operation have in common. */
export interface Connection {
  readonly client: ConnectClient
  readonly messages: Messages
  readonly metadata: Metadata
  readonly name: string
  readonly patienceMs: number
  /** As the server is known so far: one that was started anew is then told apart. */
  readonly fields: () => SessionFields
  /** Remembers the server's own name of the session. */
  readonly observe: (serverSession: string | undefined) => void
}

/** Of calls that clean up: what a server does not hear it forgets by itself in time. */
const releaseMs = 5_000

/** One small call. Rejects with gRPC's error. */
export const ask = (
  { client, metadata, fields, observe }: Connection,
  method: 'Config' | 'Interrupt' | 'ReleaseExecute' | 'ReleaseSession',
  request: object,
  milliseconds = releaseMs,
): Promise<SmallAnswer> =>
  new Promise((resolve, reject) => {
    const options = { deadline: Date.now() + milliseconds }
    client[method]({ ...fields(), ...request }, metadata, options, (error, answer) => {
      observe(answer?.server_side_session_id)
      if (error === null) resolve(answer ?? {})
      else reject(error)
    })
  })
