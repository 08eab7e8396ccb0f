import { availableParallelism } from 'node:os'
import type { PrimitiveType } from '../../iceberg/schema/types.ts'
import { NotOurs } from '../../lake/pages/chunk-pages.ts'
import type { GroupBytes } from '../../lake/pages/group-bytes.ts'
import { startWorker } from '../../worker-thread.ts'
import { hashGroup, type GroupRows } from './hash-group.ts'

/** What is hashed of every row group: columns of these types, of which a row's hash has the first `mixed`. */
export interface HashedColumns {
  readonly types: readonly PrimitiveType[]
  readonly mixed: number
}

/** What a thread is told (worker.ts): that it is to say when it has started, then row groups. */
export type ToThread =
  | { readonly kind: 'start' }
  | { readonly kind: 'group'; readonly columns: HashedColumns; readonly one: GroupBytes }
/** What it answers, beside failures, in the order of the groups. `spent`: the bytes, to be used again. */
export type FromThread =
  | { readonly kind: 'started' }
  | {
      readonly kind: 'hashed'
      readonly rows: GroupRows | undefined
      readonly spent: Uint8Array<ArrayBuffer>
    }

/** Hashes row groups in this thread and in others beside it. */
export interface GroupHasher {
  /** Memory for a row group's bytes: what others were in. */
  readonly room: (size: number) => Uint8Array<ArrayBuffer>
  /**
   * Gives a row group to a thread that is free, else hashes it before it returns. `isLast`: none comes behind it. Resolves to
   * undefined where it is not as the export writes them, or damaged. Rejects when a thread breaks or the signal is aborted.
   */
  readonly hash: (columns: HashedColumns, one: GroupBytes, isLast: boolean) => Promise<GroupRows | undefined>
  readonly close: () => Promise<void>
}

/** This one included. */
const mostThreads = 4
/** A thread has the next row group before it is through with one, unless they are as large as this. */
const largeBytes = 16 * 2 ** 20

/** For all tables of a run. Its threads start at once, while the tables are looked up; until one has, this one hashes all. */
export function groupHasher(
  signal: AbortSignal,
  threads = Math.min(availableParallelism(), mostThreads),
): GroupHasher {
  const spare: Uint8Array<ArrayBuffer>[] = []
  const giveBack = ({ buffer }: Uint8Array<ArrayBuffer>): void => {
    spare.push(new Uint8Array(buffer))
  }
  const helpers = Array.from({ length: threads - 1 }, () => startHelper(giveBack, signal))
  return {
    room(size) {
      const at = spare.findIndex(({ length }) => length >= size)
      // One that is too small goes, so that there are never more than are in use at once.
      const [found] = spare.splice(Math.max(at, 0), 1)
      return found === undefined || at < 0 ? new Uint8Array(size) : found
    },
    async hash(columns, one, isLast) {
      const most = isLast || one.bytes.length >= largeBytes ? 1 : 2
      const free = helpers.find((helper) => helper.waiting() < most)
      if (free !== undefined) return free.hash(columns, one)
      try {
        return hashedGroup(columns, one)
      } finally {
        giveBack(one.bytes)
      }
    },
    async close() {
      await Promise.all(helpers.map((helper) => helper.close()))
    },
  }
}

/** Its rows; undefined: `NotOurs`. */
export function hashedGroup(
  { types, mixed }: HashedColumns,
  { group, bytes, offset }: GroupBytes,
): GroupRows | undefined {
  try {
    return hashGroup(group, types, mixed, bytes, offset)
  } catch (error) {
    if (error instanceof NotOurs) return undefined
    throw error
  }
}

interface Helper {
  readonly hash: (columns: HashedColumns, one: GroupBytes) => Promise<GroupRows | undefined>
  /** Row groups that it has and is not through with; endless before it has started, and when it has broken. */
  readonly waiting: () => number
  readonly close: () => Promise<unknown>
}

interface Waiting {
  readonly resolve: (rows: GroupRows | undefined) => void
  readonly reject: (error: unknown) => void
}

function startHelper(giveBack: (spent: Uint8Array<ArrayBuffer>) => void, signal: AbortSignal): Helper {
  const worker = startWorker<ToThread, FromThread>(
    new URL('./worker.js', import.meta.url),
    'a thread that hashes rows',
  )
  const waiting: Waiting[] = []
  let isThere = false
  // It is asked one thing, and hears row groups until it is closed.
  worker
    .ask<never>(
      { message: { kind: 'start' } },
      (answer) => {
        if (answer.kind === 'started') {
          isThere = true
          return
        }
        giveBack(answer.spent)
        waiting.shift()?.resolve(answer.rows)
      },
      signal,
    )
    .catch((error: unknown) => {
      isThere = false
      for (const one of waiting.splice(0)) one.reject(error)
    })
  return {
    hash: (columns, one) =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
        worker.tell({ kind: 'group', columns, one }, [one.bytes.buffer])
      }),
    waiting: () => (isThere ? waiting.length : Infinity),
    close: () => worker.terminate(),
  }
}
