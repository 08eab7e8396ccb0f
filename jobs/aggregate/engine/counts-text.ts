import type { EmailCounts } from '../counts.ts'

/**
 * Sorted counts as an engine hands them over: one record a row, `<bytes>,<create>,<read>,<update>,<delete>,<email>`
 * and LF, the email raw and `<bytes>` long. Reading Parquet in JavaScript costs seven times this (docs/decisions).
 */
const batchRows = 16_384
const comma = 0x2c

/** The text's rows as batches of at most 16,384, in the text's order. Throws when it ends inside a row. */
export async function* readCountsText(chunks: AsyncIterable<Uint8Array>): AsyncIterable<EmailCounts> {
  let rest: Uint8Array = new Uint8Array(0)
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let at = 0
    for (;;) {
      const { batch, end } = readBatch(bytes, at)
      if (batch.rows > 0) yield batch
      if (end === at) break
      at = end
    }
    rest = bytes.subarray(at)
  }
  if (rest.length > 0) throw new Error('the engine handed over counts that end inside a row')
}

/** As many whole rows as `bytes` holds from `start`, and where the first unfinished one begins. */
function readBatch(bytes: Uint8Array, start: number): { readonly batch: EmailCounts; readonly end: number } {
  const numbers = new Float64Array(5)
  const offsets = new Uint32Array(batchRows + 1)
  const columns = Array.from({ length: 4 }, () => new Float64Array(batchRows)) as [
    Counts,
    Counts,
    Counts,
    Counts,
  ]
  let emails = Buffer.alloc(Math.min(bytes.length - start, 1 << 20))
  let filled = 0
  let rows = 0
  let end = start
  while (rows < batchRows) {
    let at = end
    let field = 0
    for (; field < 5 && at < bytes.length; field++) {
      let value = 0
      while (at < bytes.length && bytes[at] !== comma) value = value * 10 + bytes[at++]! - 0x30
      numbers[field] = value
      at++
    }
    const length = numbers[0]!
    if (field < 5 || at + length + 1 > bytes.length) break
    if (filled + length > emails.length) {
      emails = Buffer.concat([emails, Buffer.alloc(Math.max(emails.length, length))])
    }
    emails.set(bytes.subarray(at, at + length), filled)
    filled += length
    for (let column = 0; column < 4; column++) columns[column]![rows] = numbers[column + 1]!
    offsets[++rows] = filled
    end = at + length + 1
  }
  const [create, read, update, deleted] = columns
  return { batch: { rows, emails, offsets, create, read, update, delete: deleted }, end }
}

type Counts = Float64Array
