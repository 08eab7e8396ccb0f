import type { DuckDBDataChunk, DuckDBResult } from '@duckdb/node-api'

/** Makes text of a result, chunk by chunk. */
export interface ResultWriter {
  head(result: DuckDBResult): string
  rows(chunk: DuckDBDataChunk): string
  end(): string
}
