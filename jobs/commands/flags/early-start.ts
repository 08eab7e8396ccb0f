import { threadRows, type ReaderThreads } from '../../export/read/thread.ts'
import type { SourceConnection } from '../../postgres/snapshot.ts'

/** What an export starts while its modules are loaded and its catalog is opened. */
export interface EarlyStart {
  /** The connection that was started; a new one when that was taken before. */
  readonly connectSource: () => Promise<SourceConnection>
  /** Closes a connection that nobody took, and ends the threads. */
  readonly close: () => Promise<void>
}

/**
 * Connects to the source and starts a first thread; the others when a table is large or of unknown size. A failure is thrown
 * to whoever takes the connection.
 */
export function startEarly(
  connect: () => Promise<SourceConnection>,
  threads: ReaderThreads,
  connections: number,
): EarlyStart {
  // This thread reads, too; what it reads alone, another one encodes.
  const count = connections > 1 ? connections - 1 : connections
  // Another processor has nothing to do until the connection is there: 30 ms for a large table, of which a small one
  // loses 10.
  const ahead = connections > 1 ? 1 : 0
  if (ahead === 1) threads.at(0)
  const starting = connect().then((connected) => {
    const isLarge = connected.found.some(
      (relation) => !(relation instanceof Error) && (relation.estimatedRows ?? Infinity) >= threadRows,
    )
    for (let index = ahead; isLarge && index < count; index++) threads.at(index)
    return connected
  })
  let untaken: typeof starting | undefined = starting
  starting.catch(() => undefined)
  return {
    connectSource() {
      const taken = untaken ?? connect()
      untaken = undefined
      return taken
    },
    async close() {
      await untaken?.then(
        ({ connection }) => connection.close(),
        () => undefined,
      )
      await threads.close()
    },
  }
}
