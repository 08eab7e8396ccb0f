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
  const size = await closedSize(path)
  // Nearly every row is of the file's own day, which is cheap to prove; only other files pay for the general proof.
  const own = await tryCount(connection, path, ofDay(day), target)
  if (own === undefined) return undefined
  if (own.bytes === size) return { rows: own.rows, otherDayRows: 0, emails: own.emails }
  const all = await tryCount(connection, path, anyTimestamp, target)
  if (all?.bytes !== size) return undefined
  return { rows: all.rows, otherDayRows: all.rows - own.rows, emails: all.emails }
}

interface Tally {
  readonly rows: number
  /** The bytes of the file that these rows account for. */
  readonly bytes: number
  readonly emails: number
}

/** Counts the rows that `condition` proves into `target`; undefined when the reader cannot read the file. */
async function tryCount(
  connection: DuckDBConnection,
  path: string,
  condition: string,
  target: string,
): Promise<Tally | undefined> {
  try {
    await connection.run(`COPY (${countsOfLog(path, condition)}) TO ${quote(target)} ${countsFormat}`)
  } catch (error) {
    // Its reader met what it cannot read; whether that is a reject or a fault of the disk, the scanner finds out.
    if (/^(Invalid Input|Conversion) Error/.test(asError(error).message)) return undefined
    throw engineError(error)
  }
  const reader = await connection.runAndReadAll(tallyOf(target))
  const [rows = 0, bytes = 0, emails = 0] = (reader.getRows()[0] ?? []).map(Number)
  return { rows, bytes, emails }
}

/** Whether `time` is an exact timestamp of the day; the comparison leaves out hours from 24 on. */
const ofDay = (day: Day): string =>
  `time GLOB '${day} [0-2][0-9]:[0-5][0-9]:[0-5][0-9]' AND time < '${day} 24'`

/** Whether `time` is an exact timestamp: what DuckDB prints for it again. */
const anyTimestamp = 'strlen(time) = 19 AND CAST(TRY_CAST(time AS TIMESTAMP) AS VARCHAR) = time'

/** Counts per email, sorted. Rows of another action are in none of them, and so missing from the bytes. */
const countsOfLog = (path: string, condition: string): string => `
  SELECT email,
         count(*) FILTER (action = 'CREATE') AS create_count,
         count(*) FILTER (action = 'READ') AS read_count,
         count(*) FILTER (action = 'UPDATE') AS update_count,
         count(*) FILTER (action = 'DELETE') AS delete_count
  FROM read_csv(${quote(path)}, auto_detect = false, header = false, delim = ',', quote = '', escape = '',
                new_line = '\\n', max_line_size = ${engineLineBytes}, parallel = true,
                columns = {'email': 'VARCHAR', 'action': 'VARCHAR', 'time': 'VARCHAR'})
  WHERE ${condition}
  GROUP BY email ORDER BY email`

/** Below the scanner's longest record, so that the engine never accepts what the scanner refuses. */
const engineLineBytes = 1_000_000

/** Rows, the bytes they account for (email + action + 19 of the timestamp + 3 separators), emails. */
const tallyOf = (target: string): string => `
  SELECT coalesce(sum(rows), 0)::DOUBLE,
         coalesce(sum(rows * (strlen(email) + 22) + 6 * (rows - read_count) + 4 * read_count), 0)::DOUBLE,
         count(*)::DOUBLE
  FROM (SELECT *, create_count + read_count + update_count + delete_count AS rows FROM read_parquet(${quote(target)}))
  WHERE email <> ''`

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
