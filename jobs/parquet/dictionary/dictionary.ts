/**
 * The distinct values of a column chunk in order of appearance, built while values are indexed. It stops growing
 * at its limit in bytes; what it has indexed until then stays valid.
 */
export interface DictionaryBuilder {
  /**
   * Writes the index of each of the values `from … to` to `indices[0 …]` and returns how many it could: fewer
   * than asked when the next value does not fit any more.
   */
  readonly index: (from: number, to: number, indices: Int32Array) => number
  /** Distinct values so far. */
  readonly count: () => number
  /**
   * The values in PLAIN encoding: the body of the dictionary page. Valid until the next `index`, and until another
   * dictionary is begun in this thread, which then throws.
   */
  readonly body: () => Uint8Array
}

/** Slots of a new hash table; tables double when half full. */
export const firstSlots = 4096

/** Spreads the entropy of a hash over its low bits, which choose the slot. */
export function mix(hash: number): number {
  const mixed = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b)
  return mixed ^ (mixed >>> 15)
}
