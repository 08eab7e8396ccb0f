import type { GroupBytes } from '../../lake/pages/group-bytes.ts'
import type { ReadyRows } from '../../lake/read-rows.ts'
import type { RelocatableRowGroup } from '../../parquet/row-group.ts'
import { startWorker } from '../../worker-thread.ts'
import type { RowGroups, RowGroupSettings, TakenRows, TakeRowGroup } from './row-groups.ts'

/** How the thread's engine works; as `LakeEngineSettings`. */
export interface EngineShare {
  readonly threads: number
  readonly memoryLimit: number
  readonly scratch: string
}

/** What a thread is told (worker.ts). */
export type ToThread =
  | { readonly kind: 'open'; readonly settings: RowGroupSettings; readonly engine: EngineShare }
  | { readonly kind: 'read'; readonly files: ReadyRows }
  | { readonly kind: 'decode'; readonly group: GroupBytes }
  | { readonly kind: 'flush' }
  | { readonly kind: 'accepted' }
  /** What it does is to end; it is asked nothing more. */
  | { readonly kind: 'stop' }

/** What it answers, beside failures: row groups, one on its way at a time, then `done`; `stopped` when nothing goes on. */
export type FromThread =
  | { readonly kind: 'rows'; readonly rowGroup: RelocatableRowGroup }
  | { readonly kind: 'done'; readonly taken: TakenRows | undefined }
  | { readonly kind: 'stopped' }

/** Row groups that a thread of its own reads and encodes. */
export interface RowGroupThread extends RowGroups {
  terminate(): Promise<void>
}

const longestStopMs = 3000

export async function rowGroupThread(
  settings: RowGroupSettings,
  engine: EngineShare,
  signal: AbortSignal,
): Promise<RowGroupThread> {
  const worker = startWorker<ToThread, FromThread>(new URL('./worker.js', import.meta.url), 'a thread')
  const ask = (
    message: ToThread,
    take?: TakeRowGroup,
    transfer: readonly ArrayBuffer[] = [],
  ): Promise<TakenRows | undefined> =>
    worker.ask<TakenRows | undefined>(
      { message, transfer },
      (answer, resolve, reject) => {
        if (answer.kind === 'done') resolve(answer.taken)
        else if (answer.kind === 'rows')
          take?.(answer.rowGroup).then(() => {
            worker.tell({ kind: 'accepted' })
          }, reject)
      },
      signal,
    )
  const terminate = async (): Promise<void> => {
    // Its engine is closed first: a thread cannot be ended while the engine works for it.
    const hear = (answer: FromThread, resolve: (stopped: undefined) => void): void => {
      if (answer.kind === 'stopped') resolve(undefined)
    }
    await worker
      .ask({ message: { kind: 'stop' } }, hear, AbortSignal.timeout(longestStopMs))
      .catch(() => undefined)
    await worker.terminate()
  }
  try {
    await ask({ kind: 'open', settings, engine })
  } catch (error) {
    await terminate()
    throw error
  }
  return {
    read: async (files, take) => (await ask({ kind: 'read', files }, take))!,
    decode: (group, take) => ask({ kind: 'decode', group }, take, [group.bytes.buffer]),
    async flush(take) {
      await ask({ kind: 'flush' }, take)
    },
    terminate,
  }
}
