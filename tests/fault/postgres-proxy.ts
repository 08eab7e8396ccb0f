import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * What becomes of a statement (a simple query, or Parse to Sync of the extended protocol): it passes; the connection
 * is cut ahead of it, in the middle of it, when the server's answer is there (lost), or when the client has it; nobody
 * ever answers; the client is cut at once and the server gets the statement later, after a time or when something has
 * happened; the connection is cut after so many bytes of the answer; or the answer waits there until something has happened.
 */
export type StatementFault =
  | 'none'
  | 'cut before'
  | 'cut during'
  | 'lose answer'
  | 'cut after answer'
  | 'stall'
  | { readonly deliverAfterMs: number }
  | { readonly deliverAfter: () => Promise<unknown> }
  | { readonly answerBytes: number }
  | { readonly holdAtBytes: number; readonly until: () => Promise<unknown> }

export interface Statement {
  readonly sql: string
  /** Of the session, as its startup message says. */
  readonly database: string
  /** The number of the client's connection, from 1. */
  readonly session: number
}

export interface PostgresProxy {
  readonly host: string
  readonly port: number
  /** Faults for the coming statements that `matches`, in order; the last one stays when `forever`. */
  plan(matches: (statement: Statement) => boolean, faults: readonly StatementFault[], forever?: boolean): void
  /** Statements that met the plan so far. */
  met(): number
  /** Sees every statement before the server does, which waits for a promise; false: it never gets there. */
  watch(listener: (statement: Statement) => boolean | Promise<boolean>): void
  /** Whether connections are refused from now on. */
  away(isAway: boolean): void
  /** Resolves when every statement that was to be delivered late has had its answer. */
  delivered(): Promise<void>
  stop(): Promise<void>
}

/** Splits a stream into messages: a type byte (none in the first message of a client) and a length with itself. */
function messageSplitter(hasStartup: boolean): (bytes: Buffer) => { type: string; bytes: Buffer }[] {
  let rest = Buffer.alloc(0)
  let typed = !hasStartup
  return (bytes) => {
    rest = Buffer.concat([rest, bytes])
    const messages = []
    for (;;) {
      const at = typed ? 1 : 0
      if (rest.length < at + 4) return messages
      const length = at + rest.readInt32BE(at)
      if (rest.length < length) return messages
      messages.push({ type: typed ? String.fromCharCode(rest[0]!) : '', bytes: rest.subarray(0, length) })
      rest = rest.subarray(length)
      typed = true
    }
  }
}

const text = (bytes: Buffer, at: number): string => bytes.toString('utf8', at, bytes.indexOf(0, at))

/** Of a Query message, or of a Parse message, which names the statement first. */
function sqlOf(type: string, bytes: Buffer): string | undefined {
  if (type === 'Q') return text(bytes, 5)
  return type === 'P' ? text(bytes, bytes.indexOf(0, 5) + 1) : undefined
}

/** What a client sends that would rather have TLS; it waits for the answer. Source: PostgreSQL docs, "SSLRequest". */
const isSslRequest = (bytes: Buffer): boolean =>
  bytes.length === 8 && bytes.readInt32BE(0) === 8 && bytes.readInt32BE(4) === 80_877_103

function databaseOf(startup: Buffer): string {
  const words = startup.toString('utf8', 8).split('\0')
  return words[words.indexOf('database') + 1] ?? ''
}

/** A proxy on loopback that understands as much of PostgreSQL's protocol as it takes to know statements by. */
export async function startPostgresProxy(target: {
  readonly host: string
  readonly port: number
}): Promise<PostgresProxy> {
  let matches: (statement: Statement) => boolean = () => false
  let faults: StatementFault[] = []
  let stays = false
  let met = 0
  let listener: (statement: Statement) => boolean | Promise<boolean> = () => true
  let isAway = false
  let sessions = 0
  const sockets = new Set<Socket>()
  const late: Promise<unknown>[] = []

  const faultOf = (statement: Statement): StatementFault => {
    if (!matches(statement)) return 'none'
    met++
    return (stays && faults.length === 1 ? faults[0] : faults.shift()) ?? 'none'
  }

  const server = createServer((client) => {
    if (isAway) {
      client.destroy()
      return
    }
    const upstream = connect(target.port, target.host)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => sockets.delete(socket))
    }
    const session = ++sessions
    let database = ''
    let pending: Buffer[] = []
    let sql: string | undefined
    let answerBytes = 0
    /** What to do with the server's answers until it is ready for the next statement. */
    let fault: StatementFault = 'none'
    let answered: (() => void) | undefined
    /** The client is gone, the server's connection is still wanted. */
    let isDetached = false
    const cut = (): void => {
      client.resetAndDestroy()
      upstream.destroy()
    }

    const onStatement = (bytes: Buffer, statement: Statement): void => {
      const isLetThrough = listener(statement)
      if (isLetThrough === true) send(bytes, statement)
      else if (isLetThrough === false) cut()
      else {
        void isLetThrough.then((passes) => {
          if (passes) send(bytes, statement)
          else cut()
        })
      }
    }
    const send = (bytes: Buffer, statement: Statement): void => {
      answerBytes = 0
      fault = faultOf(statement)
      if (fault === 'stall') return
      if (fault === 'cut before') cut()
      else if (fault === 'cut during') {
        upstream.write(bytes.subarray(0, bytes.length >> 1), cut)
      } else if (typeof fault === 'object' && ('deliverAfterMs' in fault || 'deliverAfter' in fault)) {
        const isTime =
          'deliverAfter' in fault
            ? fault.deliverAfter()
            : sleep(fault.deliverAfterMs, undefined, { ref: false })
        isDetached = true
        client.resetAndDestroy()
        const isAnswered = new Promise<void>((resolve) => (answered = resolve))
        late.push(
          isTime.then(async () => {
            upstream.write(bytes)
            await isAnswered
            upstream.destroy()
          }),
        )
      } else upstream.write(bytes)
    }

    const fromClient = messageSplitter(true)
    client.on('data', (chunk) => {
      if (isSslRequest(chunk)) {
        client.write('N')
        return
      }
      for (const { type, bytes } of fromClient(chunk)) {
        if (type === '') database = databaseOf(bytes)
        sql = sqlOf(type, bytes) ?? sql
        pending.push(bytes)
        const isParted = sql !== undefined && type !== 'Q' && type !== 'S'
        if (isParted) continue
        const all = Buffer.concat(pending)
        pending = []
        if (sql === undefined) upstream.write(all)
        else onStatement(all, { sql, database, session })
        sql = undefined
      }
    })

    const fromServer = messageSplitter(false)
    upstream.on('data', (chunk) => {
      const isReady = fromServer(chunk).some(({ type }) => type === 'Z')
      if (isReady) answered?.()
      if (isDetached) return
      if (fault === 'lose answer') {
        if (isReady) cut()
        return
      }
      if (typeof fault === 'object' && 'answerBytes' in fault) {
        const left = fault.answerBytes - answerBytes
        answerBytes += chunk.length
        if (chunk.length >= left) client.write(chunk.subarray(0, left), cut)
        else client.write(chunk)
        return
      }
      if (typeof fault === 'object' && 'holdAtBytes' in fault) {
        answerBytes += chunk.length
        if (answerBytes >= fault.holdAtBytes) {
          const { until } = fault
          fault = 'none'
          upstream.pause()
          void until().then(() => {
            client.write(chunk)
            upstream.resume()
          })
          return
        }
      }
      const isLast = fault === 'cut after answer' && isReady
      client.write(chunk, isLast ? cut : undefined)
    })
    client.on('close', () => {
      if (!isDetached) upstream.destroy()
    })
    upstream.on('close', () => client.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    plan(which, what, forever = false) {
      matches = which
      faults = [...what]
      stays = forever
      met = 0
    },
    met: () => met,
    watch(next) {
      listener = next
    },
    away(next) {
      isAway = next
    },
    async delivered() {
      await Promise.all(late)
    },
    async stop() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
