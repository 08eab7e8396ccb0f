import { beforeEach, describe, expect, it } from '@jest/globals'
import { setTimeout } from 'node:timers/promises'
import type { Table } from '../../jobs/iceberg/catalog/catalog.ts'
import type { DataFile } from '../../jobs/iceberg/manifest/data-file.ts'
import { branchSnapshot, snapshotById } from '../../jobs/iceberg/metadata/metadata.ts'
import {
  metadataFiles,
  nothingReached,
  reachableFiles,
  snapshotFiles,
  type ReachableFile,
  type ReachableTable,
} from '../../jobs/lake/reachable.ts'
import {
  byDay,
  contents,
  dataFile,
  dayNumber,
  eachWithTables,
  emptyTable,
  webLogs,
} from '../iceberg/tables.ts'

const lake = eachWithTables()
const { commit } = lake

let table: Table
beforeEach(async () => {
  table = await emptyTable(lake, byDay)
})

const fileOf = (day: string, partial: Partial<DataFile> = {}): DataFile => ({
  ...dataFile(table, { count: 5 }, [dayNumber(day)]),
  ...partial,
})
const add = async (...addFiles: DataFile[]): Promise<string> => {
  table = await commit(table, { addFiles })
  return addFiles[0]!.filePath
}
const remove = async (...paths: string[]): Promise<void> => {
  table = await commit(table, {
    operation: 'delete',
    removeFiles: { kind: 'paths', paths: new Set(paths) },
  })
}
const gathered = async (files: AsyncIterable<ReachableFile>): Promise<ReachableFile[]> => {
  const all: ReachableFile[] = []
  for await (const file of files) all.push(file)
  return all
}
const pathsOf = (files: readonly ReachableFile[], kind: ReachableFile['kind']): string[] =>
  files.filter((file) => file.kind === kind).map(({ location }) => location)
const withMetadata = (partial: object): ReachableTable => ({
  ...table,
  metadata: { ...table.metadata, ...partial },
})

describe('the files that a table needs', () => {
  it('are all that was written for it, whatever snapshot it is of', async () => {
    const a = await add(fileOf('2024-05-01'))
    const b = await add(fileOf('2024-05-02'))
    await remove(a)
    const files = await gathered(reachableFiles(table))
    // The hint is needed where there is one.
    const written = (await lake.filesIn()).concat(
      `${table.metadata.location}/metadata/version-hint.text`,
      a,
      b,
    )
    expect(files.map(({ location }) => location).sort()).toEqual(written.sort())
    expect(new Set(files.map(({ location }) => location)).size).toBe(files.length)
    expect(pathsOf(files, 'metadata').length).toBe(4)
    expect(pathsOf(files, 'manifest-list').length).toBe(3)
    expect(files.find(({ location }) => location === a)).toMatchObject({ kind: 'data', size: 50 })
  })

  it('are those of a snapshot without a ref, too', async () => {
    const a = await add(fileOf('2024-05-01'))
    const before = branchSnapshot(table.metadata, 'main')!
    const b = await add(fileOf('2024-05-02'))
    const ref = { 'ref-name': 'main', type: 'branch', 'snapshot-id': before['snapshot-id'] } as const
    table = await lake.catalog.commit(webLogs, [], [{ action: 'set-snapshot-ref', ...ref }])
    expect(pathsOf(await gathered(reachableFiles(table)), 'data').sort()).toEqual([a, b])
  })

  it('are those of data and delete files alone that a snapshot still has', async () => {
    const a = await add(fileOf('2024-05-01'))
    const deletes = await add(fileOf('2024-05-01', { content: 1, recordCount: 1 }))
    const vector = await add(
      fileOf('2024-05-01', { content: 1, fileFormat: 'PUFFIN', filePath: `${a}.puffin` }),
    )
    await remove(a)
    const last = branchSnapshot(table.metadata, 'main')!
    const files = await gathered(snapshotFiles(table, [last]))
    expect(pathsOf(files, 'data')).toEqual([])
    expect(pathsOf(files, 'deletes').sort()).toEqual([deletes, vector].sort())
  })

  it('are statistics, those of a snapshot with it and those of none with the metadata', async () => {
    await add(fileOf('2024-05-01'))
    const id = branchSnapshot(table.metadata, 'main')!['snapshot-id']
    const statistics = (name: string, snapshot: bigint): object => ({
      'snapshot-id': snapshot,
      'statistics-path': `s3a://b/${name}`,
      'file-size-in-bytes': 7,
    })
    const known = withMetadata({
      statistics: [statistics('of-it.stats', id), statistics('of-none.stats', 1n)],
      'partition-statistics': [statistics('parts.parquet', id)],
    })
    expect(pathsOf(await gathered(reachableFiles(known)), 'statistics')).toEqual([
      's3://b/of-none.stats',
      's3://b/of-it.stats',
      's3://b/parts.parquet',
    ])
    expect(pathsOf([...metadataFiles(known)], 'statistics')).toEqual(['s3://b/of-none.stats'])
  })

  it('of some snapshots come without those that others had, and no manifest is read twice', async () => {
    const a = await add(fileOf('2024-05-01'))
    const b = await add(fileOf('2024-05-02'))
    await remove(a)
    await add(fileOf('2024-05-03'))
    const reads: string[] = []
    const io = { ...lake.io, read: (location: string) => (reads.push(location), lake.io.read(location)) }
    const reached = nothingReached()
    const last = branchSnapshot(table.metadata, 'main')!
    const live = await gathered(snapshotFiles({ ...table, io }, [last], reached))
    expect(pathsOf(live, 'data')).not.toContain(a)
    const others = table.metadata.snapshots.filter((snapshot) => snapshot !== last)
    const old = await gathered(snapshotFiles({ ...table, io }, others, reached))
    expect(pathsOf(old, 'data')).toEqual([a])
    expect(pathsOf(old, 'data')).not.toContain(b)
    expect(old.find(({ location }) => location === a)!.snapshot).toBe(others[0])
    expect(new Set(reads).size).toBe(reads.length)
  })

  it('of several snapshots are read at once, each manifest list behind what it names', async () => {
    for (const day of ['2024-05-01', '2024-05-02', '2024-05-03']) await add(fileOf(day))
    let [reading, most] = [0, 0]
    const read = async (location: string): Promise<Buffer> => {
      most = Math.max(most, ++reading)
      await setTimeout(5)
      const bytes = await lake.io.read(location)
      reading--
      return bytes
    }
    const slow = { ...table, io: { ...lake.io, read } }
    const kinds = (await gathered(snapshotFiles(slow, table.metadata.snapshots))).map(({ kind }) => kind)
    expect(kinds.join()).toBe(
      'manifest,data,manifest,data,manifest,data,manifest-list,manifest-list,manifest-list',
    )
    // The lists first, and then, which they name, the manifests.
    most = 0
    const { snapshots } = table.metadata
    const lists = new Set(snapshots.map((snapshot) => snapshot['manifest-list']))
    const quick = (location: string): Promise<Buffer> =>
      lists.has(location) ? lake.io.read(location) : read(location)
    await gathered(snapshotFiles({ ...table, io: { ...lake.io, read: quick } }, snapshots))
    expect(most).toBe(3)
  })

  it('come anew, all that did not, from a walk that met a lost manifest', async () => {
    for (const day of ['2024-05-01', '2024-05-02', '2024-05-03']) await add(fileOf(day))
    const { manifests } = await contents(lake.io, table.metadata)
    const lost = manifests[1]!.manifestPath
    const read = (location: string): Promise<Buffer> =>
      lake.io.read(location === lost ? `${lost}.gone` : location)
    const reached = nothingReached()
    const own = { ...table, io: { ...lake.io, read } }
    await expect(gathered(snapshotFiles(own, table.metadata.snapshots, reached))).rejects.toThrow()
    const again = await gathered(snapshotFiles(table, table.metadata.snapshots, reached))
    expect(pathsOf(again, 'data')).toHaveLength(3)
  })

  it('cannot be told when a manifest is lost', async () => {
    await add(fileOf('2024-05-01'))
    const { manifests } = await contents(lake.io, table.metadata)
    await lake.io.delete(manifests[0]!.manifestPath)
    await expect(gathered(reachableFiles(table))).rejects.toMatchObject({ code: 'data' })
    expect(snapshotById(table.metadata, table.metadata['current-snapshot-id'])).toBeDefined()
  })

  it('of a manifest that is spelled almost as another are read as well', async () => {
    await add(fileOf('2024-05-01'))
    const { manifests } = await contents(lake.io, table.metadata)
    const path = manifests[0]!.manifestPath
    const reached = nothingReached()
    reached.locations.add(path.replace('/metadata/', '//metadata/'))
    expect(pathsOf(await gathered(reachableFiles(table, reached)), 'data').length).toBe(1)
  })
})
