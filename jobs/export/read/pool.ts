import { Worker } from 'node:worker_threads'
import { asError, JobError } from '../../errors.ts'
import { fromThreadFailure, type ThreadFailure } from '../../thread-failure.ts'
import { combined, type Fingerprint } from './fingerprint.ts'
import { keyOf } from './partitioner.ts'
import {
  readTable,
  type PartitionFingerprint,
  type ReadEvents,
  type ReadRequest,
  type ReadResult,
} from './read-table.ts'

/** What a reader's thread is told, and what it answers. */
export type ToReader =
  { readonly kind: 'read'; readonly request: ReadRequest } | { readonly kind: 'accepted' }
export type FromReader =
  | { readonly kind: 'rows'; readonly rows: Parameters<ReadEvents['onRows']>[0] }
  | { readonly kind: 'done'; readonly result: ReadResult }
  | ThreadFailure

export interface ReadTotals {
  readonly rows: number
  readonly fingerprints: readonly PartitionFingerprint[]
}

/** Reads tables with several threads, each with a connection of its own. */
export interface ReaderPool {
  read(request: Omit<ReadRequest, 'next'>, events: ReadEvents): Promise<ReadTotals>
  close(): Promise<void>
}

/** Tables estimated smaller are read before a thread has started. */
const threadRows = 50_000

/** `threads` readers at most; small tables and single ranges are read in this thread. */
export function createReaderPool(threads: number, signal: AbortSignal): ReaderPool {
  const workers: Worker[] = []
  const workerAt = (index: number): Worker =>
    (workers[index] ??= new Worker(new URL('./worker.js', import.meta.url)))

  return {
    async read(request, events) {
      signal.throwIfAborted()
      const { plan } = request
      const shared: ReadRequest = { ...request, next: new Int32Array(new SharedArrayBuffer(4)) }
      const writer = oneAtATime(events.onRows)
      const isSmall = plan.estimatedRows !== undefined && plan.estimatedRows < threadRows
      const wanted = isSmall ? 0 : Math.min(threads, plan.ranges.length)
      const results =
        wanted === 0
          ? [await readTable(shared, { onRows: writer.add }, signal)]
          : await allOrNone(
              Array.from({ length: wanted }, (_, index) => ask(workerAt(index), shared, writer.add, signal)),
            )
      await writer.drained()
      return totals(request, results, shared.next)
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}

/** The files are written by one writer: row groups of all threads one after the other. */
function oneAtATime(work: ReadEvents['onRows']): {
  readonly add: ReadEvents['onRows']
  /** Until everything that was added is written: a thread is done before its last rows are. */
  readonly drained: () => Promise<void>
} {
  let last = Promise.resolve()
  return {
    add(rows) {
      last = last.then(() => work(rows))
      return last
    },
    drained: () => last,
  }
}

/** The first failure, when all are over: nobody writes behind a failed read's back. */
async function allOrNone<T>(works: readonly Promise<T>[]): Promise<T[]> {
  const settled = await Promise.allSettled(works)
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}

function totals(
  { plan }: Pick<ReadRequest, 'plan'>,
  results: readonly ReadResult[],
  next: Int32Array,
): ReadTotals {
  const read = results.filter((result) => result.kind === 'read')
  const [lockedOut] = results.filter((result) => result.kind === 'locked out')
  if (read.length === 0 || Atomics.load(next, 0) < plan.ranges.length) {
    throw new JobError('failed', lockedOut?.message ?? 'not every part of the table was read', {
      fix: 'another session waits for an exclusive lock on the table: run again when it is through',
    })
  }
  const fingerprints = new Map<string, PartitionFingerprint>()
  for (const { partition, fingerprint } of read.flatMap((result) => result.fingerprints)) {
    const key = keyOf(partition)
    const before: Fingerprint | undefined = fingerprints.get(key)?.fingerprint
    fingerprints.set(key, {
      partition,
      fingerprint: before === undefined ? fingerprint : combined(before, fingerprint),
    })
  }
  return {
    rows: read.reduce((sum, { rows }) => sum + rows, 0),
    fingerprints: [...fingerprints.values()],
  }
}

function ask(
  worker: Worker,
  request: ReadRequest,
  onRows: ReadEvents['onRows'],
  signal: AbortSignal,
): Promise<ReadResult> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      worker.off('message', onMessage).off('error', fail).off('exit', onExit)
      signal.removeEventListener('abort', onAbort)
      finish()
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
    const onMessage = (answer: FromReader): void => {
      switch (answer.kind) {
        case 'rows':
          onRows(answer.rows).then(() => {
            worker.postMessage({ kind: 'accepted' } satisfies ToReader)
          }, fail)
          break
        case 'done':
          settle(() => {
            resolve(answer.result)
          })
          break
        case 'failed':
          fail(fromThreadFailure(answer))
      }
    }
    worker.on('message', onMessage).on('error', fail).on('exit', onExit)
    signal.addEventListener('abort', onAbort)
    worker.postMessage({ kind: 'read', request } satisfies ToReader)
  })
}
