import type { Take } from '../../kernel/arena.ts'
import { kernel } from '../../kernel/kernel.ts'

/**
 * The distinct values of a column chunk in order of appearance, built while values are indexed. It stops growing
 * at its limit in bytes; what it has indexed until then stays valid. It lies in the kernel's memory and ends with the scope
 * that its room was taken in.
 */
export interface DictionaryBuilder {
  /**
   * Writes the index of each of the values `from … to` to `indices[0 …]` and returns how many it could: fewer
   * than asked when the next value does not fit any more.
   */
  readonly index: (from: number, to: number, indices: Int32Array) => number
  /** Distinct values so far. */
  readonly count: () => number
  /** The values in PLAIN encoding, the body of the dictionary page: a view, valid until the next `index`. */
  readonly body: () => Uint8Array
}

/** Slots of a new hash table; tables double when half full. */
export const firstSlots = 4096
/** What is looked up at a time. */
export const sliceValues = 8192

/** The largest dictionary page that there is room for. */
const largestBody = 1 << 20

/** Throws a RangeError for dictionaries that there is no room for. */
export function assertLimit(limitBytes: number): void {
  if (limitBytes > largestBody)
    throw new RangeError(`a dictionary of ${limitBytes} bytes: ${largestBody} at most`)
}

/** Slots that a table of up to `entries` entries grows to. */
export function slotsFor(entries: number): number {
  let slots = firstSlots
  while (slots < 2 * entries) slots *= 2
  return slots
}

/** The state of a new table, at an address: no entries, `firstSlots` slots. */
export function takeState(take: Take): number {
  const state = take(8)
  const { words } = kernel()
  words[state >> 2] = 0
  words[(state >> 2) + 1] = firstSlots
  return state
}

/** Spreads the entropy of a hash over its low bits, which choose the slot. */
export function mix(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b)
  return mixed ^ (mixed >>> 15)
}
