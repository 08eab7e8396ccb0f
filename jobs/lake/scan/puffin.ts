import { crc32 } from 'node:zlib'
import { dataError } from '../../errors.ts'

/**
 * The row positions of a deletion vector, ascending: a blob `deletion-vector-v1` of a Puffin file (spec of Puffin, "Blob
 * types"): its length without length and checksum (4 bytes, big-endian), the magic number, a 64-bit Roaring bitmap (a
 * count, then per bitmap a 32-bit key and a 32-bit bitmap, all little-endian), the CRC-32 of magic and bitmap
 * (big-endian). `where`: for messages. Errors: `JobError` data for a blob that is damaged.
 */
export function deletedPositions(blob: Uint8Array, where: string): BigInt64Array {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength)
  const damaged = (what: string): Error =>
    dataError(`${where}: the deletion vector is damaged: ${what}`, {
      field: where,
      fix: 'bring the file back from a backup, or rewrite the table with the engine that wrote it',
    })
  if (blob.length < 20) throw damaged(`it has ${blob.length} bytes`)
  const length = view.getUint32(0)
  if (length !== blob.length - 8) throw damaged(`it has ${blob.length} bytes, and says ${length + 8}`)
  if (view.getUint32(4) !== magic) throw damaged('its magic number is wrong')
  const sum = view.getUint32(blob.length - 4)
  if (crc32(blob.subarray(4, blob.length - 4)) !== sum) throw damaged('its checksum is wrong')
  try {
    return bitmap64(view, 8, blob.length - 4)
  } catch (error) {
    if (error instanceof RangeError) throw damaged(error.message)
    throw error
  }
}

const magic = 0xd1d33964

function bitmap64(view: DataView, start: number, end: number): BigInt64Array {
  const count = Number(view.getBigUint64(start, true))
  const parts: { readonly key: bigint; readonly positions: Uint32Array }[] = []
  let at = start + 8
  for (let index = 0; index < count; index++) {
    const key = BigInt(view.getUint32(at, true))
    const read = bitmap32(view, at + 4)
    parts.push({ key, positions: read.positions })
    at = read.next
  }
  if (at !== end) throw new RangeError('it does not end where its bitmaps end')
  const all = new BigInt64Array(parts.reduce((total, { positions }) => total + positions.length, 0))
  let to = 0
  for (const { key, positions } of parts)
    for (const position of positions) all[to++] = (key << 32n) | BigInt(position)
  return all
}

const withRuns = 12_347
const withoutRuns = 12_346
/** A container's values from here on are a bitmap's. */
const mostInArray = 4096
const bitmapBytes = 8192
/** With fewer containers a bitmap that has runs has no offsets. */
const fewContainers = 4

/** A 32-bit Roaring bitmap (RoaringFormatSpec). */
function bitmap32(view: DataView, start: number): { readonly positions: Uint32Array; readonly next: number } {
  const cookie = view.getUint32(start, true)
  const hasRuns = (cookie & 0xffff) === withRuns
  if (!hasRuns && cookie !== withoutRuns) throw new RangeError(`unknown cookie ${cookie}`)
  const size = hasRuns ? (cookie >>> 16) + 1 : view.getUint32(start + 4, true)
  let at = start + (hasRuns ? 4 : 8)
  const runFlags = at
  if (hasRuns) at += (size + 7) >> 3
  const header = at
  at += 4 * size
  if (!hasRuns || size >= fewContainers) at += 4 * size
  const cardinality = (container: number): number => view.getUint16(header + 4 * container + 2, true) + 1
  let total = 0
  for (let container = 0; container < size; container++) total += cardinality(container)
  const positions = new Uint32Array(total)
  let to = 0
  for (let container = 0; container < size; container++) {
    const high = view.getUint16(header + 4 * container, true) * 65_536
    const isRun = hasRuns && (view.getUint8(runFlags + (container >> 3)) & (1 << (container & 7))) !== 0
    const first = to
    if (isRun) {
      const runs = view.getUint16(at, true)
      at += 2
      for (let run = 0; run < runs; run++, at += 4) {
        const value = view.getUint16(at, true)
        const more = view.getUint16(at + 2, true)
        for (let step = 0; step <= more; step++) positions[to++] = high + value + step
      }
    } else if (cardinality(container) <= mostInArray) {
      for (let value = 0; value < cardinality(container); value++, at += 2)
        positions[to++] = high + view.getUint16(at, true)
    } else {
      for (let byte = 0; byte < bitmapBytes; byte++) {
        const bits = view.getUint8(at + byte)
        for (let bit = 0; bit < 8; bit++)
          if ((bits & (1 << bit)) !== 0) positions[to++] = high + 8 * byte + bit
      }
      at += bitmapBytes
    }
    if (to - first !== cardinality(container))
      throw new RangeError('a container has another number of values')
  }
  return { positions, next: at }
}
