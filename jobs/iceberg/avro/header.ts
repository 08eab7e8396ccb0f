import { damaged } from '../damaged.ts'

export const magic = Buffer.from('Obj\x01', 'latin1')
/** Bytes of a container's sync marker. */
export const syncSize = 16

export interface ContainerHeader {
  /** As text, `avro.` keys included. */
  readonly metadata: ReadonlyMap<string, string>
  /** What is behind every block. */
  readonly sync: Buffer
  /** Where the first block begins. */
  readonly end: number
}

/** Avro specification, "Object Container Files". Errors: `JobError` data, naming `location`. */
export function readHeader(location: string, bytes: Buffer): ContainerHeader {
  if (!bytes.subarray(0, magic.length).equals(magic)) throw damaged(location, 'is not an Avro file')
  const metadata = new Map<string, string>()
  let at = magic.length
  const long = (): number => {
    const read = readLong(location, bytes, at)
    at = read.next
    return read.value
  }
  const text = (): string => {
    const size = long()
    const start = at
    at += size
    if (size < 0 || at > bytes.length) throw damaged(location, 'is cut short or damaged')
    return bytes.toString('utf8', start, at)
  }
  for (let count = long(); count !== 0; count = long()) {
    // A negative count has the block's size behind it.
    if (count < 0) long()
    for (let left = Math.abs(count); left > 0; left--) metadata.set(text(), text())
  }
  const end = at + syncSize
  if (end > bytes.length) throw damaged(location, 'is cut short')
  return { metadata, sync: bytes.subarray(at, end), end }
}

/** A zigzag varint. Errors: as of `readHeader`. */
export function readLong(
  location: string,
  bytes: Buffer,
  start: number,
): { readonly value: number; readonly next: number } {
  let value = 0
  let factor = 1
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at]!
    value += (byte & 127) * factor
    if (byte < 128) return { value: value % 2 === 1 ? -(value + 1) / 2 : value / 2, next: at + 1 }
    factor *= 128
  }
  throw damaged(location, 'is cut short')
}
