import type { OutputFile } from '../../storage/file-io.ts'
import type { EmailCounts } from '../counts.ts'
import { createLineWriter } from './line-writer.ts'

/** The first line of each result. */
export const resultHeader = Buffer.from('email,create_count,read_count,update_count,delete_count\n')

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
  const linesOf = createLineWriter()
  let rows = 0
  await output.write(resultHeader)
  for await (const batch of batches) {
    for (let row = 0; row < batch.rows;) {
      const { bytes, end } = linesOf(batch, row)
      await output.write(bytes)
      row = end
    }
    rows += batch.rows
  }
  return rows
}
