import { stat } from 'node:fs/promises'
import { JobError, usageError } from '../errors.ts'
import type { FileIO } from '../storage/file-io.ts'
import { join } from '../storage/place.ts'
import type { Check } from './check.ts'

export interface PlaceToCheck {
  /** The setting that names the place. */
  readonly name: string
  readonly location: () => string
  /** Whether jobs write there; otherwise it is only listed. */
  readonly isWritten: boolean
  /** Looks further, where all is well so far. */
  readonly further?: Check
}

/**
 * A folder or a bucket's prefix: is there, and takes, gives back and loses a hidden file.
 *
 * @param probe the hidden file's name, one for each run
 */
export const checkPlace =
  (place: PlaceToCheck, probe: string, open: (location: string) => Promise<FileIO>): Check =>
  async (attempt, warn) => {
    const isThere = await attempt(place.name, async () => {
      const location = place.location()
      const io = await open(location)
      await mustExist(io, location, place.name)
      if (place.isWritten) await tryWriting(io, join(location, probe))
      const files = io.list(location)[Symbol.asyncIterator]()
      const { done } = await files.next()
      await files.return?.()
      return `${location}: ${place.isWritten ? 'writable' : 'readable'}${done === true ? ', empty' : ''}`
    })
    if (isThere) await place.further?.(attempt, warn)
  }

/** A write would make a local folder: that one is missing shows before. A bucket's absence shows by itself. */
async function mustExist(io: FileIO, location: string, name: string): Promise<void> {
  const path = io.localPath(location)
  if (path === undefined) return
  const found = await stat(path).catch(() => undefined)
  if (found?.isDirectory() === true) return
  throw usageError(`${name}: ${path} is not a folder, or cannot be seen`, {
    field: name,
    fix: `run \`lakejobs init\`, or correct ${name}`,
  })
}

async function tryWriting(io: FileIO, location: string): Promise<void> {
  const written = Buffer.from('lakejobs check')
  await io.write(location, written)
  try {
    const read = await io.read(location)
    if (!read.equals(written)) {
      throw new JobError('failed', `${location} does not read back as it was written`, { field: location })
    }
  } finally {
    await io.delete(location)
  }
}
