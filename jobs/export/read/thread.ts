import { keptReader, type KeptReader } from '../../postgres/kept-reader.ts'
import { memoryOf, reuseMemory } from '../../vector/vector-memory.ts'
import { startWorker } from '../../worker-thread.ts'
import type { EncodedRows, EncodeSettings } from './encode-rows.ts'
import type { PartitionRows } from '../../iceberg/partition/split-rows.ts'
import type { TakeEncoded } from './read-encoded.ts'
import type { ReadRequest, ReadResult } from './read-table.ts'

/** Tables expected to have fewer rows are read without threads: before one has its first rows. */
export const threadRows = 50_000

/** What a thread is told (worker.ts). */
export type ToThread =
  | { readonly kind: 'read'; readonly request: ReadRequest; readonly settings: EncodeSettings }
  | { readonly kind: 'accepted' }
  /** What it reads is to end, at the server too; it is asked nothing more. */
  | { readonly kind: 'stop' }
  | { readonly kind: 'encode'; readonly rows: PartitionRows; readonly settings: EncodeSettings }

/**
 * What it answers, beside failures: `rows` to both (with the memory of the vectors that it was given), `done` when it has
 * read everything, `stopped` when nothing that it began goes on.
 */
export type FromThread =
  | { readonly kind: 'rows'; readonly rows: EncodedRows; readonly spent: readonly ArrayBuffer[] }
  | { readonly kind: 'done'; readonly result: ReadResult }
  | { readonly kind: 'stopped' }

/** One thread, which does one thing at a time. When it ends or the signal is aborted, what it does fails. */
export interface ReaderThread {
  /** Reads through a connection of its own and encodes. */
  read(request: ReadRequest, settings: EncodeSettings, take: TakeEncoded): Promise<ReadResult>
  /** Encodes; the vectors are moved, their memory comes back to be used again. */
  encode(rows: PartitionRows, settings: EncodeSettings): Promise<EncodedRows>
  /** Ends it, and first what the server does for it: a statement may go on for hours before it misses its client. */
  terminate(): Promise<unknown>
}

/** A server that is gone is not asked to stop for longer. */
const longestStopMs = 3000

/** The reader threads of a run. */
export interface ReaderThreads {
  /** What the calling thread reads through. */
  readonly own: KeptReader
  /** The thread of that number; it is started unless it has been. One that cannot start says so when it is used. */
  readonly at: (index: number) => ReaderThread
  /** Ends all of them, and what this one keeps; asked for again, there are new ones. */
  readonly close: () => Promise<void>
}

/** None is started yet: asked for early, a thread loads what it needs while the caller plans. */
export function readerThreads(signal: AbortSignal): ReaderThreads {
  const started: ReaderThread[] = []
  const own = keptReader()
  return {
    own,
    at: (index) => (started[index] ??= startThread(signal)),
    async close() {
      await Promise.all([own.close(), ...started.splice(0).map((thread) => thread.terminate())])
    },
  }
}

function startThread(signal: AbortSignal): ReaderThread {
  const worker = startWorker<ToThread, FromThread>(new URL('./worker.js', import.meta.url), 'a reader thread')
  /** Once it has read it keeps a connection. */
  let hasRead = false
  return {
    read: (request, settings, take) => {
      hasRead = true
      return worker.ask<ReadResult>(
        { message: { kind: 'read', request, settings } },
        (answer, resolve, reject) => {
          if (answer.kind === 'done') resolve(answer.result)
          else if (answer.kind === 'rows') {
            take(answer.rows).then(() => {
              worker.tell({ kind: 'accepted' })
            }, reject)
          }
        },
        signal,
      )
    },
    encode: (rows, settings) =>
      worker.ask<EncodedRows>(
        { message: { kind: 'encode', rows, settings }, transfer: memoryOf(rows.vectors) },
        (answer, resolve) => {
          if (answer.kind !== 'rows') return
          reuseMemory(answer.spent)
          resolve(answer.rows)
        },
        signal,
      ),
    async terminate() {
      if (hasRead) {
        const hear = (answer: FromThread, resolve: (stopped: undefined) => void): void => {
          if (answer.kind === 'stopped') resolve(undefined)
        }
        // A failure is the answer, too: that of the reading, which is over then.
        await worker
          .ask({ message: { kind: 'stop' } }, hear, AbortSignal.timeout(longestStopMs))
          .catch(() => undefined)
      }
      await worker.terminate()
    },
  }
}
