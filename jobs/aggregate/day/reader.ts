import { Worker } from 'node:worker_threads'
import { asError } from '../../errors.ts'
import type { FileIO } from '../../storage/file-io.ts'
import type { S3Settings } from '../../storage/s3-client.ts'
import { fromThreadFailure, type ThreadFailure } from '../../thread-failure.ts'
import { readDay, type DayEvents, type DayRead, type DayRequest } from './read-day.ts'

/** Reads days, several at once where that pays. */
export interface DayReader {
  read(request: DayRequest, events: DayEvents): Promise<DayRead>
  close(): Promise<void>
}

export interface DayReaderSettings {
  /** Days to be read at the same time, this thread's included. */
  readonly threads: number
  readonly s3: S3Settings
  readonly signal: AbortSignal
}

/** What a worker is told, and what it answers. */
export interface ToWorker {
  readonly s3: S3Settings
  readonly request: DayRequest
}
export type FromWorker =
  | { readonly kind: 'outgrown' }
  | { readonly kind: 'bytes'; readonly count: number }
  | { readonly kind: 'done'; readonly read: DayRead }
  | ThreadFailure

/** Below, a day is read before a thread has started. */
const workerBytes = 16 * 2 ** 20

/**
 * Reads one day in this thread and, while it is busy with a large one, others in up to `threads` - 1 workers: a
 * morning's one new day pays for no thread. The caller limits how many are asked for at once.
 */
export function createDayReader(io: FileIO, { threads, s3, signal }: DayReaderSettings): DayReader {
  const idle: Worker[] = []
  const all: Worker[] = []
  let busyHere = 0
  const takeWorker = (): Worker | undefined => {
    const free = idle.pop()
    if (free !== undefined || all.length >= threads - 1) return free
    const worker = new Worker(new URL('./worker.js', import.meta.url))
    all.push(worker)
    return worker
  }
  return {
    async read(request, events) {
      signal.throwIfAborted()
      const worker = busyHere > 0 && request.size >= workerBytes ? takeWorker() : undefined
      if (worker !== undefined) {
        const read = await ask(worker, { s3, request }, events, signal)
        // One that failed may be dead, and would never answer again.
        idle.push(worker)
        return read
      }
      busyHere++
      try {
        return await readDay(request, io, events, signal)
      } finally {
        busyHere--
      }
    },
    async close() {
      await Promise.all(all.map((worker) => worker.terminate()))
    },
  }
}

function ask(worker: Worker, message: ToWorker, events: DayEvents, signal: AbortSignal): Promise<DayRead> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      worker.off('message', onMessage).off('error', onError)
      signal.removeEventListener('abort', onAbort)
      finish()
    }
    const onAbort = (): void => {
      settle(() => {
        reject(asError(signal.reason))
      })
    }
    const onError = (error: unknown): void => {
      settle(() => {
        reject(asError(error))
      })
    }
    const onMessage = (answer: FromWorker): void => {
      switch (answer.kind) {
        case 'outgrown':
          events.onOutgrown()
          break
        case 'bytes':
          events.onBytes(answer.count)
          break
        case 'done':
          settle(() => {
            resolve(answer.read)
          })
          break
        case 'failed':
          settle(() => {
            reject(fromThreadFailure(answer))
          })
      }
    }
    worker.on('message', onMessage).on('error', onError)
    signal.addEventListener('abort', onAbort)
    worker.postMessage(message)
  })
}
