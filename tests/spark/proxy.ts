import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { testRemote } from './server.ts'

/** A proxy on loopback before the test's Spark, as a network that breaks. */
export interface Proxy {
  readonly port: number
  /** Closes the connections that there are. */
  cut(): void
  /** Of the connections that there are nothing is forwarded any more, and nobody is told. */
  freeze(): void
  /** Closes each new connection at once, until `accept`. */
  refuse(): void
  accept(): void
  stop(): void
}

export async function startProxy(): Promise<Proxy> {
  const { host, port } = testRemote()
  const open = new Set<Socket>()
  let refuses = false
  const server = createServer((near) => {
    if (refuses) {
      near.destroy()
      return
    }
    const far = connect(port, host)
    for (const socket of [near, far]) {
      open.add(socket)
      socket
        .on('error', () => undefined)
        .on('close', () => {
          open.delete(socket)
          near.destroy()
          far.destroy()
        })
    }
    near.pipe(far).pipe(near)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const cut = (): void => {
    for (const socket of open) socket.destroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    freeze: () => {
      for (const socket of open) socket.unpipe().pause()
    },
    refuse: () => (refuses = true),
    accept: () => (refuses = false),
    stop: () => {
      cut()
      server.close()
    },
  }
}
