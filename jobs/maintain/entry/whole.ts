import { mapConcurrently } from '../../concurrency.ts'
import { dataError, JobError } from '../../errors.ts'
import { snapshotById, type Snapshot } from '../../iceberg/metadata/metadata.ts'
import { snapshotFiles, type ReachableFile, type ReachableTable } from '../../lake/reachable.ts'

const statsAtOnce = 16

/**
 * Looks for every file that the newest snapshot of each branch and tag needs: manifest lists and manifests are read, of all
 * others it is asked whether they are there, with the size that their manifest says. Returns how many there are. Errors:
 * `JobError` data, with the first path that is missing; the store's.
 */
export async function assertWhole(name: string, table: ReachableTable): Promise<number> {
  const { metadata, io } = table
  const ids = new Set([
    ...Object.values(metadata.refs).map((ref) => ref['snapshot-id']),
    ...(metadata['current-snapshot-id'] === undefined ? [] : [metadata['current-snapshot-id']]),
  ])
  const heads = [...ids].map((id) => snapshotById(metadata, id)).filter((one): one is Snapshot => !!one)
  let files = 0
  let group: ReachableFile[] = []
  const look = async (): Promise<void> => {
    await mapConcurrently(group, statsAtOnce, async ({ location, size }) => {
      const found = await io.stat(location)
      if (found === undefined) throw notWhole(name, `${location} is not there`)
      if (size !== undefined && found.size !== size)
        throw notWhole(name, `${location} has ${found.size} bytes instead of ${size}`)
    })
    files += group.length
    group = []
  }
  try {
    for await (const file of snapshotFiles(table, heads)) {
      group.push(file)
      if (group.length === 1000) await look()
    }
    await look()
  } catch (error) {
    // That a store is away says nothing of the table.
    if (!(error instanceof JobError && error.code === 'data')) throw error
    const { message, cause } = error
    throw message.startsWith(beginning(name)) ? error : notWhole(name, message, cause)
  }
  return files
}

const beginning = (name: string): string => `table ${name} is not whole`

const notWhole = (name: string, why: string, cause?: unknown): Error =>
  dataError(`${beginning(name)}: ${why}`, {
    field: '--metadata',
    fix: 'bring the file back, or give an older metadata file whose files are all there',
    cause,
  })
