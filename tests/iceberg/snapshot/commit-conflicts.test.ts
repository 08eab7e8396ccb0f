import { describe, expect, it } from '@jest/globals'
import type { Catalog } from '../../../jobs/iceberg/catalog/catalog.ts'
import { branchSnapshot } from '../../../jobs/iceberg/metadata/metadata.ts'
import { commitSnapshot } from '../../../jobs/iceberg/snapshot/commit.ts'
import { CommitFailedError, ValidationError } from '../../../jobs/iceberg/errors.ts'
import type { SnapshotRequest } from '../../../jobs/iceberg/snapshot/snapshot-request.ts'
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

const lake = eachWithTables()
const { commit, filesIn } = lake

describe('conflicts', () => {
  it('two appends both arrive, whoever is first; the loser keeps its manifest and snapshot id', async () => {
    const table = await emptyTable(lake)
    const results = await Promise.all(
      [1, 2, 4, 8].map((count) =>
        commitSnapshot(
          lake.catalog,
          table,
          request(table, { addFiles: [dataFile(table, { count })] }),
          lake.effects,
        ),
      ),
    )
    const { metadata } = await lake.catalog.load(webLogs)
    expect(metadata.snapshots.map((snapshot) => snapshot['sequence-number'])).toEqual([1, 2, 3, 4])
    expect(summaryOf(metadata)['total-records']).toBe('15')
    expect((await contents(lake.io, metadata)).live).toHaveLength(4)
    const ids = results.map((result) => (result.kind === 'committed' ? result.snapshot['snapshot-id'] : 0n))
    expect(metadata.snapshots.map((snapshot) => snapshot['snapshot-id']).sort()).toEqual(ids.sort())
    // Lost attempts leave neither manifest lists nor metadata files.
    const names = await filesIn()
    expect(names.filter((name) => name.includes('/snap-'))).toHaveLength(4)
    expect(names.filter((name) => /-m\d+\.avro$/.test(name))).toHaveLength(4)
    expect(names.filter((name) => name.endsWith('.metadata.json'))).toHaveLength(5)
    expect(lake.clock.waits.length).toBeGreaterThan(0)
    // No attempt wrote its manifest again.
    for (const { manifestPath } of (await contents(lake.io, metadata)).manifests)
      expect(manifestPath).toMatch(/-m0\.avro$/)
  })

  it('a day overwrite recomputes its filtered manifest upon another day’s commit', async () => {
    const table = await emptyTable(lake, byDay)
    const files = ['2024-05-01', '2024-05-02'].map((text) => dataFile(table, { count: 1 }, [dayNumber(text)]))
    const filled = await commit(table, { addFiles: files })
    await Promise.all(
      ['2024-05-01', '2024-05-02'].map((text) =>
        commit(filled, {
          operation: 'overwrite',
          addFiles: [dataFile(filled, { count: 5 }, [dayNumber(text)])],
          removeFiles: rowsWhere(dayFilter(text)),
          conflicts: { kind: 'rows', filter: dayFilter(text) },
        }),
      ),
    )
    const { metadata } = await lake.catalog.load(webLogs)
    expect(summaryOf(metadata)['total-records']).toBe('10')
    expect((await contents(lake.io, metadata)).live).toHaveLength(2)
  })

  it('the same day changed by somebody else is a validation error, and the caller may call it superseded', async () => {
    const table = await emptyTable(lake, byDay)
    const overwrite = (): Partial<SnapshotRequest> => ({
      operation: 'overwrite',
      addFiles: [dataFile(table, { count: 5 }, [dayNumber('2024-05-02')])],
      removeFiles: rowsWhere(dayFilter('2024-05-02')),
      conflicts: { kind: 'rows', filter: dayFilter('2024-05-02') },
      summary: { 'lakejobs.source-snapshot-time': '2' },
    })
    await commit(table, overwrite())
    await expect(commit(table, overwrite())).rejects.toBeInstanceOf(ValidationError)
    const result = await commitSnapshot(
      lake.catalog,
      table,
      request(table, {
        ...overwrite(),
        conflicts: {
          kind: 'rows',
          filter: dayFilter('2024-05-02'),
          compareWith: (summary) =>
            Number(summary['lakejobs.source-snapshot-time']) > 1 ? 'newer' : undefined,
        },
      }),
      lake.effects,
    )
    expect(result).toMatchObject({
      kind: 'superseded',
      by: { summary: { 'lakejobs.source-snapshot-time': '2' } },
    })
    expect((await lake.catalog.load(webLogs)).metadata.snapshots).toHaveLength(1)
  })

  it('gives up after commit.retry.num-retries and removes its own files', async () => {
    const table = await emptyTable(lake, {
      ...byDay,
      properties: { 'commit.retry.num-retries': '2', 'commit.retry.min-wait-ms': '10' },
    })
    const before = await filesIn()
    const { catalog } = lake
    const losing = { ...catalog, commit: () => Promise.reject(new CommitFailedError('another came first')) }
    await expect(
      commitSnapshot(
        losing,
        table,
        request(table, { addFiles: [dataFile(table, { count: 1 }, [dayNumber('2024-05-01')])] }),
        lake.effects,
      ),
    ).rejects.toThrow('another came first')
    expect(lake.clock.waits).toEqual([7.5, 15])
    expect(await filesIn()).toEqual(before)
  })

  it('refuses a table that was dropped and made anew', async () => {
    const table = await emptyTable(lake)
    await lake.catalog.drop(webLogs)
    const other = await emptyTable(lake)
    await expect(commit(table, { addFiles: [dataFile(table, { count: 1 })] })).rejects.toBeInstanceOf(
      ValidationError,
    )
    expect((await lake.catalog.load(webLogs)).metadata).toEqual(other.metadata)
  })
})

it('replaces files by path and keeps their data sequence number', async () => {
  let table = await emptyTable(lake)
  const old = [dataFile(table, { count: 1 }), dataFile(table, { count: 2 })]
  table = await commit(table, { addFiles: old })
  const compacted = dataFile(table, { count: 3 })
  table = await commit(table, {
    operation: 'replace',
    addFiles: [compacted],
    removeFiles: { kind: 'paths', paths: new Set(old.map((file) => file.filePath)) },
    dataSequenceNumber: 1,
  })
  const { entries, live } = await contents(lake.io, table.metadata)
  expect(live).toEqual([compacted.filePath])
  expect(entries.find((entry) => entry.status === 1)).toMatchObject({
    sequenceNumber: 1,
    fileSequenceNumber: 2,
  })
  expect(summaryOf(table.metadata)).toMatchObject({ operation: 'replace', 'total-records': '3' })
  await expect(
    commit(table, {
      operation: 'replace',
      removeFiles: { kind: 'paths', paths: new Set([old[0]!.filePath]) },
    }),
  ).rejects.toThrow('is not in table default.web_logs any more')
})

it('never writes a time before an earlier one, though the clock goes back', async () => {
  let table = await emptyTable(lake)
  table = await commit(table, { addFiles: [dataFile(table, { count: 1 })] })
  lake.clock.ms -= 3_600_000
  table = await commit(table, { addFiles: [dataFile(table, { count: 1 })] })
  const times = [
    ...table.metadata['metadata-log'].map((entry) => entry['timestamp-ms']),
    ...table.metadata['snapshot-log'].map((entry) => entry['timestamp-ms']),
    table.metadata['last-updated-ms'],
  ]
  expect(Math.min(...times)).toBe(Math.max(...times))
  expect(table.metadata['metadata-log']).toHaveLength(2)
})

describe('a commit to another branch between staging and swap', () => {
  /** The catalog, where `first` happens once, just before the first swap. */
  const interrupted = (first: () => Promise<unknown>): Catalog => {
    let isFirst = true
    return {
      ...lake.catalog,
      async commit(...change) {
        if (isFirst) {
          isFirst = false
          await first()
        }
        return lake.catalog.commit(...change)
      },
    }
  }

  it.each([0, 120_000])('is a retry, also of a writer whose clock is %i ms ahead', async (ahead) => {
    const table = await commit(await emptyTable(lake), {})
    const onAudit = { branch: 'audit', addFiles: [dataFile(table, { count: 2 })] }
    const catalog = interrupted(async () => {
      lake.clock.ms += ahead
      await commit(await lake.catalog.load(webLogs), onAudit)
      lake.clock.ms -= ahead
    })
    const result = await commitSnapshot(
      catalog,
      table,
      request(table, { addFiles: [dataFile(table, { count: 1 })] }),
      lake.effects,
    )
    expect(result).toMatchObject({ kind: 'committed', attempts: 2, snapshot: { 'sequence-number': 2 } })
    const { metadata } = await lake.catalog.load(webLogs)
    expect(summaryOf(metadata)['total-records']).toBe('1')
    expect(branchSnapshot(metadata, 'audit')!.summary['total-records']).toBe('2')
    expect(await filesIn('/metadata/snap-')).toHaveLength(2)
  })
})
