import type { EmailCounts } from '../counts.ts'
import { resultHeader } from './write-result.ts'

const quote = 0x22
const comma = 0x2c
const lf = 0x0a

/** Rows and bytes of emails that end a batch. */
const batchRows = 262_144
const batchBytes = 16 * 2 ** 20

/** Takes the bytes of a result in order; `end` after the last of them. Errors: `Error` for what is no result of ours. */
export interface ResultReader {
  push(chunk: Uint8Array): Promise<void>
  end(): Promise<void>
}

/** Reads what `writeResult` writes, a row's fields as they are there; hands it to `take` in batches, in its order. */
export function resultReader(take: (batch: EmailCounts) => Promise<void>): ResultReader {
  let rest: Uint8Array = new Uint8Array(0)
  let isHeaderRead = false
  let batch = createBatch()

  const handOver = async (): Promise<void> => {
    if (batch.isEmpty()) return
    const full = batch.counts()
    batch = createBatch()
    await take(full)
  }
  return {
    async push(chunk) {
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      let at = 0
      if (!isHeaderRead) {
        if (bytes.length < resultHeader.length) {
          rest = Uint8Array.from(bytes)
          return
        }
        if (!resultHeader.equals(bytes.subarray(0, resultHeader.length)))
          throw new Error('a result that does not begin with its header')
        isHeaderRead = true
        at = resultHeader.length
      }
      for (let next = batch.add(bytes, at); next > at; next = batch.add(bytes, at)) {
        at = next
        if (batch.isFull()) await handOver()
      }
      // A copy: the chunk's memory is the caller's.
      rest = Uint8Array.from(bytes.subarray(at))
    },
    async end() {
      if (rest.length > 0 || !isHeaderRead) throw new Error('a result that ends inside a row')
      await handOver()
    },
  }
}

interface Batch {
  /** Takes the row that begins at `start`; where the next one begins, `start` where the bytes end within it. */
  add(bytes: Uint8Array, start: number): number
  isEmpty(): boolean
  isFull(): boolean
  counts(): EmailCounts
}

function createBatch(): Batch {
  const column = (): Float64Array => new Float64Array(batchRows)
  const numbers = [column(), column(), column(), column()] as const
  const offsets = new Uint32Array(batchRows + 1)
  let emails = new Uint8Array(2 ** 16)
  let rows = 0

  const makeRoom = (needed: number): void => {
    if (needed <= emails.length) return
    const larger = new Uint8Array(Math.max(2 * emails.length, needed))
    larger.set(emails.subarray(0, offsets[rows]))
    emails = larger
  }
  return {
    add(bytes, start) {
      const end = rowEnd(bytes, start)
      if (end === start) return start
      let at = start
      let filled = offsets[rows]!
      makeRoom(filled + end - start)
      if (bytes[at] === quote) {
        for (at++; bytes[at] !== quote || bytes[at + 1] === quote; at++) {
          if (bytes[at] === quote) at++
          emails[filled++] = bytes[at]!
        }
        at++
      } else while (bytes[at] !== comma) emails[filled++] = bytes[at++]!
      for (const counts of numbers) {
        let value = 0
        for (at++; bytes[at] !== comma && bytes[at] !== lf; at++) value = value * 10 + (bytes[at]! - 0x30)
        counts[rows] = value
      }
      if (at !== end - 1) throw new Error('a row of a result that has other fields')
      offsets[++rows] = filled
      return end
    },
    isEmpty: () => rows === 0,
    isFull: () => rows === batchRows || offsets[rows]! >= batchBytes,
    counts() {
      const [create, read, update, deleted] = numbers
      return {
        rows,
        emails: emails.subarray(0, offsets[rows]),
        offsets,
        create,
        read,
        update,
        delete: deleted,
      }
    },
  }
}

/** Behind the line end of the row that begins at `start`; `start` where there is none yet. A quoted email may have some. */
function rowEnd(bytes: Uint8Array, start: number): number {
  let isQuoted = false
  for (let at = start; at < bytes.length; at++) {
    if (bytes[at] === quote) isQuoted = !isQuoted
    else if (bytes[at] === lf && !isQuoted) return at + 1
  }
  return start
}
