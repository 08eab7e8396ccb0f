import type { EmailCounts } from '../counts.ts'

/**
 * Sorted counts as an engine hands them over: one record a row, `<bytes>,<create>,<read>,<update>,<delete>,<email>`
 * and LF, the email raw and `<bytes>` long. Reading Parquet in JavaScript costs seven times this (docs/decisions).
 */
const batchRows = 16_384
const batchBytes = 1 << 20
const comma = 0x2c

/**
 * The text's rows as batches of at most 16,384, in the text's order. A batch is the caller's until it asks for the next
 * one: they share their storage. Throws when the text ends inside a row.
 */
export async function* readCountsText(chunks: AsyncIterable<Uint8Array>): AsyncIterable<EmailCounts> {
  const batch = createBatch()
  let rest: Uint8Array = new Uint8Array(0)
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    for (;;) {
      const end = batch.fill(bytes, at)
      if (end === at) break
      yield batch.counts()
      at = end
    }
    rest = bytes.subarray(at)
  }
  if (rest.length > 0) throw new Error('the engine handed over counts that end inside a row')
}

interface Batch {
  /** Takes as many whole rows as `bytes` holds from `start`; returns where the first that it did not take begins. */
  fill(bytes: Uint8Array, start: number): number
  counts(): EmailCounts
}

function createBatch(): Batch {
  const column = (): Float64Array => new Float64Array(batchRows)
  const [create, read, update, deleted] = [column(), column(), column(), column()]
  const numbers = new Float64Array(5)
  const offsets = new Uint32Array(batchRows + 1)
  let emails = Buffer.allocUnsafe(batchBytes)
  let rows = 0

  const makeRoom = (filled: number, wanted: number): void => {
    if (filled + wanted <= emails.length) return
    emails = Buffer.concat([emails], Math.max(2 * emails.length, filled + wanted))
  }

  return {
    fill(bytes, start) {
      const length = bytes.length
      let filled = 0
      let end = start
      for (rows = 0; rows < batchRows;) {
        let at = end
        for (let field = 0; field < 5; field++) {
          let value = 0
          for (; at < length; at++) {
            const byte = bytes[at]!
            if (byte === comma) break
            value = value * 10 + (byte - 0x30)
          }
          numbers[field] = value
          at++
        }
        const next = at + numbers[0]! + 1
        if (next > length) break
        makeRoom(filled, numbers[0]!)
        const target = emails
        for (; at < next - 1; at++) target[filled++] = bytes[at]!
        create[rows] = numbers[1]!
        read[rows] = numbers[2]!
        update[rows] = numbers[3]!
        deleted[rows] = numbers[4]!
        offsets[++rows] = filled
        end = next
      }
      return end
    },
    counts: () => ({ rows, emails, offsets, create, read, update, delete: deleted }),
  }
}
