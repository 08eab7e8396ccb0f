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
        if (take === undefined) hand(bytes)
        else take(bytes)
        return true
      },
    },
  }
  const socket = new Socket(options)
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
