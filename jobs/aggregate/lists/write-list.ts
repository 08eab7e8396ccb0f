import { createHash } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'
import { localError } from '../../storage/local/errors.ts'
import type { EmailCounts } from '../counts.ts'
import type { LocalFile } from '../../storage/scratch.ts'
import { createListEncoder } from './encode-list.ts'

let encode: ReturnType<typeof createListEncoder> | undefined

/** The counts as a list in memory. */
export function listOf(counts: EmailCounts): Uint8Array {
  encode ??= createListEncoder()
  return Buffer.from(encode(counts))
}

/**
 * Writes the batches as a list to the local file `path`, which belongs to this run alone, and hands each on; returns what was
 * written. Neither atomic nor synced. Errors: as the disk has them.
 */
export function* writingList(
  path: string,
  batches: Iterable<EmailCounts>,
): Generator<EmailCounts, LocalFile, undefined> {
  encode ??= createListEncoder()
  const failing = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      throw localError(error, 'write', path)
    }
  }
  const hash = createHash('sha256')
  let size = 0
  const file = failing(() => openSync(path, 'w'))
  try {
    for (const batch of batches) {
      const bytes = encode(batch)
      hash.update(bytes)
      size += bytes.length
      failing(() => {
        for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done)
      })
      yield batch
    }
  } finally {
    closeSync(file)
  }
  return { path, size, sha256: hash.digest('hex') }
}

/** Writes the batches as a list, as `writingList` does. */
export function writeList(path: string, batches: Iterable<EmailCounts>): LocalFile {
  const writing = writingList(path, batches)
  for (;;) {
    const next = writing.next()
    if (next.done === true) return next.value
  }
}
