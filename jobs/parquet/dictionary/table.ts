import { kernel } from '../../kernel/kernel.ts'
import { firstSlots } from './dictionary.ts'

/** Addresses in the kernel's memory, which holds one dictionary at a time. */
export interface DictionaryTable {
  /** A slice of the column's values, and where values of different lengths begin in it. */
  readonly values: number
  readonly offsets: number
  readonly indices: number
  readonly slots: number
  /** The distinct values, as the dictionary page has them. */
  readonly body: number
  /** Where entries of different lengths begin in `body`. */
  readonly starts: number
  /** Entries, slots. */
  readonly state: number
  /** Two words. */
  readonly result: number
}

/** The largest dictionary page that there is room for. */
const largestBody = 1 << 20
/** What is looked up at a time. */
export const sliceValues = 8192
export const sliceBytes = largestBody
/** A span of values up to this is looked up in a slot for each. */
export const widestSpan = 1 << 20
/** Entries of a length and one byte at least are 209,715, of 4 bytes 262,144: half as many as slots. */
const mostSlots = 1 << 19

let reserved: DictionaryTable | undefined
let owner: object | undefined

function table(): DictionaryTable {
  const { reserve } = kernel()
  return (reserved ??= {
    // Up to 8 bytes behind a value are read.
    values: reserve(sliceBytes + 8),
    offsets: reserve(4 * sliceValues + 4),
    indices: reserve(4 * sliceValues),
    // A slot of bytes has two words, and half the table again is needed while it grows.
    slots: reserve(1.5 * 8 * mostSlots),
    body: reserve(largestBody + 8),
    starts: reserve(4 * (mostSlots >> 1) + 4),
    state: reserve(8),
    result: reserve(8),
  })
}

/** Takes the table for a new dictionary: empty, with `slots` words of slots. Whoever had it before has lost it. */
export function takeTable(for_: object, slots: number, limitBytes: number): DictionaryTable {
  if (limitBytes > largestBody)
    throw new RangeError(`a dictionary of ${limitBytes} bytes: ${largestBody} at most`)
  const taken = table()
  const { words } = kernel()
  words.fill(0, taken.slots >> 2, (taken.slots >> 2) + slots)
  words[taken.state >> 2] = 0
  words[(taken.state >> 2) + 1] = firstSlots
  words[taken.starts >> 2] = 0
  owner = for_
  return taken
}

/** The table, if it is still this dictionary's. */
export function ownTable(of: object): DictionaryTable {
  if (owner !== of) throw new TypeError('another dictionary was begun in this thread')
  return table()
}
