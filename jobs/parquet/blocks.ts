import { freeMemory } from './vector-memory.ts'

/** Bytes gathered for one transfer: below this, pages are joined. */
const blockBytes = 1 << 20

/** Joins appended bytes into blocks of at least 1 MB, each in an ArrayBuffer of its own. */
export interface BlockList {
  /** Takes `bytes`: what it has copied is freed, if they are all of their buffer. */
  readonly append: (bytes: Uint8Array) => void
  /** Bytes appended so far. */
  readonly size: () => number
  /** The blocks; nothing may be appended afterwards. */
  readonly finish: () => readonly Uint8Array<ArrayBuffer>[]
}

/** An empty list. */
export function blockList(): BlockList {
  const blocks: Uint8Array<ArrayBuffer>[] = []
  let pending: Uint8Array[] = []
  let pendingSize = 0
  let size = 0

  function flush(): void {
    if (pendingSize === 0) return
    const block = new Uint8Array(pendingSize)
    let position = 0
    for (const bytes of pending) {
      block.set(bytes, position)
      position += bytes.length
    }
    blocks.push(block)
    // Left to the garbage collector, pages pile up: it hardly sees them.
    freeMemory(pending.filter(ownsBuffer).map(({ buffer }) => buffer))
    pending = []
    pendingSize = 0
  }

  return {
    append(bytes) {
      if (bytes.length >= blockBytes && ownsBuffer(bytes)) {
        flush()
        blocks.push(bytes)
        size += bytes.length
        return
      }
      pending.push(bytes)
      pendingSize += bytes.length
      size += bytes.length
      if (pendingSize >= blockBytes) flush()
    },
    size: () => size,
    finish() {
      flush()
      return blocks
    },
  }
}

/** Whether the bytes can be moved as they are: a page of one 64 MB value is not copied once more. */
const ownsBuffer = (bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> =>
  bytes.buffer instanceof ArrayBuffer && bytes.byteLength > 0 && bytes.byteLength === bytes.buffer.byteLength
