import { oneOnTheWay } from '../../concurrency.ts'
import { JobError } from '../../errors.ts'
import type { EncodeSettings } from './encode-rows.ts'
import { combined, type PartitionFingerprint } from '../../provenance/fingerprint.ts'
import type { PartitionRows } from '../../iceberg/partition/split-rows.ts'
import { keyOf } from './partitioner.ts'
import { readEncoded, type TakeEncoded } from './read-encoded.ts'
import { readTable, type ReadRequest, type ReadResult } from './read-table.ts'
import { threadRows, type ReaderThreads } from './thread.ts'

export interface ReadTotals {
  readonly rows: number
  readonly fingerprints: readonly PartitionFingerprint[]
  /** How many values `--lossy-cast` changed, by column; all that were asked for are named. */
  readonly changed: Readonly<Record<string, number>>
}

/** Reads tables with several threads, this one among them, each with a connection of its own. */
export interface ReaderPool {
  /** `write` gets the row groups of all threads, one after the other, and none after a failure. */
  read(request: Omit<ReadRequest, 'next'>, settings: EncodeSettings, write: TakeEncoded): Promise<ReadTotals>
}

/**
 * `most` readers at the same time: this thread and some of its caller's. What has one reader only is read in this thread
 * and encoded in another, so that the server need not wait while a row group is encoded; small tables are read and
 * encoded in this one.
 */
export function createReaderPool(most: number, threads: ReaderThreads, signal: AbortSignal): ReaderPool {
  return {
    async read(request, settings, write) {
      signal.throwIfAborted()
      const { plan } = request
      const shared: ReadRequest = { ...request, next: new Int32Array(new SharedArrayBuffer(4)) }
      const isSmall = plan.estimatedRows !== undefined && plan.estimatedRows < threadRows
      const readers = isSmall ? 1 : Math.min(most, plan.ranges.length)
      const writer = createWriter(write)
      const failed = new AbortController()
      const stop = AbortSignal.any([signal, failed.signal])
      const others = Array.from({ length: readers - 1 }, (_, index) =>
        threads.at(index).read(shared, settings, writer.add),
      )
      const own =
        isSmall || readers > 1
          ? readEncoded(shared, settings, threads.own, writer.add, stop)
          : readAhead(shared, settings, threads, writer.add, stop)
      try {
        const results = await Promise.all([own, ...others])
        await writer.drained()
        return {
          rows: countRows(request, results, shared.next),
          fingerprints: writer.fingerprints(),
          changed: sumOfChanged(results),
        }
      } catch (error) {
        // The others would read on, or wait for ever for an answer; the next table gets new threads.
        failed.abort(error)
        await Promise.allSettled([own, threads.close()])
        await writer.drained().catch(() => undefined)
        throw error
      }
    },
  }
}

/** While one row group is encoded and written, the next one is read. */
async function readAhead(
  request: ReadRequest,
  settings: EncodeSettings,
  threads: ReaderThreads,
  write: TakeEncoded,
  signal: AbortSignal,
): Promise<ReadResult> {
  const encoding = oneOnTheWay()
  const take = (rows: PartitionRows): Promise<void> =>
    encoding.start(() => threads.at(0).encode(rows, settings).then(write))
  const result = await readTable(request, threads.own, take, signal)
  await encoding.done()
  return result
}

/** The files are written by one writer, which adds up the fingerprints. */
function createWriter(write: TakeEncoded): {
  readonly add: TakeEncoded
  /** Until everything that was added is written: a thread is done before its last rows are. */
  readonly drained: () => Promise<void>
  readonly fingerprints: () => PartitionFingerprint[]
} {
  let last = Promise.resolve()
  const fingerprints = new Map<string, PartitionFingerprint>()
  return {
    add(rows) {
      const { partition, fingerprint } = rows
      const key = keyOf(partition)
      const before = fingerprints.get(key)?.fingerprint
      const all = before === undefined ? fingerprint : combined(before, fingerprint)
      fingerprints.set(key, { partition, fingerprint: all })
      last = last.then(() => write(rows))
      return last
    },
    drained: () => last,
    fingerprints: () => [...fingerprints.values()],
  }
}

function countRows(
  { plan }: Pick<ReadRequest, 'plan'>,
  results: readonly ReadResult[],
  next: Int32Array,
): number {
  const read = results.filter((result) => result.kind === 'read')
  const [lockedOut] = results.filter((result) => result.kind === 'locked out')
  if (read.length === 0 || Atomics.load(next, 0) < plan.ranges.length) {
    throw new JobError('failed', lockedOut?.message ?? 'not every part of the table was read', {
      fix: 'another session waits for an exclusive lock on the table: run again when it is through',
    })
  }
  return read.reduce((sum, { rows }) => sum + rows, 0)
}

function sumOfChanged(results: readonly ReadResult[]): Record<string, number> {
  const sums = new Map<string, number>()
  for (const result of results) {
    if (result.kind !== 'read') continue
    for (const [column, count] of Object.entries(result.changed))
      sums.set(column, (sums.get(column) ?? 0) + count)
  }
  return Object.fromEntries(sums)
}
