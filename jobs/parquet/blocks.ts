import { freeMemory, obtainMemory, reuseMemory } from '../vector/vector-memory.ts'

/** Bytes gathered for one transfer. */
const blockBytes = 4 << 20

/** Joins appended bytes into blocks of up to 4 MB, each in an ArrayBuffer of its own. */
export interface BlockList {
  /** Takes `bytes`: what it has copied is freed, if they are all of their buffer. */
  readonly append: (bytes: Uint8Array) => void
  /** Bytes appended so far. */
  readonly size: () => number
  /** The blocks; nothing may be appended afterwards. */
  readonly finish: () => readonly Uint8Array<ArrayBuffer>[]
  /** In the place of `finish` where nobody wants them: gives their memory back. */
  readonly drop: () => void
}

/** An empty list. */
export function blockList(): BlockList {
  const blocks: Uint8Array<ArrayBuffer>[] = []
  let gathered: Uint8Array<ArrayBuffer> | undefined
  let used = 0
  let size = 0

  function flush(): void {
    if (gathered === undefined || used === 0) return
    blocks.push(gathered.slice(0, used))
    used = 0
  }

  function giveBack(): void {
    if (gathered !== undefined) reuseMemory([gathered.buffer])
    gathered = undefined
  }

  return {
    append(bytes) {
      size += bytes.length
      if (used + bytes.length > blockBytes) flush()
      if (bytes.length > blockBytes) {
        blocks.push(ownsBuffer(bytes) ? bytes : new Uint8Array(bytes))
        return
      }
      gathered ??= new Uint8Array(obtainMemory(blockBytes))
      gathered.set(bytes, used)
      used += bytes.length
      // Left to the garbage collector, pages pile up: it hardly sees them.
      if (ownsBuffer(bytes)) freeMemory([bytes.buffer])
    },
    size: () => size,
    finish() {
      flush()
      giveBack()
      return blocks
    },
    drop: giveBack,
  }
}

/** Whether the bytes can be moved as they are: a page of one 64 MB value is not copied once more. */
const ownsBuffer = (bytes: Uint8Array): bytes is Uint8Array<ArrayBuffer> =>
  bytes.buffer instanceof ArrayBuffer && bytes.byteLength > 0 && bytes.byteLength === bytes.buffer.byteLength
