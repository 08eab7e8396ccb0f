/** The state of a dictionary of values of one or two words. */
export interface WordTable {
  readonly values: Int32Array
  /** Entries that fit the dictionary page. */
  readonly limit: number
  /** The entry's number, from 1; 0 is free. */
  slots: Int32Array
  distinct: Int32Array
  count: number
}

/** The first `count` words as bytes, little-endian like the machines Node runs on. */
export const wordBytes = (words: Int32Array, count: number): Uint8Array =>
  new Uint8Array(words.buffer, words.byteOffset, count * 4)

/** The same words in an array twice as long. */
export function growWords(words: Int32Array): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(words.length * 2)
  grown.set(words)
  return grown
}
