import { mixed32 } from '../../random.ts'

const c1 = 0xcc9e2d51
const c2 = 0x1b873593

/**
 * Murmur3 x86 32-bit with seed 0 over `data[start] … data[end]` (end exclusive), as a signed 32-bit integer:
 * the hash of the bucket transform (spec App. B).
 */
export function murmur3(data: Uint8Array, start: number, end: number): number {
  const length = end - start
  const blocks = start + (length & ~3)
  let hash = 0
  for (let at = start; at < blocks; at += 4) {
    hash ^= mix(data[at]! | (data[at + 1]! << 8) | (data[at + 2]! << 16) | (data[at + 3]! << 24))
    hash = (hash << 13) | (hash >>> 19)
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0
  }
  let tail = 0
  for (let at = end - 1; at >= blocks; at--) tail = (tail << 8) | data[at]!
  if (blocks < end) hash ^= mix(tail)
  return mixed32(hash ^ length) | 0
}

function mix(word: number): number {
  const mixed = Math.imul(word, c1)
  return Math.imul((mixed << 15) | (mixed >>> 17), c2)
}
