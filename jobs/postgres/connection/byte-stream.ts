import { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

/** A connection's socket, encrypted or not, whose bytes COPY takes before pg does. */
export interface ByteStream {
  readonly socket: Socket
  /** From now on `take` gets the server's bytes instead of pg; they are valid until it returns. */
  readonly divert: (take: (bytes: Uint8Array) => void) => void
  /** Gives pg bytes that it should have had. */
  readonly hand: (bytes: Uint8Array) => void
  /** From now on pg gets the server's bytes again. */
  readonly restore: () => void
}

/** As much as the kernel has ready at once when the server is fast. */
const readBytes = 256 * 1024

/**
 * The server sends 8 KB at a time, and wakes a reader that waits for them each time: that costs both sides more than
 * the bytes do. Whoever got less than `worthwhile` bytes lets them gather for a moment.
 */
const worthwhile = 64 * 1024
const gatherMs = 1

/** Whoever uses the socket hears of an error by himself; without a listener one in between would end the process. */
const ignore = (): void => undefined

/**
 * A socket that reads into one buffer: Node would allocate 64 KB for each read, which is garbage a thousand times a
 * second. What pg gets is copied, because pg keeps what is incomplete.
 */
export function plainStream(): ByteStream {
  let take: ((bytes: Uint8Array) => void) | undefined
  const hand = (bytes: Uint8Array): void => {
    socket.emit('data', Buffer.from(bytes))
  }
  const readOn = (): void => {
    socket.resume()
  }
  const socket = new Socket({
    onread: {
      buffer: Buffer.allocUnsafeSlow(readBytes),
      callback(count: number, buffer: Uint8Array) {
        const bytes = buffer.subarray(0, count)
        if (take === undefined) {
          hand(bytes)
          return true
        }
        take(bytes)
        // What the taker has paused is its to resume.
        if (count >= worthwhile || socket.isPaused()) return true
        setTimeout(readOn, gatherMs)
        return false
      },
    },
  } as ConstructorParameters<typeof Socket>[0])
  socket.on('error', ignore)
  return {
    socket,
    divert(taker) {
      take = taker
    },
    hand,
    restore() {
      take = undefined
    },
  }
}

/** Bytes of one TLS record. */
const recordBytes = 16 * 1024

/**
 * The same over TLS, where Node.js gives a chunk for each record of the server, 8 KB: what one turn of the event loop
 * brings is gathered into one buffer first.
 */
export function tlsStream(socket: TLSSocket): ByteStream {
  let take: ((bytes: Uint8Array) => void) | undefined
  let listeners: ((bytes: Buffer) => void)[] = []
  const buffer = Buffer.allocUnsafeSlow(readBytes)
  let filled = 0
  /** Bytes of this turn. */
  let came = 0
  const deliver = (): void => {
    const bytes = buffer.subarray(0, filled)
    filled = 0
    take?.(bytes)
  }
  const readOn = (): void => {
    socket.resume()
  }
  const endOfTurn = (): void => {
    const count = came
    came = 0
    if (filled > 0) deliver()
    // What the taker has paused is its to resume.
    if (count >= worthwhile || take === undefined || socket.isPaused()) return
    socket.pause()
    setTimeout(readOn, gatherMs)
  }
  /** While the taker has paused the socket no chunk comes, so that nothing is gathered then. */
  const gather = (chunk: Buffer): void => {
    if (came === 0) setImmediate(endOfTurn)
    came += chunk.length
    buffer.set(chunk, filled)
    filled += chunk.length
    if (filled > readBytes - recordBytes) deliver()
  }
  socket.on('error', ignore)
  return {
    socket,
    divert(taker) {
      if (take === undefined) {
        listeners = socket.listeners('data') as typeof listeners
        socket.removeAllListeners('data')
        socket.on('data', gather)
      }
      take = taker
    },
    hand(bytes) {
      for (const listener of listeners) listener(Buffer.from(bytes))
    },
    restore() {
      if (take === undefined) return
      take = undefined
      socket.off('data', gather)
      for (const listener of listeners) socket.on('data', listener)
    },
  }
}
