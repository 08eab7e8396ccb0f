import { describe, expect, it } from '@jest/globals'
import { alwaysTrue } from '../../../jobs/iceberg/expression/predicate.ts'
import { commitSnapshot } from '../../../jobs/iceberg/snapshot/commit.ts'
import { branchSnapshot } from '../../../jobs/iceberg/metadata/metadata.ts'
import {
  byDay,
  contents,
  dataFile,
  dayFilter,
  dayNumber,
  eachWithTables,
  emptyTable,
  request,
  rowsWhere,
  summaryOf,
  webLogs,
} from '../tables.ts'
import { without } from '../../support/without.ts'

const lake = eachWithTables()
const { commit, filesIn } = lake

describe('append', () => {
  it('lists the parent’s manifests and one new one, with inherited sequence numbers', async () => {
    let table = await emptyTable(lake)
    const files = [dataFile(table, { count: 10 }), dataFile(table, { count: 5 })]
    table = await commit(table, { addFiles: [files[0]!] })
    table = await commit(table, { addFiles: [files[1]!] })
    const { manifests, entries } = await contents(lake.io, table.metadata)
    expect(manifests.map((m) => [m.sequenceNumber, m.minSequenceNumber, m.addedFilesCount])).toEqual([
      [2, 2, 1],
      [1, 1, 1],
    ])
    expect(entries.map((e) => [e.sequenceNumber, e.fileSequenceNumber, e.snapshotId])).toEqual(
      manifests.map((m) => [m.sequenceNumber, m.sequenceNumber, m.addedSnapshotId]),
    )
    expect(summaryOf(table.metadata)).toEqual({
      operation: 'append',
      'added-data-files': '1',
      'added-records': '5',
      'added-files-size': '50',
      'changed-partition-count': '1',
      'total-data-files': '2',
      'total-records': '15',
      'total-files-size': '150',
      'total-delete-files': '0',
      'total-position-deletes': '0',
      'total-equality-deletes': '0',
    })
  })

  it('names files as Java does', async () => {
    const table = await commit(await emptyTable(lake), {
      addFiles: [dataFile(await lake.catalog.load(webLogs), { count: 1 })],
    })
    const snapshot = branchSnapshot(table.metadata, 'main')!
    const uuid = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
    expect(snapshot['manifest-list']).toMatch(
      new RegExp(
        `^memory://lake/default/web_logs/metadata/snap-${snapshot['snapshot-id']}-1-${uuid}\\.avro$`,
      ),
    )
    expect(table.metadataLocation).toMatch(new RegExp(`/metadata/00001-${uuid}\\.metadata\\.json$`))
    const { manifests } = await contents(lake.io, table.metadata)
    expect(manifests[0]!.manifestPath).toMatch(new RegExp(`/metadata/${uuid}-m0\\.avro$`))
    const stat = await lake.io.stat(manifests[0]!.manifestPath)
    expect(manifests[0]!.manifestLength).toBe(stat!.size)
  })

  it('without files makes no snapshot and no metadata file', async () => {
    const table = await emptyTable(lake)
    const before = await filesIn()
    const result = await commitSnapshot(lake.catalog, table, request(table, {}), lake.effects)
    expect(result.kind).toBe('unchanged')
    expect(await filesIn()).toEqual(before)
  })

  it('creates a staged table with its first snapshot in one step', async () => {
    await lake.catalog.createNamespace(['default'])
    const staged = await lake.catalog.stageCreate(webLogs, byDay)
    expect(await filesIn()).toEqual([])
    await commit(staged, { addFiles: [dataFile(staged, { count: 3 }, [dayNumber('2024-05-01')])] })
    const { metadata, metadataLocation } = await lake.catalog.load(webLogs)
    expect(metadata.snapshots).toHaveLength(1)
    expect(metadataLocation).toContain('/00000-')
  })
})

describe('full overwrite', () => {
  it('removes every file, delete files too, and corrects the totals', async () => {
    let table = await emptyTable(lake)
    const deletes = { ...dataFile(table, { count: 2 }), content: 1 }
    table = await commit(table, { addFiles: [dataFile(table, { count: 10 })] })
    table = await commit(table, { addFiles: [deletes] })
    expect(summaryOf(table.metadata)).toMatchObject({
      'total-delete-files': '1',
      'total-position-deletes': '2',
    })
    const replacement = dataFile(table, { count: 7 })
    table = await commit(table, {
      operation: 'overwrite',
      addFiles: [replacement],
      removeFiles: rowsWhere(alwaysTrue),
    })
    expect((await contents(lake.io, table.metadata)).live).toEqual([replacement.filePath])
    expect(summaryOf(table.metadata)).toMatchObject({
      operation: 'overwrite',
      'deleted-data-files': '1',
      'deleted-records': '10',
      'removed-delete-files': '1',
      'removed-position-deletes': '2',
      'total-records': '7',
      'total-data-files': '1',
      'total-files-size': '70',
      'total-delete-files': '0',
      'total-position-deletes': '0',
    })
  })

  it('lists removed files as DELETED once, and drops their manifests with the next snapshot', async () => {
    let table = await emptyTable(lake)
    table = await commit(table, { addFiles: [dataFile(table, { count: 10 })] })
    const firstId = branchSnapshot(table.metadata, 'main')!['snapshot-id']
    table = await commit(table, { operation: 'overwrite', removeFiles: rowsWhere(alwaysTrue) })
    const { manifests, entries } = await contents(lake.io, table.metadata)
    const { 'snapshot-id': id, summary } = branchSnapshot(table.metadata, 'main')!
    expect(summary['operation']).toBe('delete')
    expect(manifests).toMatchObject([
      { deletedFilesCount: 1, deletedRowsCount: 10, sequenceNumber: 2, minSequenceNumber: 2 },
    ])
    expect(entries).toMatchObject([{ status: 2, snapshotId: id, sequenceNumber: 1, fileSequenceNumber: 1 }])
    expect(id).not.toBe(firstId)
    const added = dataFile(table, { count: 1 })
    table = await commit(table, { addFiles: [added] })
    expect((await contents(lake.io, table.metadata)).manifests).toHaveLength(1)
  })
})

it.each(['3', undefined])(
  'a full overwrite knows the totals though the parent’s summary says %s',
  async (wrong) => {
    let table = await emptyTable(lake)
    table = await commit(table, { addFiles: [dataFile(table, { count: 10 })] })
    const [parent] = table.metadata.snapshots
    const summary = without(parent!.summary, 'total-records')
    const forged = {
      ...parent!,
      summary: { ...summary, ...(wrong === undefined ? {} : { 'total-records': wrong }) },
    }
    const foreign = { ...table, metadata: { ...table.metadata, snapshots: [forged] } }
    const appended = await commit(foreign, { addFiles: [dataFile(table, { count: 1 })] })
    expect(summaryOf(appended.metadata)['total-records']).toBe(wrong === undefined ? undefined : '4')
    const replaced = await commit(
      { ...foreign, metadata: { ...appended.metadata } },
      {
        operation: 'overwrite',
        addFiles: [dataFile(table, { count: 7 })],
        removeFiles: rowsWhere(alwaysTrue),
      },
    )
    expect(summaryOf(replaced.metadata)['total-records']).toBe('7')
  },
)

it('nothing is ever overwritten, nor is a file removed that was there before', async () => {
  const table = await emptyTable(lake)
  const uuid = '0f8fad5b-d9cb-469f-a165-70867728950e'
  const same = `${table.metadata.location}/metadata/${uuid}-m0.avro`
  await lake.io.write(same, Buffer.from('somebody else’s'))
  const before = await filesIn()
  await expect(
    commitSnapshot(lake.catalog, table, request(table, { addFiles: [dataFile(table, { count: 1 })] }), {
      ...lake.effects,
      uuid: () => uuid,
    }),
  ).rejects.toThrow(`file exists already: ${same}`)
  expect(await filesIn()).toEqual(before)
  expect((await lake.io.read(same)).toString()).toBe('somebody else’s')
})

it('a signal that comes while manifests are written leaves the table as it was, and no file', async () => {
  const table = await emptyTable(lake)
  const before = await filesIn()
  const stop = new AbortController()
  const io: typeof table.io = {
    ...table.io,
    write: (...file) => {
      stop.abort(new Error('stopped'))
      return table.io.write(...file)
    },
  }
  const added = request(table, { addFiles: [dataFile(table, { count: 1 })] })
  const stopped = commitSnapshot(lake.catalog, { ...table, io }, added, {
    ...lake.effects,
    signal: stop.signal,
  })
  await expect(stopped).rejects.toThrow('stopped')
  expect(await filesIn()).toEqual(before)
  expect((await lake.catalog.load(webLogs)).metadataLocation).toBe(table.metadataLocation)
})

describe('day overwrite', () => {
  it('keeps other days as EXISTING with their own snapshot and sequence numbers', async () => {
    let table = await emptyTable(lake, byDay)
    const first = dataFile(table, { count: 1 }, [dayNumber('2024-05-01')])
    const second = dataFile(table, { count: 2 }, [dayNumber('2024-05-02')])
    const nulls = dataFile(table, { count: 4, nulls: 4 }, [null])
    table = await commit(table, { addFiles: [first, second, nulls] })
    const appended = branchSnapshot(table.metadata, 'main')!['snapshot-id']
    const replacement = dataFile(table, { count: 8 }, [dayNumber('2024-05-02')])
    table = await commit(table, {
      operation: 'overwrite',
      addFiles: [replacement],
      removeFiles: rowsWhere(dayFilter('2024-05-02')),
    })
    const { manifests, entries, live } = await contents(lake.io, table.metadata)
    expect(live.sort()).toEqual([first, nulls, replacement].map((file) => file.filePath).sort())
    expect(
      manifests.map((m) => [
        m.addedFilesCount,
        m.existingFilesCount,
        m.deletedFilesCount,
        m.minSequenceNumber,
      ]),
    ).toEqual([
      [1, 0, 0, 2],
      [0, 2, 1, 1],
    ])
    const byPath = new Map(entries.map((entry) => [entry.dataFile.filePath, entry]))
    expect(byPath.get(first.filePath)).toMatchObject({
      status: 0,
      snapshotId: appended,
      sequenceNumber: 1,
      fileSequenceNumber: 1,
      dataFile: { ...first, specId: 0 },
    })
    expect(byPath.get(second.filePath)).toMatchObject({
      status: 2,
      snapshotId: branchSnapshot(table.metadata, 'main')!['snapshot-id'],
      sequenceNumber: 1,
    })
    expect(summaryOf(table.metadata)).toMatchObject({ 'total-records': '13', 'changed-partition-count': '1' })
  })

  it('drops older DELETED entries when a manifest is filtered again', async () => {
    let table = await emptyTable(lake, byDay)
    const days = ['2024-05-01', '2024-05-02', '2024-05-03']
    table = await commit(table, {
      addFiles: days.map((text) => dataFile(table, { count: 1 }, [dayNumber(text)])),
    })
    for (const text of days.slice(0, 2))
      table = await commit(table, { operation: 'overwrite', removeFiles: rowsWhere(dayFilter(text)) })
    const { manifests } = await contents(lake.io, table.metadata)
    expect(manifests).toMatchObject([{ existingFilesCount: 1, deletedFilesCount: 1 }])
  })

  it('goes by exact bounds where the partition does not say', async () => {
    let table = await emptyTable(lake)
    const inside = dataFile(table, { count: 1, from: '2024-05-02T00:00:00Z', to: '2024-05-02T23:59:59.999Z' })
    const before = dataFile(table, { count: 1, from: '2024-04-30T00:00:00Z', to: '2024-05-01T23:59:59.999Z' })
    const after = dataFile(table, { count: 1, from: '2024-05-03T00:00:00Z', to: '2024-05-03T00:00:00Z' })
    const nulls = dataFile(table, { count: 3, nulls: 3 })
    table = await commit(table, { addFiles: [inside, before, after, nulls] })
    table = await commit(table, { operation: 'overwrite', removeFiles: rowsWhere(dayFilter('2024-05-02')) })
    expect((await contents(lake.io, table.metadata)).live.sort()).toEqual(
      [before, after, nulls].map((file) => file.filePath).sort(),
    )
  })

  it.each([
    ['straddles', { count: 2, from: '2024-05-02T23:00:00Z', to: '2024-05-03T00:00:00Z' }],
    ['has no bounds', { count: 2 }],
    [
      'holds NULLs beside the day',
      { count: 2, from: '2024-05-02T01:00:00Z', to: '2024-05-02T02:00:00Z', nulls: 1 },
    ],
  ])('refuses a file that %s as data, naming the fix, and leaves nothing behind', async (_why, bounds) => {
    let table = await emptyTable(lake)
    table = await commit(table, { addFiles: [dataFile(table, bounds)] })
    const before = await filesIn()
    const removeFiles = { kind: 'rows', filter: dayFilter('2024-05-02'), fix: 'replace all' } as const
    await expect(commit(table, { operation: 'overwrite', removeFiles })).rejects.toMatchObject({
      code: 'data',
      message: expect.stringContaining(
        'inside and outside of what is replaced, by timestamp: memory://lake/',
      ),
      fix: 'replace all',
    })
    expect(await filesIn()).toEqual(before)
  })
})
