import { Worker } from 'node:worker_threads'
import { asError } from '../../errors.ts'
import { memoryOf, reuseMemory } from '../../parquet/vector-memory.ts'
import { fromThreadFailure, type ThreadFailure } from '../../thread-failure.ts'
import type { EncodedRows, EncodeSettings } from './encode-rows.ts'
import type { PartitionRows } from './partitioner.ts'
import type { TakeEncoded } from './read-encoded.ts'
import type { ReadRequest, ReadResult } from './read-table.ts'

/** Tables expected to have fewer rows are read without threads: before one has its first rows. */
export const threadRows = 50_000

/** What a thread is told (worker.ts). */
export type ToThread =
  | { readonly kind: 'read'; readonly request: ReadRequest; readonly settings: EncodeSettings }
  | { readonly kind: 'accepted' }
  | { readonly kind: 'encode'; readonly rows: PartitionRows; readonly settings: EncodeSettings }

/** What it answers: `rows` to both (with the memory of the vectors that it was given), `done` when it has read everything. */
export type FromThread =
  | { readonly kind: 'rows'; readonly rows: EncodedRows; readonly spent: readonly ArrayBuffer[] }
  | { readonly kind: 'done'; readonly result: ReadResult }
  | ThreadFailure

/** One thread, which does one thing at a time. When it ends or the signal is aborted, what it does fails. */
export interface ReaderThread {
  /** Reads through a connection of its own and encodes. */
  read(request: ReadRequest, settings: EncodeSettings, take: TakeEncoded): Promise<ReadResult>
  /** Encodes; the vectors are moved, their memory comes back to be used again. */
  encode(rows: PartitionRows, settings: EncodeSettings): Promise<EncodedRows>
  terminate(): Promise<unknown>
}

/** The reader threads of a run. */
export interface ReaderThreads {
  /** The thread of that number; it is started unless it has been. One that cannot start says so when it is used. */
  readonly at: (index: number) => ReaderThread
  /** Ends all of them; asked for again, there are new ones. */
  readonly close: () => Promise<void>
}

/** None is started yet: asked for early, a thread loads what it needs while the caller plans. */
export function readerThreads(signal: AbortSignal): ReaderThreads {
  const started: ReaderThread[] = []
  return {
    at: (index) => (started[index] ??= startThread(signal)),
    async close() {
      await Promise.all(started.splice(0).map((thread) => thread.terminate()))
    },
  }
}

function startThread(signal: AbortSignal): ReaderThread {
  const worker = new Worker(new URL('./worker.js', import.meta.url))
  let broken: Error | undefined
  // Without a listener a thread that breaks before it is used would end the process.
  worker.on('error', (error) => {
    broken = asError(error)
  })
  const usable = (): Worker => {
    if (broken !== undefined) throw broken
    return worker
  }
  return {
    read: async (request, settings, take) =>
      converse<ReadResult>(
        usable(),
        { message: { kind: 'read', request, settings } },
        (answer, resolve, fail) => {
          if (answer.kind === 'done') resolve(answer.result)
          else {
            take(answer.rows).then(() => {
              worker.postMessage({ kind: 'accepted' } satisfies ToThread)
            }, fail)
          }
        },
        signal,
      ),
    encode: async (rows, settings) =>
      converse<EncodedRows>(
        usable(),
        { message: { kind: 'encode', rows, settings }, transfer: memoryOf(rows.vectors) },
        (answer, resolve) => {
          if (answer.kind !== 'rows') return
          reuseMemory(answer.spent)
          resolve(answer.rows)
        },
        signal,
      ),
    terminate: () => worker.terminate(),
  }
}

/** Sends a message and hears the answers until one of them resolves, or something fails. */
function converse<Result>(
  worker: Worker,
  { message, transfer = [] }: { readonly message: ToThread; readonly transfer?: ArrayBuffer[] },
  hear: (
    answer: Exclude<FromThread, ThreadFailure>,
    resolve: (result: Result) => void,
    fail: (error: unknown) => void,
  ) => void,
  signal: AbortSignal,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      worker.off('message', onMessage).off('error', fail).off('exit', onExit)
      signal.removeEventListener('abort', onAbort)
      finish()
    }
    const succeed = (result: Result): void => {
      settle(() => {
        resolve(result)
      })
    }
    const fail = (error: unknown): void => {
      settle(() => {
        reject(asError(error))
      })
    }
    const onAbort = (): void => {
      fail(signal.reason)
    }
    const onExit = (): void => {
      fail(new Error('a reader thread ended'))
    }
    const onMessage = (answer: FromThread): void => {
      if (answer.kind === 'failed') fail(fromThreadFailure(answer))
      else hear(answer, succeed, fail)
    }
    worker.on('message', onMessage).on('error', fail).on('exit', onExit)
    signal.addEventListener('abort', onAbort)
    worker.postMessage(message, transfer)
  })
}
