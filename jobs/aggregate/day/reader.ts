import type { Logger } from 'pino'
import type { FileIO } from '../../storage/file-io.ts'
import type { S3Settings } from '../../storage/s3/client.ts'
import { startWorker, type WorkerThread } from '../../worker-thread.ts'
import type { LocalList } from '../lists/merge-to-list.ts'
import type { LocalFile } from '../../storage/scratch.ts'
import { readDay, type DayRead, type DayRequest, type Helpers } from './read-day.ts'
import type { ScannedBlock } from './scan-block.ts'
import type { Helper } from './scan-together.ts'
import type { ShareCounts, ShareRequest } from './share.ts'

/** Reads days, several at once where that pays. */
export interface DayReader {
  /** As `readDay` does. */
  read(request: DayRequest, onBytes: (count: number) => void): Promise<DayRead>
  /** As `mergeToList` does, in a worker that reads no day; undefined where all of them do. */
  mergeElsewhere(lists: readonly LocalList[], path: string): Promise<LocalFile | undefined> | undefined
  /** One day is left: from now on threads without one help with it. */
  oneIsLeft(): void
  close(): Promise<void>
}

export interface DayReaderSettings {
  /** Days to be read at the same time, this thread's included. */
  readonly threads: number
  readonly s3: S3Settings
  readonly logger: Logger
  readonly signal: AbortSignal
}

/** What a worker is told, and what it answers beside failures. */
export type ToWorker =
  | { readonly kind: 'read'; readonly s3: S3Settings; readonly request: DayRequest }
  | { readonly kind: 'merge'; readonly lists: readonly LocalList[]; readonly path: string }
  /** A share of a day that this thread reads: then come its blocks, and its end. */
  | { readonly kind: 'share'; readonly request: ShareRequest }
  | { readonly kind: 'block'; readonly block: Uint8Array }
  | { readonly kind: 'finish' }
export type FromWorker =
  | { readonly kind: 'bytes'; readonly count: number }
  | { readonly kind: 'read'; readonly read: DayRead }
  | { readonly kind: 'merged'; readonly list: LocalFile | undefined }
  | { readonly kind: 'scanned'; readonly block: ScannedBlock }
  | { readonly kind: 'shared'; readonly counts: ShareCounts }

type DayWorker = WorkerThread<ToWorker, FromWorker>

/** Below, a day is read before a thread has started. */
const workerBytes = 16 * 2 ** 20
/** With less of a day left, a share of it does not pay for being merged. */
const shareBytes = 64 * 2 ** 20

/**
 * Reads one day in this thread and, while it is busy with a large one, others in up to `threads` - 1 workers: a
 * morning's one new day pays for no thread. The caller limits how many are asked for at once.
 */
export function createDayReader(io: FileIO, { threads, s3, logger, signal }: DayReaderSettings): DayReader {
  const idle: DayWorker[] = []
  const all: DayWorker[] = []
  let busyHere = 0
  let isLast = false
  let reads = 0
  const takeWorker = (most = threads - 1): DayWorker | undefined => {
    const free = idle.pop()
    if (free !== undefined || all.length >= most) return free
    const worker: DayWorker = startWorker(
      new URL('./worker.js', import.meta.url),
      'a thread that counts days',
    )
    all.push(worker)
    return worker
  }
  const ask = async <Result>(
    worker: DayWorker,
    message: ToWorker,
    hear: (answer: FromWorker, resolve: (result: Result) => void) => void,
  ): Promise<Result> => {
    const result = await worker.ask<Result>({ message }, hear, signal)
    // One that failed may be dead, and would never answer again.
    idle.push(worker)
    return result
  }
  const help = (request: ShareRequest): Helper | undefined => {
    const worker = takeWorker()
    if (worker === undefined) return undefined
    logger.debug({ day: request.day }, 'another thread helps with a day')
    const waiting: ((block: ScannedBlock) => void)[] = []
    const counts = ask<ShareCounts>(worker, { kind: 'share', request }, (answer, resolve) => {
      if (answer.kind === 'scanned') waiting.shift()?.(fromClone(answer.block))
      else if (answer.kind === 'shared') resolve(answer.counts)
    })
    // Whoever reads the day hears of it when it waits for the counts.
    counts.catch(() => undefined)
    return {
      scan(block, scanned) {
        waiting.push(scanned)
        worker.tell({ kind: 'block', block })
      },
      waiting: () => waiting.length,
      finish() {
        worker.tell({ kind: 'finish' })
        return counts
      },
    }
  }
  const helpers: Helpers = {
    isAlone: () => isLast && reads === 1,
    areFree: (bytesLeft) =>
      isLast && bytesLeft >= shareBytes && (idle.length > 0 || all.length < threads - 1),
    claim: help,
  }
  return {
    async read(request, onBytes) {
      signal.throwIfAborted()
      reads++
      const worker = busyHere > 0 && request.size >= workerBytes ? takeWorker() : undefined
      if (worker !== undefined) {
        return ask<DayRead>(worker, { kind: 'read', s3, request }, (answer, resolve) => {
          if (answer.kind === 'read') resolve(answer.read)
          else if (answer.kind === 'bytes') onBytes(answer.count)
        })
      }
      busyHere++
      try {
        return await readDay(request, io, onBytes, signal, helpers)
      } finally {
        busyHere--
      }
    },
    mergeElsewhere(lists, path) {
      // In the place of this thread, which has to hear what goes on, where it reads no day.
      const worker = takeWorker(threads > 1 && busyHere === 0 ? threads : threads - 1)
      return (
        worker &&
        ask<LocalFile | undefined>(worker, { kind: 'merge', lists, path }, (answer, resolve) => {
          if (answer.kind === 'merged') resolve(answer.list)
        })
      )
    },
    oneIsLeft() {
      isLast = true
    },
    async close() {
      await Promise.all(all.map((worker) => worker.terminate()))
    },
  }
}

/** A buffer is a plain array of bytes behind the passage between threads. */
const fromClone = ({ rejects, ...block }: ScannedBlock): ScannedBlock => ({
  ...block,
  rejects: rejects.map((reject) => ({ ...reject, raw: Buffer.from(reject.raw) })),
})
