import type { DuckDBConnection, DuckDBDataChunk, DuckDBInstance } from '@duckdb/node-api'
import { join } from 'node:path'
import { asError, JobError } from '../errors.ts'
import { unreadable } from './footer/footer.ts'
import type { ScanStep } from './scan/read-sql.ts'

export interface LakeEngineSettings {
  readonly threads: number
  /** Bytes that DuckDB may take for its buffers; above, it spills into `scratch`. */
  readonly memoryLimit: number
  /** A local folder of this run alone. */
  readonly scratch: string
  readonly signal: AbortSignal
}

/** DuckDB in this process, as the reader of data files. It is loaded when it is first asked. */
export interface LakeEngine {
  /** Does what comes ahead of a query. Errors: as those of `stream`. */
  take(steps: readonly ScanStep[], location: string): Promise<void>
  /** Drops temporary tables; those that are not there are no error. */
  drop(tables: readonly string[]): Promise<void>
  /** The rows of a query on one file, in chunks. `location`: the file, for messages. Errors: `unreadable`; failed. */
  stream(sql: string, location: string): AsyncIterable<DuckDBDataChunk>
  close(): void
}

interface Opened {
  readonly instance: DuckDBInstance
  readonly connection: DuckDBConnection
}

/** What is not the file's fault. */
const own = /^(Out of Memory|INTERRUPT) Error|No space left|max_temp_directory_size/i

export function lakeEngine({ threads, memoryLimit, scratch, signal }: LakeEngineSettings): LakeEngine {
  let opened: Promise<Opened> | undefined
  let current: Opened | undefined
  const interrupt = (): void => {
    current?.connection.interrupt()
  }
  signal.addEventListener('abort', interrupt)
  const open = async (): Promise<Opened> => {
    const { default: duckdb } = await import('@duckdb/node-api')
    const instance = await duckdb.DuckDBInstance.create(':memory:', {
      threads: String(threads),
      memory_limit: `${memoryLimit}B`,
      temp_directory: join(scratch, 'spill'),
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      // It takes a file for unchanged by its size and time alone.
      enable_external_file_cache: 'false',
    })
    current = { instance, connection: await instance.connect() }
    return current
  }
  const close = (): void => {
    current?.connection.closeSync()
    current?.instance.closeSync()
    opened = current = undefined
  }
  const explained = (error: unknown, location: string): Error => {
    signal.throwIfAborted()
    const { message } = asError(error)
    // After these the instance answers nothing any more.
    if (/^(INTERNAL|FATAL) Error/.test(message)) close()
    if (error instanceof JobError) return error
    if (own.test(message)) return new JobError('failed', `DuckDB: ${message}`, { cause: error })
    return unreadable(location, `it cannot be decoded (${firstLine(message)})`, error)
  }
  return {
    async take(steps, location) {
      signal.throwIfAborted()
      if (steps.length === 0) return
      const { connection } = await (opened ??= open())
      const { takeStep } = await import('./scan/scan-step.ts')
      for (const step of steps)
        await takeStep(connection, step).catch((error: unknown) => {
          throw explained(error, location)
        })
    },
    async drop(tables) {
      for (const table of tables) await current?.connection.run(`DROP TABLE IF EXISTS temp.${table}`)
    },
    async *stream(sql, location) {
      signal.throwIfAborted()
      const { connection } = await (opened ??= open())
      try {
        const result = await connection.stream(sql)
        for (let chunk = await result.fetchChunk(); chunk !== null; chunk = await result.fetchChunk()) {
          if (chunk.rowCount === 0) break
          yield chunk
          signal.throwIfAborted()
        }
      } catch (error) {
        throw explained(error, location)
      }
    },
    close() {
      signal.removeEventListener('abort', interrupt)
      close()
    },
  }
}

const firstLine = (text: string): string => text.split('\n')[0] ?? ''
