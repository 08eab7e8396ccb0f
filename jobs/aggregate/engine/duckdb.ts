import type { DuckDBConnection } from '@duckdb/node-api'
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { JobError, asError } from '../../errors.ts'
import type { EmailCounts } from '../counts.ts'
import { readCountsText } from './counts-text.ts'
import type { Engine } from './engine.ts'
import { createEngineNames, quote } from '../../lake/engine-names.ts'

export interface DuckDbSettings {
  readonly threads: number
  /** Bytes that DuckDB may take, about; above, it spills into `scratch`. */
  readonly memoryLimit: number
  /** A local folder of this run alone. */
  readonly scratch: string
  readonly signal: AbortSignal
  /** Rows of counts files that `merge` takes at once, at least; 2 M unless said. */
  readonly partRows?: number
}

/** DuckDB in this process. Loading it takes as long as counting a million rows, so it is loaded when needed. */
export async function openDuckDb({
  threads,
  memoryLimit,
  scratch,
  signal,
  partRows = Math.min(2_000_000, Math.ceil(memoryLimit / bytesOfRow)),
}: DuckDbSettings): Promise<Engine> {
  const names = createEngineNames(scratch)
  const { default: duckdb } = await import('@duckdb/node-api')
  const instance = await duckdb.DuckDBInstance.create(':memory:', {
    threads: String(threads),
    memory_limit: `${Math.floor(memoryLimit * bufferShare)}B`,
    temp_directory: join(scratch, 'spill'),
    preserve_insertion_order: 'false',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  })
  const connection = await instance.connect()
  const interrupt = (): void => {
    connection.interrupt()
  }
  signal.addEventListener('abort', interrupt)
  const engine: Engine = {
    async *merge(paths): AsyncIterable<EmailCounts> {
      const sources = await names.sources(paths)
      const ranges = await emailRanges(connection, sources, partRows)
      const write = async (part: number): Promise<void> => {
        // Between two statements an interrupt stops nothing.
        signal.throwIfAborted()
        await writeText(connection, mergedCounts(sources, ranges[part]), names.target(textOf(part)))
      }
      const textOf = (part: number): string => join(scratch, `merged-${part}.counts`)
      // While a part is read here, the engine merges the next one. What a failure leaves goes with the scratch folder.
      let written = write(0)
      try {
        for (let part = 1; part <= ranges.length; part++) {
          await written
          const text = textOf(part - 1)
          if (part < ranges.length) written = write(part)
          // Awaited above or below; until then a failure must not count as unhandled.
          written.catch(() => undefined)
          yield* readCountsText(createReadStream(text, { highWaterMark: 1 << 20 }))
          await rm(text)
        }
      } finally {
        // The engine is not closed while it works.
        await written.catch(() => undefined)
      }
    },

    close() {
      signal.removeEventListener('abort', interrupt)
      connection.closeSync()
      instance.closeSync()
      return Promise.resolve()
    },
  }
  return engine
}

/**
 * DuckDB's limit is that of its buffers; what it allocates beside them came to half a gigabyte with 10 M emails
 * (docs/benchmarks.md).
 */
const bufferShare = 0.6
/** What a merged row may take while it is summed and sorted, about. */
const bytesOfRow = 512

const countsIn = (sources: string): string =>
  `SELECT email, create_count, read_count, update_count, delete_count
   FROM read_parquet(${sources}, hive_partitioning = false)`

/** Sums as doubles: exact to 2^53 like every count here, and a fifth quicker than DuckDB's 128-bit integers. */
const mergedCounts = (sources: string, range = 'true'): string => `
  SELECT email, sum(create_count::DOUBLE)::BIGINT AS create_count, sum(read_count::DOUBLE)::BIGINT AS read_count,
         sum(update_count::DOUBLE)::BIGINT AS update_count, sum(delete_count::DOUBLE)::BIGINT AS delete_count
  FROM (${countsIn(sources)})
  WHERE ${range}
  GROUP BY email ORDER BY email`

/**
 * Conditions that cut the emails of sorted counts files into ranges, ascending, of `partRows` rows or somewhat more. The
 * cuts are emails that row groups begin with, so that the engine reads few of them twice; any others would do as well.
 */
async function emailRanges(
  connection: DuckDBConnection,
  sources: string,
  partRows: number,
): Promise<string[]> {
  const reader = await connection
    .runAndReadAll(
      `SELECT stats_min_value, row_group_num_rows FROM parquet_metadata(${sources})
       WHERE path_in_schema = 'email' AND stats_min_value IS NOT NULL`,
    )
    .catch((error: unknown) => {
      throw engineError(error)
    })
  const groups = reader.getRows().map(([first, rows]) => ({ first: Buffer.from(String(first)), rows }))
  const cuts: string[] = []
  let held = 0
  for (const { first, rows } of groups.sort((a, b) => a.first.compare(b.first))) {
    if (held >= partRows) {
      cuts.push(quote(String(first)))
      held = 0
    }
    held += Number(rows)
  }
  return [...cuts, undefined].map((end, i) => {
    const from = i === 0 ? 'true' : `email >= ${cuts[i - 1]!}`
    return end === undefined ? from : `${from} AND email < ${end}`
  })
}

/** Writes what `counts` selects as counts-text.ts describes, to `target` (SQL). */
async function writeText(connection: DuckDBConnection, counts: string, target: string): Promise<void> {
  // Length first and nothing quoted: any email is read back byte for byte.
  await run(
    connection,
    `COPY (SELECT strlen(email), create_count, read_count, update_count, delete_count, email FROM (${counts}))
     TO ${target} (FORMAT csv, HEADER false, DELIMITER ',', QUOTE '', ESCAPE '')`,
  )
}

async function run(connection: DuckDBConnection, sql: string): Promise<void> {
  await connection.run(sql).catch((error: unknown) => {
    throw engineError(error)
  })
}

const engineError = (error: unknown): JobError => {
  const { message } = asError(error)
  const fix = /Out of Memory/i.test(message)
    ? 'raise --memory-limit'
    : /No space left|max_temp_directory_size/i.test(message)
      ? 'free disk space, or give a larger folder with --scratch'
      : undefined
  return new JobError('failed', `DuckDB: ${message}`, { cause: error, ...(fix === undefined ? {} : { fix }) })
}
