import { fork } from 'node:child_process'
import { asError, dataError, JobError, usageError } from '../errors.ts'
import { fromThreadFailure } from '../thread-failure.ts'
import { unreadableColumnIn } from './unreadable-column.ts'
import type { FromEngine, QueryEngine, ToEngine } from './protocol.ts'

/**
 * Starts the process; it gets nothing of the environment, which holds passwords. Errors of
 * its methods: `JobError` usage for what the engine refuses of the statement, data for files that it cannot read, failed
 * for a time that has run out, memory and disk; the signal's reason.
 */
export function startQueryEngine(signal: AbortSignal): QueryEngine {
  const child = fork(new URL('./engine-process.js', import.meta.url), [], {
    env: { TZ: 'UTC' },
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  })
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, by) => {
      resolve(by ?? `exit code ${String(code)}`)
    })
    child.once('error', (error) => {
      resolve(error.message)
    })
  })
  const kill = (): void => {
    child.kill('SIGKILL')
  }
  const ask = async (message: ToEngine): Promise<FromEngine> => {
    signal.throwIfAborted()
    signal.addEventListener('abort', kill)
    try {
      const answer = new Promise<FromEngine>((resolve) => {
        child.once('message', (one) => {
          resolve(one as FromEngine)
        })
      })
      child.send(message, (error) => {
        if (error !== null) kill()
      })
      const first = await Promise.race([answer, ended])
      signal.throwIfAborted()
      if (typeof first !== 'string') return first
      throw new JobError('failed', `the engine ended before it was through (${first})`, {
        fix: 'give it more memory with --memory-limit, or ask for less at once',
      })
    } finally {
      signal.removeEventListener('abort', kill)
    }
  }
  return {
    async parse(sql) {
      const answer = await ask({ kind: 'parse', sql })
      if (answer.kind === 'parsed') return answer.parsed
      throw failureOf(answer)
    },
    async query(request, timeoutMs) {
      const late = new AbortController()
      const timer =
        timeoutMs === 0
          ? undefined
          : setTimeout(() => {
              late.abort()
              kill()
            }, timeoutMs)
      try {
        const answer = await ask({ kind: 'query', request })
        if (answer.kind === 'done') return answer.rows
        throw failureOf(answer)
      } catch (error) {
        if (!late.signal.aborted) throw asError(error)
        throw new JobError('failed', `the query was not through after ${timeoutMs / 1000} s`, {
          field: '--timeout',
          fix: 'give it more time, as in --timeout 30m (0: no end), or ask for less at once',
          cause: error,
        })
      } finally {
        clearTimeout(timer)
      }
    },
    async close() {
      kill()
      await ended
    },
  }
}

/** What an answer that is no result means. */
export function failureOf(answer: FromEngine): Error {
  if (answer.kind === 'failed') return fromThreadFailure(answer)
  if (answer.kind !== 'refused') return new Error(`the engine answered ${answer.kind}`)
  const { during } = answer
  const message = answer.message.split(/\n/)[0]!.trim()
  const unreadable = unreadableColumnIn(message)
  if (unreadable !== undefined) return unreadable
  if (/^(?:Out of Memory Error)|No space left|max_temp_directory_size/i.test(message))
    return new JobError('failed', `DuckDB: ${message}`, {
      field: '--memory-limit',
      fix: 'give it more memory with --memory-limit or room in --scratch, or ask for less at once',
    })
  const isReading = /^(?:IO|HTTP|Invalid Input|Serialization|TProtocolException|INTERNAL|FATAL)\b/.test(
    message,
  )
  // What the Parquet reader throws itself is an Invalid Error, which need not name a file; of a statement nothing is.
  if ((isReading && isOfFile(message)) || (during === 'query' && message.startsWith('Invalid Error')))
    return dataError(`a file cannot be read: ${message}`, {
      field: 'sql',
      fix: 'lakejobs verify names the file; export its days again, or bring it back from a backup',
    })
  if (during === 'prepare' || /^(?:INTERNAL|FATAL) Error/.test(message))
    return new JobError('failed', `DuckDB: ${message}`, { fix: 'report this with the statement' })
  return usageError(`DuckDB refuses the query: ${message}${hint(answer.message)}`, {
    field: 'sql',
    fix: 'correct it; describe <table> shows its columns',
  })
}

const isOfFile = (message: string): boolean => /file|parquet|snappy|zstd|page|HTTP|S3/i.test(message)

/** What the engine proposes below its first line. */
function hint(text: string): string {
  const found = /(?:Candidate bindings|Did you mean)[^\n]*/.exec(text)
  return found === null ? '' : ` (${found[0].trim()})`
}
