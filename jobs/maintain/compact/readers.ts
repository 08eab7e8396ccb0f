import { availableParallelism } from 'node:os'
import { lakeEngine } from '../../lake/engine.ts'
import { rowGroups, type RowGroups, type RowGroupSettings } from './row-groups.ts'
import { rowGroupThread } from './thread.ts'

/** What reads and encodes, each one group's rows at a time. */
export interface Readers {
  readonly all: readonly RowGroups[]
  close(): Promise<void>
}

/** What is less is read in this thread: before another one has its first rows. */
const threadBytes = 8 * 2 ** 20
/** A thread takes about 90 MB: more of them would need more than 500 MB. */
const mostThreads = 4
/** For the engines' buffers, all together. */
const engineBytes = 192 * 2 ** 20

/** Each opens when it is first asked. `bytes`: of the files that may be read. */
export function openReaders(
  settings: RowGroupSettings,
  bytes: number,
  scratch: string,
  signal: AbortSignal,
): Readers {
  const count = Math.min(availableParallelism(), mostThreads)
  const engine = { threads: 1, memoryLimit: Math.floor(engineBytes / count), scratch }
  const inThisThread = async (): Promise<Opened> => {
    const own = lakeEngine({ ...engine, signal })
    const groups = await rowGroups(settings, own)
    const close = (): Promise<void> => {
      own.close()
      return Promise.resolve()
    }
    return { groups, close }
  }
  const ofThread = async (): Promise<Opened> => {
    const groups = await rowGroupThread(settings, engine, signal)
    return { groups, close: () => groups.terminate() }
  }
  const lazy =
    bytes < threadBytes ? [whenAsked(inThisThread)] : Array.from({ length: count }, () => whenAsked(ofThread))
  return {
    all: lazy.map(({ groups }) => groups),
    async close() {
      await Promise.all(lazy.map((one) => one.close()))
    },
  }
}

interface Opened {
  readonly groups: RowGroups
  readonly close: () => Promise<void>
}

/** A reader that is not there before the first rows are read. */
function whenAsked(open: () => Promise<Opened>): Opened {
  let opened: Promise<Opened> | undefined
  return {
    groups: {
      read: async (files, take) => (await (opened ??= open())).groups.read(files, take),
      decode: async (group, take) => (await (opened ??= open())).groups.decode(group, take),
      flush: async (take) => (await opened)?.groups.flush(take),
    },
    async close() {
      // What cannot be opened has said so to whoever asked for rows.
      const done = await opened?.catch(() => undefined)
      await done?.close()
    },
  }
}
