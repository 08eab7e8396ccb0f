import { oneOnTheWay } from '../../concurrency.ts'
import type { KeptReader } from '../../postgres/kept-reader.ts'
import { reuseVectors } from '../../vector/vector-memory.ts'
import { createEncoder, type EncodedRows, type EncodeSettings } from './encode-rows.ts'
import { readTable, type ReadRequest, type ReadResult } from './read-table.ts'

/** Takes a row group; while its promise is pending its reader makes one more, then waits. */
export type TakeEncoded = (rows: EncodedRows) => Promise<void>

/**
 * Reads and encodes in this thread. One row group is on its way at a time: the next one is made meanwhile, a third would
 * only fill memory. Returns when the last one is taken.
 */
export async function readEncoded(
  request: ReadRequest,
  settings: EncodeSettings,
  reader: KeptReader,
  take: TakeEncoded,
  signal: AbortSignal,
): Promise<ReadResult> {
  const encode = await createEncoder(settings)
  const handOver = oneOnTheWay()
  const result = await readTable(
    request,
    reader,
    (rows) => {
      const encoded = encode(rows)
      reuseVectors(rows.vectors)
      return handOver.start(() => take(encoded))
    },
    signal,
  )
  await handOver.done()
  return result
}
