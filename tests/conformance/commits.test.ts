import { beforeEach, describe, expect, it } from '@jest/globals'
import type { Table, TableCreation } from '../../jobs/iceberg/catalog/catalog.ts'
import { commitSnapshot, type CommitResult } from '../../jobs/iceberg/snapshot/commit.ts'
import type { DataFile } from '../../jobs/iceberg/manifest/data-file.ts'
import { CommitFailedError, ValidationError } from '../../jobs/iceberg/errors.ts'
import { branchSnapshot, type TableMetadata } from '../../jobs/iceberg/metadata/metadata.ts'
import { partitionSpec } from '../../jobs/iceberg/partition/partition-spec.ts'
import { alwaysTrue, type Predicate } from '../../jobs/iceberg/expression/predicate.ts'
import type { SnapshotRequest } from '../../jobs/iceberg/snapshot/snapshot-request.ts'
import { parsePartitionExpression } from '../../jobs/iceberg/partition/transforms.ts'
import type { TableUpdate } from '../../jobs/iceberg/metadata/updates.ts'
import { without } from '../support/without.ts'
import {
  byDay,
  contents,
  dataFile,
  dayFilter,
  dayNumber,
  emptyTable,
  lakeInMemory,
  request,
  webLogs,
  webLogsSchema,
  type Lake,
} from '../iceberg/tables.ts'

/** What Java's and PyIceberg's commit tests check and no test of ours did (docs/conformance.md). */
let lake: Lake
beforeEach(() => {
  lake = lakeInMemory()
})

const [first, second] = ['2024-05-01', '2024-05-02'] as const

const commit = (table: Table, partial: Partial<SnapshotRequest>): Promise<CommitResult> =>
  commitSnapshot(lake.catalog, table, request(table, partial), lake.effects)

const committed = async (table: Table, partial: Partial<SnapshotRequest>): Promise<Table> => {
  const result = await commit(table, partial)
  if (result.kind !== 'committed') throw new Error(result.kind)
  return result.table
}

const fileOf = (table: Table, text: string | null, content = 0): DataFile => ({
  ...dataFile(table, { count: 5 }, [text === null ? null : dayNumber(text)]),
  content,
})

/** An overwrite of some rows by a file of the first day. */
const overwrite = (table: Table, filter: Predicate): Partial<SnapshotRequest> => ({
  operation: 'overwrite',
  addFiles: [fileOf(table, first)],
  removeFiles: { kind: 'rows', filter },
  conflicts: { kind: 'rows', filter },
})

const withBothDays = async (creation: TableCreation = byDay): Promise<Table> => {
  const table = await emptyTable(lake, creation)
  return committed(table, { addFiles: [fileOf(table, first), fileOf(table, second)] })
}

const summary = (metadata: TableMetadata): Readonly<Record<string, string>> =>
  branchSnapshot(metadata, 'main')!.summary

/** TestReplacePartitions, TestOverwriteWithValidation, test_commit_retry.py. */
describe('an overwrite, and what others committed since it read the table', () => {
  const others: readonly [string, (table: Table) => Partial<SnapshotRequest>, 'day' | 'full' | 'none'][] = [
    ['append to the day', (table) => ({ addFiles: [fileOf(table, first)] }), 'day'],
    ['append to another day', (table) => ({ addFiles: [fileOf(table, second)] }), 'full'],
    ['append of rows without a day', (table) => ({ addFiles: [fileOf(table, null)] }), 'full'],
    ['delete files for the day', (table) => ({ addFiles: [fileOf(table, first, 1)] }), 'day'],
    ['delete files for another day', (table) => ({ addFiles: [fileOf(table, second, 1)] }), 'full'],
    ['equality deletes for the day', (table) => ({ addFiles: [fileOf(table, first, 2)] }), 'day'],
    ['overwrite of the day', (table) => overwrite(table, dayFilter(first)), 'day'],
    [
      'removal of the day',
      () => ({ operation: 'delete', removeFiles: { kind: 'rows', filter: dayFilter(first) } }),
      'day',
    ],
    [
      'removal of another day',
      () => ({ operation: 'delete', removeFiles: { kind: 'rows', filter: dayFilter(second) } }),
      'full',
    ],
    ['overwrite of everything', (table) => overwrite(table, alwaysTrue), 'day'],
  ]

  it.each(others)('%s', async (_what, other, conflictsWith) => {
    for (const [scope, filter] of [
      ['day', dayFilter(first)],
      ['full', alwaysTrue],
    ] as const) {
      lake = lakeInMemory()
      const table = await withBothDays()
      await committed(table, other(table))
      const ours = commit(table, overwrite(table, filter))
      if (conflictsWith === 'day' || conflictsWith === scope)
        await expect(ours).rejects.toBeInstanceOf(ValidationError)
      else await expect(ours).resolves.toMatchObject({ kind: 'committed' })
    }
  })

  it('rewriting the same rows into other files is no conflict; their removal takes the new ones', async () => {
    const table = await withBothDays()
    const { live } = await contents(lake.io, table.metadata)
    const compacted = fileOf(table, first)
    await committed(table, {
      operation: 'replace',
      addFiles: [compacted],
      removeFiles: { kind: 'paths', paths: new Set([live[0]!]) },
      dataSequenceNumber: 1,
    })
    const after = await committed(table, overwrite(table, dayFilter(first)))
    expect((await contents(lake.io, after.metadata)).live).not.toContain(compacted.filePath)
  })

  it('a writer that began with an empty table validates as well', async () => {
    const table = await emptyTable(lake, byDay)
    await committed(table, { addFiles: [fileOf(table, first)] })
    await expect(commit(table, overwrite(table, dayFilter(first)))).rejects.toBeInstanceOf(ValidationError)
  })

  it('a starting snapshot that is gone from the history cannot be validated against', async () => {
    const table = await withBothDays()
    const later = await committed(table, { addFiles: [fileOf(table, second)] })
    const start = branchSnapshot(table.metadata, 'main')!['snapshot-id']
    // Rolled back to another line: the starting snapshot is nobody's parent any more.
    const orphan = { ...branchSnapshot(later.metadata, 'main')!, 'snapshot-id': 99n, 'sequence-number': 3 }
    const root = without(orphan, 'parent-snapshot-id')
    await lake.catalog.commit(
      webLogs,
      [],
      [
        { action: 'add-snapshot', snapshot: root },
        { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': 99n },
      ],
    )
    await expect(commit(table, overwrite(table, dayFilter(first)))).rejects.toThrow(
      `does not descend from snapshot ${start}`,
    )
  })

  it('a snapshot that expired between keeps the commit from passing unseen', async () => {
    const table = await withBothDays()
    const later = await committed(table, { addFiles: [fileOf(table, second)] })
    const start = branchSnapshot(table.metadata, 'main')!['snapshot-id']
    await lake.catalog.commit(webLogs, [], [{ action: 'remove-snapshots', 'snapshot-ids': [start] }])
    expect(later.metadata.snapshots).toHaveLength(2)
    // The chain from the current snapshot names its parent, though it is expired: nothing else came between.
    await expect(commit(table, overwrite(table, alwaysTrue))).rejects.toBeInstanceOf(ValidationError)
  })
})

/** TestOverwrite, TestFastAppend. */
describe('the operation is what the files amount to', () => {
  it('an overwrite that meets nothing is an append, one that brings nothing a delete', async () => {
    const table = await emptyTable(lake, byDay)
    const appended = await committed(table, overwrite(table, dayFilter(first)))
    expect(summary(appended.metadata)['operation']).toBe('append')
    const removed = await committed(appended, { ...overwrite(table, dayFilter(first)), addFiles: [] })
    expect(summary(removed.metadata)['operation']).toBe('delete')
    expect((await commit(removed, { ...overwrite(table, dayFilter(first)), addFiles: [] })).kind).toBe(
      'unchanged',
    )
  })

  it('files outside of what is replaced are refused', async () => {
    const table = await withBothDays()
    const wrong = {
      ...overwrite(table, dayFilter(first)),
      addFiles: [fileOf(table, first), fileOf(table, second)],
    }
    await expect(commit(table, wrong)).rejects.toThrow('lies outside of what is replaced')
    expect((await lake.catalog.load(webLogs)).metadata.snapshots).toHaveLength(1)
  })

  it('an append of files of two specs writes a manifest for each', async () => {
    let table = await emptyTable(lake)
    const plain = dataFile(table, { count: 1 })
    const spec = partitionSpec(webLogsSchema, [parsePartitionExpression('day(timestamp)')])
    const change: TableUpdate[] = [
      { action: 'add-spec', spec },
      { action: 'set-default-spec', 'spec-id': -1 },
    ]
    table = await lake.catalog.commit(webLogs, [], change)
    table = await committed(table, { addFiles: [plain, fileOf(table, first)] })
    const { manifests } = await contents(lake.io, table.metadata)
    expect(manifests.map((one) => [one.partitionSpecId, one.addedFilesCount])).toEqual([
      [0, 1],
      [1, 1],
    ])
  })
})

/** TestFastAppend's and CatalogTests' branches. */
describe('branches', () => {
  it('are appended to, and made where there is none, without touching main', async () => {
    const table = await withBothDays()
    const main = branchSnapshot(table.metadata, 'main')!['snapshot-id']
    const onAudit = { branch: 'audit', startingSnapshotId: undefined }
    let after = await committed(table, { ...onAudit, addFiles: [fileOf(table, first)] })
    after = await committed(after, { ...onAudit, addFiles: [fileOf(table, second)] })
    expect(after.metadata['current-snapshot-id']).toBe(main)
    const audit = branchSnapshot(after.metadata, 'audit')!
    expect([audit['sequence-number'], audit.summary['total-records']]).toEqual([3, '10'])
    expect(after.metadata['snapshot-log'].map((entry) => entry['snapshot-id'])).toEqual([main])
  })

  it('that are tags take no commit', async () => {
    const table = await withBothDays()
    const id = branchSnapshot(table.metadata, 'main')!['snapshot-id']
    const tagged = await lake.catalog.commit(
      webLogs,
      [],
      [{ action: 'set-snapshot-ref', 'ref-name': 'release', type: 'tag', 'snapshot-id': id }],
    )
    const toTag = commit(tagged, { branch: 'release', addFiles: [fileOf(table, first)] })
    await expect(toTag).rejects.toThrow('release of table default.web_logs is a tag')
  })
})

/** TestJdbcTableConcurrency.testConcurrentFastAppends, TestFastAppend.testNoMerge. */
it('two writers of ten appends each leave twenty manifests and a line of twenty snapshots', async () => {
  const table = await emptyTable(lake, {
    ...byDay,
    properties: { 'commit.retry.num-retries': '40', 'commit.retry.min-wait-ms': '1' },
  })
  const writer = async (): Promise<void> => {
    for (let n = 0; n < 10; n++)
      await committed(await lake.catalog.load(webLogs), { addFiles: [fileOf(table, first)] })
  }
  await Promise.all([writer(), writer()])
  const { metadata } = await lake.catalog.load(webLogs)
  const { manifests } = await contents(lake.io, metadata)
  expect([manifests.length, metadata.snapshots.length, summary(metadata)['total-records']]).toEqual([
    20,
    20,
    '100',
  ])
})

/** test_negative_num_retries_still_commits, test_negative_wait_properties_do_not_mask_commit_failure. */
it('retry properties of no sense are as if not there', async () => {
  const properties = { 'commit.retry.num-retries': '-1', 'commit.retry.min-wait-ms': 'soon' }
  const table = await emptyTable(lake, { ...byDay, properties })
  expect((await commit(table, { addFiles: [fileOf(table, first)] })).kind).toBe('committed')
  const failing = {
    ...lake.catalog,
    commit: () => Promise.reject(new CommitFailedError('another commit came first')),
  }
  lake.clock.waits.length = 0
  const again = request(await lake.catalog.load(webLogs), { addFiles: [fileOf(table, second)] })
  await expect(commitSnapshot(failing, table, again, lake.effects)).rejects.toBeInstanceOf(CommitFailedError)
  expect(lake.clock.waits).toHaveLength(4)
  expect(Math.min(...lake.clock.waits)).toBeGreaterThan(0)
})

/** CatalogTests.testReplaceTableKeepsSnapshotLog, testConcurrentReplaceTransaction*. */
it('replacing everything under another schema and spec keeps the history', async () => {
  const table = await emptyTable(lake)
  const before = await committed(table, { addFiles: [dataFile(table, { count: 3 })] })
  const spec = partitionSpec(webLogsSchema, [parsePartitionExpression('day(timestamp)')])
  const replaced = await committed(before, {
    operation: 'overwrite',
    addFiles: [{ ...fileOf(table, first), specId: 1 }],
    removeFiles: { kind: 'rows', filter: alwaysTrue },
    tableUpdates: [
      { action: 'add-spec', spec },
      { action: 'set-default-spec', 'spec-id': -1 },
    ],
  })
  const log = replaced.metadata['snapshot-log'].map((entry) => entry['snapshot-id'])
  expect(log).toEqual(replaced.metadata.snapshots.map((one) => one['snapshot-id']))
  expect(log).toHaveLength(2)
})

/** CatalogTests.testConcurrentCreateTransaction, testCreateOrReplaceTransactionConcurrentCreate. */
it('a table that two make at once is one table with the rows of both, or the second is refused', async () => {
  await lake.catalog.createNamespace(['default'])
  const stage = (creation: TableCreation): Promise<Table> => lake.catalog.stageCreate(webLogs, creation)
  const [one, same, other] = [await stage(byDay), await stage(byDay), await stage({ schema: webLogsSchema })]
  const made = await committed(one, { addFiles: [fileOf(one, first)] })
  const joined = await committed(same, { addFiles: [fileOf(same, second)] })
  expect(joined.metadata['table-uuid']).toBe(made.metadata['table-uuid'])
  expect(summary(joined.metadata)['total-records']).toBe('10')
  const refused = commit(other, { addFiles: [dataFile(other, { count: 1 })] })
  await expect(refused).rejects.toThrow('was replaced by another one of the same name')
})
