import type { OutputFile } from '../../storage/file-io.ts'
import type { EmailCounts } from '../counts.ts'
import { maxDigits, putField, putNumber } from './csv-field.ts'

/** The first line of each result. */
export const resultHeader = Buffer.from('email,create_count,read_count,update_count,delete_count\n')
const bufferBytes = 262_144

/**
 * Writes the result of a window (design §3.4): the header, then one row per email in the order given, which the
 * caller has sorted by the emails' bytes; each row ends in LF. The only writer of results, so that their bytes do
 * not depend on the engine. Constant memory; resolves to the number of rows. Closing `output`, or dropping it after
 * a failure, is the caller's.
 */
export async function writeResult(
  output: Pick<OutputFile, 'write'>,
  batches: AsyncIterable<EmailCounts> | Iterable<EmailCounts>,
): Promise<number> {
  let buffer = Buffer.alloc(bufferBytes)
  let length = resultHeader.copy(buffer)
  let rows = 0

  /** Formats rows from `first` on for as long as they surely fit; returns the first one that does not. */
  const fill = (batch: EmailCounts, first: number): number => {
    const { offsets, emails } = batch
    let row = first
    for (; row < batch.rows; row++) {
      const start = offsets[row]!
      const end = offsets[row + 1]!
      if (length + rowRoom(end - start) > buffer.length) break
      length = putField(buffer, length, emails, start, end)
      length = putCount(buffer, length, batch.create[row]!)
      length = putCount(buffer, length, batch.read[row]!)
      length = putCount(buffer, length, batch.update[row]!)
      length = putCount(buffer, length, batch.delete[row]!)
      buffer[length++] = 0x0a
    }
    return row
  }

  for await (const batch of batches) {
    for (let row = fill(batch, 0); row < batch.rows; row = fill(batch, row)) {
      await output.write(buffer.subarray(0, length))
      length = 0
      const room = rowRoom(batch.offsets[row + 1]! - batch.offsets[row]!)
      if (room > buffer.length) buffer = Buffer.alloc(room)
    }
    rows += batch.rows
  }
  if (length > 0) await output.write(buffer.subarray(0, length))
  return rows
}

/** The most bytes that a row with an email of `emailBytes` takes: all of them doubled quotes, four counts, LF. */
const rowRoom = (emailBytes: number): number => 2 * emailBytes + 2 + 4 * (1 + maxDigits) + 1

function putCount(buffer: Uint8Array, at: number, count: number): number {
  buffer[at] = 0x2c
  return putNumber(buffer, at + 1, count)
}
