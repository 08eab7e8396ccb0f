import { pipeline } from 'node:stream/promises'
import { setImmediate } from 'node:timers/promises'
import { from } from 'pg-copy-streams'
import type { Connection } from '../connection/connect.ts'

/**
 * Runs `COPY table FROM STDIN` with the chunks as its data, as fast as the server takes them; returns the
 * command tag's rows. Errors of the server are about `table`; after any error the transaction is aborted.
 */
export async function copyIn(
  connection: Connection,
  sql: string,
  chunks: Iterable<Uint8Array>,
  table: string,
): Promise<number> {
  const stream = connection.client.query(from(sql))
  try {
    await pipeline(breathing(chunks), stream)
    return stream.rowCount
  } catch (error) {
    throw connection.explain(error, table)
  }
}

/**
 * Lets the event loop turn between chunks: a server that takes every write at once would otherwise keep timers
 * and signals waiting to the end.
 */
async function* breathing(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    yield chunk
    await setImmediate()
  }
}
