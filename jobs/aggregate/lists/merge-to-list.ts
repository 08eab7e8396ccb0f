import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import type { LocalFile } from '../../storage/scratch.ts'
import { mergeLists } from './merge-lists.ts'
import { writeList } from './write-list.ts'

/** A list in a local file. */
export interface LocalList {
  readonly path: string
  /** What its bytes must be; undefined of one that this run has written. */
  readonly sha256: string | undefined
}

/** Rows of a batch: what of it is written next is still in the processor's cache. */
const batchRows = 16_384
const chunkBytes = 2 ** 20

/** Merges lists, at most `mostLists`, into one at `path`; undefined where one of them is not what it was. Errors: as the disk has them. */
export function mergeToList(lists: readonly LocalList[], path: string): LocalFile | undefined {
  if (!lists.every(isIntact)) return undefined
  const paths = lists.map((list) => list.path)
  return writeList(path, mergeLists(paths, batchRows))
}

function isIntact({ path, sha256 }: LocalList): boolean {
  if (sha256 === undefined) return true
  const hash = createHash('sha256')
  const chunk = Buffer.allocUnsafe(chunkBytes)
  const file = openSync(path, 'r')
  try {
    for (;;) {
      const count = readSync(file, chunk, 0, chunk.length, null)
      if (count === 0) return hash.digest('hex') === sha256
      hash.update(chunk.subarray(0, count))
    }
  } finally {
    closeSync(file)
  }
}
