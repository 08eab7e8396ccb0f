import { asError, JobError } from '../../../jobs/errors.ts'
import { readMetadataFile } from '../../../jobs/iceberg/catalog/stored/metadata-file.ts'
import { reachableFiles, type ReachableTable } from '../../../jobs/lake/reachable.ts'
import { removeOrphans } from '../../../jobs/maintain/orphans.ts'
import { neighbourhood } from '../../../jobs/maintain/ownership.ts'
import { dayMs, jobContext } from '../lake-with-files.ts'
import { changes, likely, type Expected } from './changes.ts'
import type { ForeignReaders } from './foreign-readers.ts'
import { openHistoryLake } from './history-lake.ts'
import { maintenanceOf } from './maintenance.ts'

/** A table with a random history, and what must be true of it whatever maintenance does. */
export interface History {
  /** One step: a change, or a maintenance with what befalls it. A line that says what was done. */
  step(): Promise<string>
  /** What is wrong; empty: nothing. `everyone`: Spark and DuckDB are asked as well. */
  faults(everyone?: boolean): Promise<string[]>
  /** Waits until everything is old, and removes all orphans. What stays though nothing needs it. */
  end(): Promise<string[]>
  close(): Promise<void>
}

/** The same seed takes the same steps. `readers`: others that must read what we read. */
export async function openHistory(seed: number, readers?: ForeignReaders): Promise<History> {
  const at = await openHistoryLake(seed)
  const { lake, store, below, pick } = at
  const { clock, catalog } = lake
  /** Rows of each snapshot, as it was made. */
  const made = new Map<bigint, readonly string[]>()
  const wrong: string[] = []

  /** Reads what was made since; what a change says, and that a `replace` changes no row, must be so. */
  const note = async (expected?: Expected): Promise<void> => {
    const table = await at.load()
    for (const snapshot of table.metadata.snapshots) {
      const { 'snapshot-id': id, 'parent-snapshot-id': parentId, summary } = snapshot
      if (made.has(id)) continue
      const rows = await at.rowsOf(table, id)
      made.set(id, rows)
      const parent = parentId === undefined ? [] : made.get(parentId)
      const wanted = summary['operation'] === 'replace' ? parent : parent && expected?.(parent)
      if (wanted !== undefined && [...wanted].sort().join() !== rows.join())
        wrong.push(`${summary['operation']} ${id} has ${rows.length} rows of ${wanted.length}`)
    }
  }
  const change = async (name = pick([...Object.keys(changes), ...likely])): Promise<string> => {
    clock.ms += 60_000 + below(3_600_000)
    // What a maintenance has made until now is not of this change.
    await note()
    try {
      await note(await changes[name]!(at, await at.load()))
      return name
    } catch (error) {
      // Files without partitions can have rows of days that stay.
      if (error instanceof JobError && error.code === 'data') return `${name} refused`
      throw error
    }
  }
  const siblings = (): Promise<ReachableTable[]> =>
    Promise.all(
      at.siblings.map(async (metadataLocation) => ({
        metadata: await readMetadataFile(store.io, metadataLocation),
        metadataLocation,
        io: store.io,
      })),
    )
  const maintenance = maintenanceOf(at, change, note)

  return {
    step: () => (below(5) < 2 ? maintenance() : change()),
    async faults(everyone = false) {
      const table = await at.load()
      const found = wrong.splice(0)
      for (const { 'snapshot-id': id } of table.metadata.snapshots) {
        const rows = await at.rowsOf(table, id).catch((error: unknown) => [asError(error).message])
        if (rows.join() !== made.get(id)!.join())
          found.push(`snapshot ${id} has other rows: ${rows.length} of ${made.get(id)!.length}`)
      }
      for (const one of [table, ...(await siblings())])
        for await (const { kind, location } of reachableFiles(one))
          if (kind !== 'version-hint' && (await store.io.stat(location)) === undefined)
            found.push(`${kind} ${location} is gone`)
      const rows = new Map(table.metadata.snapshots.map(({ 'snapshot-id': id }) => [id, made.get(id)!]))
      found.push(...((await readers?.differ(table.metadataLocation!, rows, everyone)) ?? []))
      return found
    },
    async end() {
      // The metadata file of a lost commit may be one that a restored catalog lacks, until another has its version.
      await catalog.commit(at.identifier, [], [{ action: 'set-properties', updates: { end: 'true' } }])
      clock.ms += 10 * dayMs
      const table = await at.load()
      const stores = { catalog, neighbours: neighbourhood(catalog) }
      await removeOrphans(table, { ageMs: 3 * dayMs, maxShare: 1, isDelete: true }, stores, jobContext(lake))
      const needed = new Set<string>()
      for (const one of [table, ...(await siblings())])
        for await (const { location } of reachableFiles(one)) needed.add(location)
      const left: string[] = []
      for await (const { location } of store.io.list(table.metadata.location))
        if (!needed.has(location)) left.push(location)
      for await (const { location } of store.io.unpublished(table.metadata.location)) left.push(location)
      return left
    },
    close: () => at.close(),
  }
}
