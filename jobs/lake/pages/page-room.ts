import type { Take } from '../../kernel/arena.ts'

/** Addresses in the kernel's memory for a column's dictionary and one page at a time. */
export interface PageRoom {
  readonly packed: number
  readonly body: number
  readonly dictionary: number
  /** Where the dictionary's texts lie. */
  readonly entries: number
  /** Which of the dictionary's entries the pages use, a byte each. */
  readonly used: number
  readonly indices: number
  readonly values: number
  readonly defined: number
  /** Where a page's texts lie. */
  readonly places: number
  readonly result: number
}

/** Bytes of a page or a dictionary that there is room for, compressed or not. */
export const mostBytes = 2 ** 21
/** Rows of a page, and entries of a dictionary. */
export const mostPageRows = 2 ** 16
export const mostEntries = 2 ** 18
/** What the kernel may read or write behind a block. */
const slack = 64

export const pageRoom = (take: Take): PageRoom => ({
  packed: take(mostBytes + slack),
  body: take(mostBytes + slack),
  dictionary: take(mostBytes + slack),
  entries: take(4 * mostEntries + 4),
  used: take(mostEntries),
  indices: take(4 * mostPageRows),
  values: take(8 * mostPageRows),
  defined: take(mostPageRows),
  places: take(4 * mostPageRows + 4),
  result: take(32),
})
