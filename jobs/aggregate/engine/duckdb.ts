import type { DuckDBConnection } from '@duckdb/node-api'
import { createReadStream } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Day } from '../../calendar.ts'
import { JobError, asError } from '../../errors.ts'
import type { EmailCounts } from '../counts.ts'
import { readCountsText } from './counts-text.ts'
import type { CountedLog, Engine } from './engine.ts'

export interface DuckDbSettings {
  readonly threads: number
  /** Bytes that DuckDB's buffers may take; above, it spills into `scratch`. */
  readonly memoryLimit: number
  /** A local folder of this run alone. */
  readonly scratch: string
  readonly signal: AbortSignal
}

/** DuckDB in this process. Loading it takes as long as counting a million rows, so it is loaded when needed. */
export async function openDuckDb({ threads, memoryLimit, scratch, signal }: DuckDbSettings): Promise<Engine> {
  const { DuckDBInstance } = await import('@duckdb/node-api')
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(threads),
    memory_limit: `${memoryLimit}B`,
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
    countLog: (path, day, target) => countLog(connection, path, day, target),

    async mergeToFile(sources, target) {
      return run(connection, `COPY (${mergedCounts(sources)}) TO ${quote(target)} ${countsFormat}`)
    },

    async *merge(sources): AsyncIterable<EmailCounts> {
      const text = join(scratch, 'merged.counts')
      try {
        // Length first and nothing quoted: any email is read back byte for byte (counts-text.ts).
        await run(
          connection,
          `COPY (SELECT strlen(email), create_count, read_count, update_count, delete_count, email
                 FROM (${mergedCounts(sources)}))
           TO ${quote(text)} (FORMAT csv, HEADER false, DELIMITER ',', QUOTE '', ESCAPE '')`,
        )
        yield* readCountsText(createReadStream(text, { highWaterMark: 1 << 20 }))
      } finally {
        await rm(text, { force: true })
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

/** A codec that counts-file.ts reads, too: few emails may still be too long for one part. */
const countsFormat = '(FORMAT parquet, COMPRESSION snappy)'

async function countLog(
  connection: DuckDBConnection,
  path: string,
  day: Day,
  target: string,
): Promise<CountedLog | undefined> {
  try {
    await connection.run(`CREATE OR REPLACE TEMP TABLE day_counts AS ${countsOfLog(path, day)}`)
  } catch (error) {
    // Its reader met what it cannot read; whether that is a reject or a fault of the disk, the scanner finds out.
    if (/^(Invalid Input|Conversion) Error/.test(asError(error).message)) return undefined
    throw engineError(error)
  }
  const reader = await connection.runAndReadAll(tallySql)
  const [rows = 0, bytes = 0, otherDayRows = 0, emails = 0] = (reader.getRows()[0] ?? []).map(Number)
  // Byte accounting: every byte of the file is in a row that was counted, or the file is not proven.
  if (bytes !== (await closedSize(path))) return undefined
  await run(
    connection,
    `COPY (SELECT email, create_count, read_count, update_count, delete_count FROM day_counts ORDER BY email)
     TO ${quote(target)} ${countsFormat}`,
  )
  await run(connection, 'DROP TABLE day_counts')
  return { rows, otherDayRows, emails }
}

/**
 * Counts per email of the rows whose timestamp is exact. `GLOB` settles the file's own day cheaply; any other
 * timestamp must be what DuckDB prints for it. Rows of another action are counted in `all_rows` alone.
 */
const countsOfLog = (path: string, day: Day): string => `
  SELECT email,
         count(*) FILTER (action = 'CREATE') AS create_count,
         count(*) FILTER (action = 'READ') AS read_count,
         count(*) FILTER (action = 'UPDATE') AS update_count,
         count(*) FILTER (action = 'DELETE') AS delete_count,
         count(*) AS all_rows,
         count(*) FILTER (NOT starts_with(time, '${day} ')) AS other_day_rows
  FROM read_csv(${quote(path)}, auto_detect = false, header = false, delim = ',', quote = '', escape = '',
                new_line = '\\n', max_line_size = ${engineLineBytes}, parallel = true,
                columns = {'email': 'VARCHAR', 'action': 'VARCHAR', 'time': 'VARCHAR'})
  WHERE CASE WHEN time GLOB '${day} [0-2][0-9]:[0-5][0-9]:[0-5][0-9]' AND time < '${day} 24' THEN true
             ELSE strlen(time) = 19 AND CAST(TRY_CAST(time AS TIMESTAMP) AS VARCHAR) = time END
  GROUP BY email`

/** Below the scanner's longest record, so that the engine never accepts what the scanner refuses. */
const engineLineBytes = 1_000_000

/** Rows, the bytes they account for (email + action + 19 of the timestamp + 3 separators), other days, emails. */
const tallySql = `
  SELECT coalesce(sum(all_rows), 0)::DOUBLE,
         coalesce(sum(CASE WHEN email <> '' AND all_rows = create_count + read_count + update_count + delete_count
                           THEN all_rows * (strlen(email) + 22) + 6 * (create_count + update_count + delete_count)
                                + 4 * read_count END), 0)::DOUBLE,
         coalesce(sum(other_day_rows), 0)::DOUBLE,
         count(*)::DOUBLE
  FROM day_counts`

const mergedCounts = (sources: readonly string[]): string => `
  SELECT email, sum(create_count)::BIGINT AS create_count, sum(read_count)::BIGINT AS read_count,
         sum(update_count)::BIGINT AS update_count, sum(delete_count)::BIGINT AS delete_count
  FROM read_parquet([${sources.map(quote).join(', ')}])
  GROUP BY email ORDER BY email`

/** The size that a file has, or would have if a line feed ended its last line. */
async function closedSize(path: string): Promise<number> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const { buffer, bytesRead } = await file.read({
      buffer: Buffer.alloc(1),
      position: Math.max(size - 1, 0),
    })
    return bytesRead === 1 && buffer[0] !== 0x0a ? size + 1 : size
  } finally {
    await file.close()
  }
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
