import duckdb from '@duckdb/node-bindings'
import { BIGINT, DuckDBDataChunk, type DuckDBConnection } from '@duckdb/node-api'
import { deletedPositions } from './puffin.ts'
import type { ScanStep } from './read-sql.ts'

/** Rows of a chunk. */
const chunkRows = 2048

/** Does on a connection what comes ahead of a scan's query. Errors: DuckDB's; `JobError` data for a damaged vector. */
export async function takeStep(connection: DuckDBConnection, step: ScanStep): Promise<void> {
  if (step.kind === 'sql') {
    await connection.run(step.sql)
    return
  }
  const positions = deletedPositions(step.blob, step.where)
  const appender = await connection.createAppender(step.table, undefined, 'temp')
  const files = new BigInt64Array(chunkRows).fill(BigInt(step.file))
  for (let at = 0; at < positions.length; at += chunkRows) {
    const part = positions.slice(at, at + chunkRows)
    const chunk = DuckDBDataChunk.create([BIGINT, BIGINT], chunkRows)
    chunk.rowCount = part.length
    for (const [column, values] of [files, part].entries())
      duckdb.copy_data_to_vector(
        duckdb.data_chunk_get_vector(chunk.chunk, column),
        0,
        values.buffer,
        0,
        8 * part.length,
      )
    appender.appendDataChunk(chunk)
  }
  appender.closeSync()
}
