import { mixed32 } from '../random.ts'
import { realFolder } from '../storage/local/real-folder.ts'
import { canonicalLocation } from '../storage/place.ts'

/**
 * Locations that were seen, 16 to 32 bytes each however long they are: ten million fit in 320 MB. They are kept as hashes of
 * 64 bits, so that one in 10^19 pairs is taken for the same: whoever deletes what is *not* in the set keeps a file too many
 * then, and never deletes one.
 */
export interface LocationSet {
  /** True when it was not there yet. */
  add(location: string): boolean
  has(location: string): boolean
  readonly size: number
}

const firstSlots = 1 << 10

export function createLocationSet(): LocationSet {
  let slots = new Uint32Array(2 * firstSlots)
  let size = 0

  /** Where the hash is, or would be. */
  const slotOf = (table: Uint32Array, high: number, low: number): number => {
    const mask = table.length / 2 - 1
    let slot = low & mask
    while (table[2 * slot] !== 0 || table[2 * slot + 1] !== 0) {
      if (table[2 * slot] === high && table[2 * slot + 1] === low) break
      slot = (slot + 1) & mask
    }
    return slot
  }

  const grow = (): void => {
    const larger = new Uint32Array(2 * slots.length)
    for (let at = 0; at < slots.length; at += 2) {
      const [high, low] = [slots[at]!, slots[at + 1]!]
      if (high === 0 && low === 0) continue
      const slot = slotOf(larger, high, low)
      larger[2 * slot] = high
      larger[2 * slot + 1] = low
    }
    slots = larger
  }

  return {
    add(location) {
      const { high, low } = hashOf(locationKey(location))
      const slot = slotOf(slots, high, low)
      if (slots[2 * slot] !== 0 || slots[2 * slot + 1] !== 0) return false
      slots[2 * slot] = high
      slots[2 * slot + 1] = low
      size++
      if (4 * size > slots.length) grow()
      return true
    },
    has(location) {
      const { high, low } = hashOf(locationKey(location))
      const slot = slotOf(slots, high, low)
      return slots[2 * slot] !== 0 || slots[2 * slot + 1] !== 0
    },
    get size() {
      return size
    },
  }
}

/**
 * What two spellings of a location have in common, as writers have them: scheme (`s3a`, `/x`), slashes that are doubled or at
 * the end, percent-encoding, however often; on disk also symbolic links and `..` on the way to it (a folder's own link where it ends
 * in a slash). Two objects of a store may share it; a file that is spelled in two ways never has two of them.
 */
export function locationKey(location: string): string {
  const canonical = behindLinks(canonicalLocation(location))
  const decoded = canonical.includes('%') ? percentDecoded(canonical) : canonical
  const colon = decoded.indexOf(':') + 1
  // A scheme's two slashes, or the three of a file's, begin the name.
  const path = decoded.slice(colon).replace(/^\/+/, '')
  const single = path.includes('//') ? path.replace(/\/{2,}/g, '/') : path
  return `${decoded.slice(0, colon)}${single.endsWith('/') ? single.slice(0, -1) : single}`
}

/** As `locationKey`, of a folder. */
export const folderKey = (folder: string): string => locationKey(`${folder}/`)

/** By whole path segments, whatever the spelling: `s1/x` is inside `s1`, `s1_old/x` is not. */
export const isInside = (location: string, folder: string): boolean =>
  `${locationKey(location)}/`.startsWith(`${folderKey(folder)}/`)

/** The same of a folder, which may be a link itself. */
export const isFolderInside = (inner: string, outer: string): boolean => isInside(`${inner}/`, outer)

const fileScheme = 'file://'

function behindLinks(location: string): string {
  if (!location.startsWith(`${fileScheme}/`)) return location
  const end = location.lastIndexOf('/')
  const folder = location.slice(fileScheme.length, end) || '/'
  const real = realFolder(folder)
  return real === folder ? location : `${fileScheme}${real === '/' ? '' : real}${location.slice(end)}`
}

/** Until nothing is left to decode: some writers encode what is encoded already. */
function percentDecoded(text: string): string {
  let bytes = Buffer.from(text).toString('latin1')
  for (let before = ''; before !== bytes;) {
    before = bytes
    bytes = bytes.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
  }
  return Buffer.from(bytes, 'latin1').toString()
}

/** Two hashes of 32 bits with different constants, as of murmur3's mixing; never both 0, which is a free slot. */
function hashOf(key: string): { readonly high: number; readonly low: number } {
  let high = 0x9747b28c
  let low = 0x3243f6a8
  for (let at = 0; at < key.length; at++) {
    const unit = key.charCodeAt(at)
    high = Math.imul(high ^ unit, 0x9e3779b1)
    low = Math.imul(low ^ unit, 0x5f356495)
    high = (high << 13) | (high >>> 19)
    low = (low << 15) | (low >>> 17)
  }
  const [one, other] = [
    mixed32(high ^ Math.imul(low, 0x85ebca6b)),
    mixed32(low ^ Math.imul(high, 0xc2b2ae35)),
  ]
  return { high: one, low: one === 0 && other === 0 ? 1 : other }
}
