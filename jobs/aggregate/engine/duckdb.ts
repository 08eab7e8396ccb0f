import type { DuckDBConnection } from '@duckdb/node-api'
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { JobError, asError } from '../../errors.ts'
import type { EmailCounts } from '../counts.ts'
import { readCountsText } from './counts-text.ts'
import type { CountedLog, Engine } from './engine.ts'

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
  partRows = 2_000_000,
}: DuckDbSettings): Promise<Engine> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:', {
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
  return {
    countLog: (path, target) => countLog(connection, path, target),

    async mergeToFile(sources, target) {
      return run(connection, `COPY (${mergedCounts(sources)}) TO ${quote(target)} ${countsFormat}`)
    },

    async *merge(sources): AsyncIterable<EmailCounts> {
      const ranges = await emailRanges(connection, sources, partRows)
      const write = (part: number): Promise<string> =>
        writeText(connection, mergedCounts(sources, ranges[part]), join(scratch, `merged-${part}.counts`))
      // While a part is read here, the engine merges the next one. What a failure leaves goes with the scratch folder.
      let written = write(0)
      try {
        for (let part = 1; part <= ranges.length; part++) {
          const text = await written
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
}

/**
 * DuckDB's limit is that of its buffers; what it allocates beside them came to half a gigabyte with 10 M emails
 * (docs/benchmarks.md).
 */
const bufferShare = 0.6

/** A codec that counts-file.ts reads, too: few emails may still be too long for one part. */
const countsFormat = '(FORMAT parquet, COMPRESSION snappy)'

async function countLog(
  connection: DuckDBConnection,
  path: string,
  target: string,
): Promise<CountedLog | undefined> {
  try {
    await connection.run(`COPY (${countsOfLog(path)}) TO ${quote(target)} ${countsFormat}`)
  } catch (error) {
    // Its reader met what it cannot read; whether that is a reject or a fault of the disk, the scanner finds out.
    if (/^(Invalid Input|Conversion) Error/.test(asError(error).message)) return undefined
    throw engineError(error)
  }
  const reader = await connection.runAndReadAll(
    `SELECT coalesce(sum(create_count + read_count + update_count + delete_count), 0)::DOUBLE, count(*)::DOUBLE
     FROM read_parquet(${quote(target)})`,
  )
  const [rows = 0, emails = 0] = (reader.getRows()[0] ?? []).map(Number)
  return { rows, emails }
}

/** Counts per email, sorted. The timestamp is not even looked at: that is the scanner's. */
const countsOfLog = (path: string): string => `
  SELECT email,
         count(*) FILTER (action = 'CREATE') AS create_count,
         count(*) FILTER (action = 'READ') AS read_count,
         count(*) FILTER (action = 'UPDATE') AS update_count,
         count(*) FILTER (action = 'DELETE') AS delete_count
  FROM read_csv(${quote(path)}, auto_detect = false, header = false, delim = ',', quote = '', escape = '',
                new_line = '\\n', max_line_size = ${engineLineBytes}, parallel = true,
                columns = {'email': 'VARCHAR', 'action': 'VARCHAR', 'time': 'VARCHAR'})
  GROUP BY email ORDER BY email`

/** Below the scanner's longest record, so that the engine never accepts what the scanner refuses. */
const engineLineBytes = 1_000_000

/** Sums as doubles: exact to 2^53 like every count here, and a fifth quicker than DuckDB's 128-bit integers. */
const mergedCounts = (sources: readonly string[], range = 'true'): string => `
  SELECT email, sum(create_count::DOUBLE)::BIGINT AS create_count, sum(read_count::DOUBLE)::BIGINT AS read_count,
         sum(update_count::DOUBLE)::BIGINT AS update_count, sum(delete_count::DOUBLE)::BIGINT AS delete_count
  FROM read_parquet([${sources.map(quote).join(', ')}])
  WHERE ${range}
  GROUP BY email ORDER BY email`

/**
 * Conditions that cut the emails of sorted counts files into ranges, ascending, of `partRows` rows or somewhat more. The
 * cuts are emails that row groups begin with, so that the engine reads few of them twice; any others would do as well.
 */
async function emailRanges(
  connection: DuckDBConnection,
  sources: readonly string[],
  partRows: number,
): Promise<string[]> {
  const reader = await connection
    .runAndReadAll(
      `SELECT stats_min_value, row_group_num_rows FROM parquet_metadata([${sources.map(quote).join(', ')}])
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

/** Writes what `counts` selects as counts-text.ts describes; resolves to `target`. */
async function writeText(connection: DuckDBConnection, counts: string, target: string): Promise<string> {
  // Length first and nothing quoted: any email is read back byte for byte.
  await run(
    connection,
    `COPY (SELECT strlen(email), create_count, read_count, update_count, delete_count, email FROM (${counts}))
     TO ${quote(target)} (FORMAT csv, HEADER false, DELIMITER ',', QUOTE '', ESCAPE '')`,
  )
  return target
}

/** Runs a statement; resolves to the rows that it wrote. */
async function run(connection: DuckDBConnection, sql: string): Promise<number> {
  try {
    return (await connection.run(sql)).rowsChanged
  } catch (error) {
    throw engineError(error)
  }
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

const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`
