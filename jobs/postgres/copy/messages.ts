import { copyData, messageHeader } from './scan.ts'

export interface MessageConsumers {
  /**
   * Takes the complete CopyData messages from `from` on and returns where it stopped: at another kind of
   * message, at an incomplete or too long one, or at `to`.
   */
  readonly consume: (bytes: Uint8Array, from: number, to: number) => number
  /** A CopyData message of that many bytes is about to be buffered; throws when it is too long. */
  readonly announce: (bytes: number) => void
  /** Bytes of all other messages, in order. */
  readonly forward: (bytes: Uint8Array) => void
}

const initialCarry = 64 * 1024
/** A buffer that one giant row needed is not kept for the small ones after it. */
const keptCarry = 16 * 1024 * 1024

/**
 * Splits what the server sends during COPY TO. Chunks end anywhere; what is whole in a chunk is consumed in
 * place, only the message that straddles two chunks is copied, once, into a buffer of its length: linear in
 * the bytes, also for a row of a gigabyte. Returns the function that takes the chunks.
 */
export function createSplitter({
  consume,
  announce,
  forward,
}: MessageConsumers): (chunk: Uint8Array) => void {
  let carry = new Uint8Array(initialCarry)
  let carried = 0
  /** Bytes still to come of a message that is not CopyData. */
  let foreign = 0

  const carryOver = (chunk: Uint8Array, from: number, wanted: number): number => {
    const more = Math.min(wanted - carried, chunk.length - from)
    carry.set(chunk.subarray(from, from + more), carried)
    carried += more
    return from + more
  }

  /** Goes on with the message that began in an earlier chunk; returns the position behind what it took. */
  const topUp = (chunk: Uint8Array, from: number): number => {
    let at = from
    if (carried < messageHeader) at = carryOver(chunk, at, messageHeader)
    if (carried < messageHeader) return at
    const length = messageLength(carry, 0)
    if (carry[0] !== copyData) {
      foreign = length - carried
      forward(carry.slice(0, carried))
      carried = 0
      return at
    }
    announce(length)
    if (length > carry.length) {
      const grown = new Uint8Array(length)
      grown.set(carry.subarray(0, carried))
      carry = grown
    }
    at = carryOver(chunk, at, length)
    if (carried === length) {
      carried = 0
      consume(carry, 0, length)
      if (carry.length > keptCarry) carry = new Uint8Array(initialCarry)
    }
    return at
  }

  return (chunk) => {
    let at = 0
    while (at < chunk.length) {
      if (foreign > 0) {
        const end = Math.min(at + foreign, chunk.length)
        foreign -= end - at
        forward(chunk.subarray(at, end))
        at = end
      } else if (carried > 0) {
        at = topUp(chunk, at)
      } else {
        at = consume(chunk, at, chunk.length)
        if (at < chunk.length) {
          if (chunk[at] !== copyData && at + messageHeader <= chunk.length) foreign = messageLength(chunk, at)
          else at = carryOver(chunk, at, Math.min(chunk.length - at, messageHeader))
        }
      }
    }
  }
}

/** Where the message at `at` ends, whether its bytes are all there or not. */
export const messageEnd = (bytes: Uint8Array, at: number): number => at + messageLength(bytes, at)

const messageLength = (bytes: Uint8Array, at: number): number =>
  1 + (((bytes[at + 1]! << 24) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 8) | bytes[at + 4]!) >>> 0)
