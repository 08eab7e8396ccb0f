import { mapConcurrently } from '../concurrency.ts'
import { JobError } from '../errors.ts'
import type { Snapshot } from '../iceberg/metadata/metadata.ts'
import {
  metadataFiles,
  nothingReached,
  snapshotFiles,
  type ReachableFile,
  type ReachableTable,
} from '../lake/reachable.ts'
import { createTally, type Tally } from './tally.ts'

/** Goes through what a table needs, as often as it has changed, each snapshot once. */
export interface Walk {
  /** All that was gone through. */
  readonly needed: Tally
  /** `each` is told every file that is new. Errors: as `reachableFiles`: then nobody knows what is needed. */
  through(
    table: ReachableTable,
    snapshots: readonly Snapshot[],
    each?: (file: ReachableFile) => Promise<void> | void,
  ): Promise<void>
  /**
   * What only these snapshots need. A manifest that is lost is told in `lost`, and files that only it names do not come: nobody
   * knows them.
   */
  onlyOf(table: ReachableTable, snapshots: readonly Snapshot[]): AsyncGenerator<ReachableFile>
  /** What only the table needs, its metadata files too; `missing` is told of manifests and their lists that are not there. */
  allOf(table: ReachableTable, missing: (location: string) => void): AsyncGenerator<ReachableFile>
  readonly lost: readonly string[]
  /** Whether some snapshot that was gone through needs the file. */
  needs(location: string): boolean
}

const statsAtOnce = 16

/** A copy of a table has the ids of its snapshots, and files of its own. */
const keyOf = (snapshot: Snapshot): string => `${snapshot['snapshot-id']} ${snapshot['manifest-list']}`

export function createWalk(): Walk {
  const reached = nothingReached()
  const needed = createTally()
  const known = new Set<string>()
  const lost: string[] = []
  return {
    needed,
    lost,
    needs: (location) => reached.locations.has(location),
    async through(table, snapshots, each = () => undefined) {
      await mapConcurrently([...metadataFiles(table, reached)], statsAtOnce, async (file) => {
        // Nothing else tells the size of a metadata file, and whether there is a hint.
        const size = file.size ?? (await table.io.stat(file.location))?.size
        if (size === undefined) return
        needed.add({ ...file, size })
        await each(file)
      })
      const fresh = snapshots.filter((snapshot) => !known.has(keyOf(snapshot)))
      for await (const file of snapshotFiles(table, fresh, reached)) {
        needed.add(file)
        await each(file)
      }
      for (const snapshot of fresh) known.add(keyOf(snapshot))
    },
    async *allOf(table, missing) {
      yield* snapshotFiles(table, table.metadata.snapshots, { ...reached, missing })
      yield* metadataFiles(table, reached)
    },
    async *onlyOf(table, snapshots) {
      try {
        yield* snapshotFiles(table, snapshots, reached)
      } catch (error) {
        if (!(error instanceof JobError && error.code === 'data')) throw error
        // One by one, what came already left out.
        for (const snapshot of snapshots) {
          try {
            yield* snapshotFiles(table, [snapshot], reached)
          } catch (again) {
            if (!(again instanceof JobError && again.code === 'data')) throw again
            lost.push(`snapshot ${snapshot['snapshot-id']}: ${again.message}`)
          }
        }
      }
    },
  }
}
