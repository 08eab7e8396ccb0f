import { Socket, type ConnectOpts, type SocketConstructorOpts } from 'node:net'

/** A connection's socket, whose bytes COPY takes before pg does. */
export interface CopySocket {
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

/**
 * A socket that reads into one buffer: Node would allocate 64 KB for each read, which is garbage a thousand times a
 * second. What pg gets is copied, because pg keeps what is incomplete.
 */
export function createCopySocket(): CopySocket {
  let take: ((bytes: Uint8Array) => void) | undefined
  const hand = (bytes: Uint8Array): void => {
    socket.emit('data', Buffer.from(bytes))
  }
  const options: SocketConstructorOpts & ConnectOpts = {
    onread: {
      buffer: Buffer.allocUnsafeSlow(readBytes),
      callback(count, buffer) {
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
  }
  const socket = new Socket(options)
  const readOn = (): void => {
    socket.resume()
  }
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
