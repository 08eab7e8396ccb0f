import { describe, expect, it } from '@jest/globals'
import { gunzipSync } from 'node:zlib'
import type { Table } from '../../jobs/iceberg/catalog/catalog.ts'
import type { DataFile } from '../../jobs/iceberg/manifest/data-file.ts'
import { branchSnapshot } from '../../jobs/iceberg/metadata/metadata.ts'
import { metadataBytes, parseMetadata } from '../../jobs/iceberg/metadata/metadata-json.ts'
import { partitionSpec } from '../../jobs/iceberg/partition/partition-spec.ts'
import { parsePartitionExpression } from '../../jobs/iceberg/partition/transforms.ts'
import { logPrevious, applyUpdates, type TableUpdate } from '../../jobs/iceberg/metadata/updates.ts'
import {
  byDay,
  contents,
  dataFile,
  dayFilter,
  dayNumber,
  eachWithTables,
  emptyTable,
  webLogs,
  webLogsSchema,
} from './tables.ts'

const lake = eachWithTables()
const { commit, filesIn } = lake

const change = (...updates: TableUpdate[]): Promise<Table> => lake.catalog.commit(webLogs, [], updates)

const first = '2024-05-01'

const replaceDay = (table: Table, text = first): Promise<Table> =>
  commit(table, {
    operation: 'overwrite',
    addFiles: [dataFile(table, { count: 7 }, [dayNumber(text)])],
    removeFiles: { kind: 'rows', filter: dayFilter(text) },
  })

describe('delete files', () => {
  const deletes = (table: Table, partition: DataFile['partition'], content = 1): DataFile => ({
    ...dataFile(table, { count: 2 }, partition),
    content,
    ...(content === 2 && { equalityIds: [2] }),
  })

  it.each([1, 2])('of a day go with its files, those of others stay (content %i)', async (content) => {
    let table = await emptyTable(lake, byDay)
    const partitions = [first, '2024-05-02'].map((text) => [dayNumber(text)])
    table = await commit(table, { addFiles: partitions.map((one) => dataFile(table, { count: 10 }, one)) })
    const delta = [...partitions, [null]].map((one) => deletes(table, one, content))
    table = await commit(table, { addFiles: delta })
    table = await replaceDay(table)
    const { live } = await contents(lake.io, table.metadata)
    expect(live).not.toContain(delta[0]!.filePath)
    expect(live).toEqual(expect.arrayContaining([delta[1]!.filePath, delta[2]!.filePath]))
    expect(branchSnapshot(table.metadata, 'main')!.summary).toMatchObject({
      'removed-delete-files': '1',
      'total-delete-files': '2',
      'total-records': '17',
    })
  })

  it('that may apply to any partition stay: they apply to no file that is added', async () => {
    let table = await emptyTable(lake)
    const inside = dataFile(table, { count: 3, from: `${first}T01:00:00Z`, to: `${first}T02:00:00Z` })
    const everywhere = deletes(table, [], 2)
    table = await commit(table, { addFiles: [inside] })
    table = await commit(table, { addFiles: [everywhere] })
    table = await commit(table, {
      operation: 'overwrite',
      addFiles: [dataFile(table, { count: 7 })],
      removeFiles: { kind: 'rows', filter: dayFilter(first) },
    })
    const { entries, live } = await contents(lake.io, table.metadata)
    expect(live).toContain(everywhere.filePath)
    expect(live).not.toContain(inside.filePath)
    const number = (content: number, status: number): number | undefined =>
      entries.find((entry) => entry.dataFile.content === content && entry.status === status)?.sequenceNumber
    expect(number(2, 1)).toBeLessThan(number(0, 1)!)
  })

  it('without a day are not those of 1970', async () => {
    let table = await emptyTable(lake, byDay)
    const without = deletes(table, [null])
    table = await commit(table, { addFiles: [without, deletes(table, [-1]), deletes(table, [0])] })
    const twoDays = dayFilter('1969-12-31', 2)
    table = await commit(table, { operation: 'overwrite', removeFiles: { kind: 'rows', filter: twoDays } })
    expect((await contents(lake.io, table.metadata)).live).toEqual([without.filePath])
  })
})

describe('properties', () => {
  it('commit.manifest.target-size-bytes splits the manifest of many files', async () => {
    let table = await emptyTable(lake, {
      ...byDay,
      properties: { 'commit.manifest.target-size-bytes': '1000' },
    })
    const added = Array.from({ length: 600 }, (_, n) => dataFile(table, { count: 1 }, [n]))
    table = await commit(table, { addFiles: added })
    const { manifests, live } = await contents(lake.io, table.metadata)
    // Not smaller, although the header alone is larger than that.
    expect(manifests.map((one) => one.addedFilesCount)).toEqual([150, 150, 150, 150])
    expect(live).toEqual(added.map(({ filePath }) => filePath))
    // Filtered, each stays one.
    const { length } = (await contents(lake.io, (await replaceDay(table, '1970-01-05')).metadata)).manifests
    expect(length).toBe(manifests.length + 1)
  })

  it('write.metadata.compression-codec gzip makes files that are named and packed so', async () => {
    await emptyTable(lake, {
      schema: webLogsSchema,
      properties: { 'write.metadata.compression-codec': 'GZIP' },
    })
    const { metadataLocation, metadata } = await change({ action: 'set-properties', updates: { a: '1' } })
    expect(metadataLocation).toMatch(/\/00001-[^/]*\.gz\.metadata\.json$/)
    const text = gunzipSync(await lake.io.read(metadataLocation!)).toString()
    expect(text).toBe(metadataBytes(metadata).toString())
    expect((await lake.catalog.load(webLogs)).metadata).toEqual(metadata)
    const back = await change({ action: 'remove-properties', removals: ['write.metadata.compression-codec'] })
    expect(back.metadataLocation).toMatch(/\/00002-[-0-9a-f]*\.metadata\.json$/)
  })

  it('write.metadata.delete-after-commit.enabled removes what the log no longer has, and only then', async () => {
    const bounded = { 'write.metadata.previous-versions-max': '2' }
    await emptyTable(lake, { schema: webLogsSchema, properties: bounded })
    const step = (n: number): Promise<Table> =>
      change({ action: 'set-properties', updates: { n: String(n) } })
    for (let n = 1; n <= 4; n++) await step(n)
    expect(await filesIn('.metadata.json')).toHaveLength(5)
    await change({
      action: 'set-properties',
      updates: { 'write.metadata.delete-after-commit.enabled': 'true' },
    })
    await step(6)
    const table = await lake.catalog.load(webLogs)
    const kept = [
      ...table.metadata['metadata-log'].map((one) => one['metadata-file']),
      table.metadataLocation,
    ]
    const files = await filesIn('.metadata.json')
    expect(files).toEqual(expect.arrayContaining(kept))
    // The first ones had left the log before: they were never this commit's to remove.
    expect(files).toHaveLength(3 + 2)
  })
})

describe('what others keep in the metadata', () => {
  it('stays: branches, tags and sort orders', async () => {
    const table = await emptyTable(lake, byDay)
    const filled = await commit(table, { addFiles: [dataFile(table, { count: 1 }, [dayNumber(first)])] })
    const id = branchSnapshot(filled.metadata, 'main')!['snapshot-id']
    await change(
      { action: 'set-snapshot-ref', 'ref-name': 't', type: 'tag', 'snapshot-id': id, 'max-ref-age-ms': 5 },
      { action: 'set-snapshot-ref', 'ref-name': 'b', type: 'branch', 'snapshot-id': id },
      {
        action: 'add-sort-order',
        'sort-order': {
          'order-id': 1,
          fields: [{ transform: 'identity', 'source-id': 2, direction: 'asc', 'null-order': 'nulls-first' }],
        },
      },
      { action: 'set-default-sort-order', 'sort-order-id': -1 },
    )
    const after = (await replaceDay(await lake.catalog.load(webLogs))).metadata
    expect(after.refs['t']).toEqual({ type: 'tag', 'snapshot-id': id, 'max-ref-age-ms': 5 })
    expect(after.refs['b']).toEqual({ type: 'branch', 'snapshot-id': id })
    expect(after.refs['main']!['snapshot-id']).not.toBe(id)
    expect(after['default-sort-order-id']).toBe(1)
  })

  it('several specs: each manifest keeps its own, and a day goes from all of them', async () => {
    let table = await emptyTable(lake)
    const plain = dataFile(table, { count: 1, from: `${first}T01:00:00Z`, to: `${first}T02:00:00Z` })
    table = await commit(table, { addFiles: [plain] })
    const spec = partitionSpec(webLogsSchema, [parsePartitionExpression('day(timestamp)')])
    table = await change({ action: 'add-spec', spec }, { action: 'set-default-spec', 'spec-id': -1 })
    const other = dataFile(table, { count: 2 }, [dayNumber('2024-05-02')])
    table = await commit(table, { addFiles: [dataFile(table, { count: 3 }, [dayNumber(first)]), other] })
    table = await replaceDay(table)
    const { manifests, live } = await contents(lake.io, table.metadata)
    expect(manifests.map((one) => one.partitionSpecId).sort()).toEqual([0, 1, 1])
    expect(live).toHaveLength(2)
    expect(live).toContain(other.filePath)
  })
})

describe('clocks', () => {
  const base = applyUpdates(
    parseMetadata(
      '{"format-version":2,"table-uuid":"u","location":"memory://t","last-sequence-number":0,"last-updated-ms":1000,' +
        '"last-column-id":0,"schemas":[{"type":"struct","schema-id":0,"fields":[]}],"current-schema-id":0,' +
        '"partition-specs":[{"spec-id":0,"fields":[]}],"default-spec-id":0,"last-partition-id":999,' +
        '"sort-orders":[{"order-id":0,"fields":[]}],"default-sort-order-id":0,' +
        '"metadata-log":[{"timestamp-ms":5000000,"metadata-file":"a"}]}',
      'x',
    ),
    [],
    1000,
  )

  it('of others that run ahead, or were behind, never make a log fall', () => {
    expect(base['last-updated-ms']).toBe(5_000_000)
    const behind = { ...base, 'last-updated-ms': 2000 }
    const next = logPrevious(applyUpdates(behind, [], 3000), behind, 'b')
    expect(next['metadata-log'].map((entry) => entry['timestamp-ms'])).toEqual([5_000_000, 5_000_000])
    expect(next['last-updated-ms']).toBe(5_000_000)
  })
})
