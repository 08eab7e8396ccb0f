import { once } from 'node:events'
import { createServer, request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * What the proxy does with a request: forward it; answer with a status of its own; reset the connection; forward
 * it and lose the answer; or cut the answer after `bytes` of its body.
 */
export type Fault =
  | 'none'
  | 'reset'
  | 'lose answer'
  | { readonly status: number; readonly code: string }
  | { readonly bytes: number }

export interface FaultyProxy {
  readonly endpoint: string
  /** Faults for the coming requests that `matches`, in order; the last one stays when `forever`. */
  plan(matches: (request: IncomingMessage) => boolean, faults: readonly Fault[], forever?: boolean): void
  /** Requests that met the plan so far. */
  met(): number
  stop(): Promise<void>
}

/** An HTTP proxy on loopback before `target` (host and port), which leaves headers alone, so signatures hold. */
export async function startFaultyProxy(target: string): Promise<FaultyProxy> {
  let matches: (request: IncomingMessage) => boolean = () => false
  let faults: Fault[] = []
  let stays = false
  let met = 0

  const server = createServer((incoming, outgoing) => {
    let fault: Fault = 'none'
    if (matches(incoming)) {
      met++
      fault = (stays && faults.length === 1 ? faults[0] : faults.shift()) ?? 'none'
    }
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
    incoming.pipe(forwarded)
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
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
