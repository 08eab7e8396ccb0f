import { existsSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'

const shared = '/dev/shm'
/** A container's usual one has 64 MB. */
const enoughBytes = 2 ** 30

function hasRoom(): boolean {
  if (!existsSync(shared)) return false
  const { bavail, bsize } = statfsSync(shared)
  return bavail * bsize >= enoughBytes
}

/** Where folders of tests are made whose jobs sync what they write: in memory where the system has such a folder, with room. */
export const memoryFolder = hasRoom() ? shared : tmpdir()
