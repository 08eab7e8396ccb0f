import { once } from 'node:events'
import { createServer, request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * What the proxy does with a request: forward it; never answer; answer with a status of its own; reset the connection;
 * reset it when half of the body has been forwarded; forward it and lose the answer; forward it late; or cut the answer
 * after `bytes` of its body.
 */
export type Fault =
  | 'none'
  | 'stall'
  | 'reset'
  | 'cut during'
  | 'lose answer'
  | { readonly slowMs: number }
  | { readonly status: number; readonly code: string }
  | { readonly bytes: number }

export interface FaultyProxy {
  readonly endpoint: string
  /** Faults for the coming requests that `matches`, in order; the last one stays when `forever`. */
  plan(matches: (request: IncomingMessage) => boolean, faults: readonly Fault[], forever?: boolean): void
  /** Requests that met the plan so far. */
  met(): number
  /** Sees every request before the store does, and decides on its fault; undefined: the plan does. */
  watch(listener: (request: IncomingMessage) => Fault | undefined): void
  stop(): Promise<void>
}

/** An HTTP proxy on loopback before `target` (host and port), which leaves headers alone, so signatures hold. */
export async function startFaultyProxy(target: string): Promise<FaultyProxy> {
  let matches: (request: IncomingMessage) => boolean = () => false
  let faults: Fault[] = []
  let stays = false
  let met = 0
  let listener: (request: IncomingMessage) => Fault | undefined = () => undefined

  const planned = (incoming: IncomingMessage): Fault => {
    if (!matches(incoming)) return 'none'
    met++
    return (stays && faults.length === 1 ? faults[0] : faults.shift()) ?? 'none'
  }

  const server = createServer((incoming, outgoing) => {
    const fault = listener(incoming) ?? planned(incoming)
    if (fault === 'stall') return
    if (fault === 'reset') {
      incoming.socket.resetAndDestroy()
      return
    }
    if (typeof fault === 'object' && 'status' in fault) {
      const { status, code } = fault
      incoming.resume().once('end', () => {
        outgoing.writeHead(status, { 'content-type': 'application/xml' })
        outgoing.end(`<Error><Code>${code}</Code><Message>injected</Message></Error>`)
      })
      return
    }
    const forwarded = request(
      {
        host: new URL(target).hostname,
        port: new URL(target).port,
        path: incoming.url,
        method: incoming.method,
      },
      (answer) => {
        if (fault === 'lose answer') {
          answer.resume().once('end', () => incoming.socket.resetAndDestroy())
          return
        }
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
        if (typeof fault === 'object' && 'bytes' in fault) {
          answer.once('data', (chunk: Buffer) => {
            outgoing.write(chunk.subarray(0, fault.bytes), () => incoming.socket.destroy())
            answer.destroy()
          })
        } else answer.pipe(outgoing)
      },
    )
    for (const [name, value] of Object.entries(incoming.headers)) forwarded.setHeader(name, value ?? '')
    forwarded.on('error', () => incoming.socket.destroy())
    incoming.on('close', () => {
      if (!incoming.complete) forwarded.destroy()
    })
    if (fault === 'cut during') {
      const half = Number(incoming.headers['content-length'] ?? 0) / 2
      let sent = 0
      incoming.on('data', (chunk: Buffer) => {
        const part = chunk.subarray(0, Math.max(0, half - sent))
        sent += chunk.length
        forwarded.write(part)
        if (sent < half) return
        incoming.socket.resetAndDestroy()
        // Not at once: what was written would be dropped with the socket.
        setImmediate(() => forwarded.destroy())
      })
    } else if (typeof fault === 'object' && 'slowMs' in fault) {
      void sleep(fault.slowMs).then(() => incoming.pipe(forwarded))
    } else incoming.pipe(forwarded)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
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
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
