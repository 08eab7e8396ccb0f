import { beforeEach, describe, expect, it } from '@jest/globals'
import type { Table } from '../../../jobs/iceberg/catalog/catalog.ts'
import { ValidationError } from '../../../jobs/iceberg/errors.ts'
import { alwaysTrue } from '../../../jobs/iceberg/expression/predicate.ts'
import type { DataFile, ManifestEntry } from '../../../jobs/iceberg/manifest/data-file.ts'
import { branchSnapshot } from '../../../jobs/iceberg/metadata/metadata.ts'
import { commitSnapshot } from '../../../jobs/iceberg/snapshot/commit.ts'
import { append, deleteRows, overwrite, replaceFiles } from '../../../jobs/iceberg/snapshot/operations.ts'
import type { SnapshotRequest } from '../../../jobs/iceberg/snapshot/snapshot-request.ts'
import {
  byDay,
  contents,
  dataFile,
  dayFilter,
  dayNumber,
  eachWithTables,
  emptyTable,
  summaryOf,
  webLogs,
} from '../tables.ts'

const lake = eachWithTables()
const { commit } = lake
const [first, second] = ['2024-05-01', '2024-05-02'] as const

/** As it was when the operation's source was read: two files of the first day, one of the second. */
let table: Table
let entries: readonly ManifestEntry[]
beforeEach(async () => {
  table = await emptyTable(lake, byDay)
  table = await commit(table, { addFiles: [fileOf(first), fileOf(first), fileOf(second)] })
  entries = (await contents(lake.io, table.metadata)).entries
})

const fileOf = (day: string, partial: Partial<DataFile> = {}): DataFile => ({
  ...dataFile(table, { count: 5 }, [dayNumber(day)]),
  ...partial,
})
const ofDay = (day: string): ManifestEntry[] =>
  entries.filter(({ dataFile: file }) => file.partition[0] === dayNumber(day))
const run = (request: SnapshotRequest): ReturnType<typeof commitSnapshot> =>
  commitSnapshot(lake.catalog, table, request, lake.effects)
const meanwhile = async (partial: Partial<SnapshotRequest>): Promise<void> => {
  await commit(await lake.catalog.load(webLogs), partial)
}
const live = async (): Promise<string[]> =>
  (await contents(lake.io, (await lake.catalog.load(webLogs)).metadata)).live
const upon = (): { metadata: Table['metadata'] } => ({ metadata: table.metadata })

describe('append', () => {
  it('lands whatever others did, the removal of everything too', async () => {
    await meanwhile({ operation: 'delete', removeFiles: { kind: 'rows', filter: alwaysTrue } })
    const added = fileOf(first)
    await run(append(upon(), [added]))
    expect(await live()).toEqual([added.filePath])
  })

  it('goes to the branch that is named', async () => {
    await run(append({ ...upon(), branch: 'audit' }, [fileOf(first)]))
    const { metadata } = await lake.catalog.load(webLogs)
    expect(summaryOf(metadata)['total-records']).toBe('15')
    expect(branchSnapshot(metadata, 'audit')!.summary['total-records']).toBe('5')
  })
})

describe('overwrite', () => {
  const day = { filter: dayFilter(first) }

  it('is refused when others touched its rows', async () => {
    await meanwhile({ addFiles: [fileOf(first)] })
    await expect(run(overwrite(upon(), day, [fileOf(first)]))).rejects.toBeInstanceOf(ValidationError)
  })

  it('may know the others, and give way to them', async () => {
    await meanwhile({ addFiles: [fileOf(first)] })
    const request = overwrite(upon(), day, [fileOf(first)], () => 'newer')
    expect(await run(request)).toMatchObject({ kind: 'superseded' })
    expect(await run(overwrite(upon(), day, [], () => 'older'))).toMatchObject({ kind: 'committed' })
    expect(await live()).toEqual(ofDay(second).map(({ dataFile: file }) => file.filePath))
  })
})

describe('delete', () => {
  it('takes what others added meanwhile, and nothing else', async () => {
    await meanwhile({ addFiles: [fileOf(first)] })
    expect(await run(deleteRows(upon(), { filter: dayFilter(first) }))).toMatchObject({ kind: 'committed' })
    expect(await live()).toEqual(ofDay(second).map(({ dataFile: file }) => file.filePath))
  })

  it('is refused where a file has other rows too, saying what helps', async () => {
    await meanwhile({
      addFiles: [{ ...fileOf(first), partition: [null], nullValueCounts: new Map([[1, 5]]) }],
    })
    const filter = dayFilter('2024-05-01', 1)
    expect(await run(deleteRows(upon(), { filter }))).toMatchObject({ kind: 'committed' })
    const half = { filter: dayFilter('2024-05-02T12:00:00Z'), fix: 'rewrite it' }
    await expect(run(deleteRows(upon(), half))).rejects.toMatchObject({ code: 'data', fix: 'rewrite it' })
  })
})

describe('replace', () => {
  const compacted = (): SnapshotRequest =>
    replaceFiles(upon(), ofDay(first), [{ ...fileOf(first), recordCount: 10 }])

  it('keeps the rows’ age and the number of rows, and says replace', async () => {
    await meanwhile({ addFiles: [fileOf(second)] })
    await run(compacted())
    const { metadata } = await lake.catalog.load(webLogs)
    expect(summaryOf(metadata)).toMatchObject({ operation: 'replace', 'total-records': '20' })
    const { manifests, entries: now } = await contents(lake.io, metadata)
    const added = now.filter(({ status, sequenceNumber }) => status === 1 && sequenceNumber === 1)
    expect(
      added.map((entry) => [entry.sequenceNumber, entry.fileSequenceNumber, entry.dataFile.recordCount]),
    ).toEqual([[1, 3, 10]])
    expect(manifests[0]).toMatchObject({ sequenceNumber: 3, minSequenceNumber: 1 })
  })

  const deletes = (partial: Partial<DataFile>): Partial<SnapshotRequest> => ({
    operation: 'delete',
    addFiles: [fileOf(first, { content: 1, ...partial })],
  })
  const pathOf = (day: string): string => ofDay(day)[0]!.dataFile.filePath
  const boundsOf = (text: string): Map<number, Uint8Array> => new Map([[2147483546, Buffer.from(text)]])

  it.each<readonly [string, () => Partial<SnapshotRequest>]>([
    ['positions of its partition', () => deletes({})],
    ['positions of one of its files', () => deletes({ referencedDataFile: pathOf(first) })],
    [
      'positions between whose paths one of its files is',
      () => deletes({ lowerBounds: boundsOf(pathOf(first)), upperBounds: boundsOf(pathOf(first)) }),
    ],
    [
      'a deletion vector of one of its files',
      () =>
        deletes({
          fileFormat: 'PUFFIN',
          referencedDataFile: pathOf(first),
          contentOffset: 4,
          contentSizeInBytes: 40,
        }),
    ],
  ])('is refused when others deleted rows by %s', async (_what, change) => {
    await meanwhile(change())
    const before = await live()
    await expect(run(compacted())).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(/snapshot \d+ deleted rows of memory:.*\.parquet$/),
    })
    await expect(run(compacted())).rejects.toBeInstanceOf(ValidationError)
    expect(await live()).toEqual(before)
  })

  it.each<readonly [string, () => Partial<SnapshotRequest>]>([
    ['positions of another partition', () => deletes({ partition: [dayNumber(second)] })],
    ['positions of another file', () => deletes({ referencedDataFile: pathOf(second) })],
    [
      'positions between other paths',
      () => deletes({ lowerBounds: boundsOf(pathOf(second)), upperBounds: boundsOf(pathOf(second)) }),
    ],
    ['values: they still find the rows', () => deletes({ content: 2, equalityIds: [2] })],
  ])('lands beside deletes by %s', async (_what, change) => {
    await meanwhile(change())
    expect(await run(compacted())).toMatchObject({ kind: 'committed' })
    const { entries: now } = await contents(lake.io, (await lake.catalog.load(webLogs)).metadata)
    const ages = now.map(({ dataFile: file, sequenceNumber, status }) => [
      file.content,
      status,
      sequenceNumber,
    ])
    expect(ages).toEqual(expect.arrayContaining([[0, 1, 1]]))
  })

  it('is refused when values were deleted and the rows go to another spec, where they would not be found', async () => {
    const change = [
      { action: 'add-spec', spec: { 'spec-id': 0, fields: [] } },
      { action: 'set-default-spec', 'spec-id': -1 },
    ] as const
    await lake.catalog.commit(webLogs, [], change)
    await meanwhile(deletes({ content: 2, equalityIds: [2] }))
    const request = replaceFiles(upon(), ofDay(first), [{ ...fileOf(first), specId: 1, partition: [] }])
    await expect(run(request)).rejects.toBeInstanceOf(ValidationError)
  })

  it('gives way to an overwrite of its files, and to another schema', async () => {
    await lake.catalog.commit(
      webLogs,
      [],
      [
        { action: 'add-schema', schema: { type: 'struct', 'schema-id': 1, fields: [] } },
        { action: 'set-current-schema', 'schema-id': -1 },
      ],
    )
    await expect(run(compacted())).rejects.toThrow('its current schema is 1, expected 0')
    const other = await lake.catalog.load(webLogs)
    await commit(other, {
      operation: 'overwrite',
      addFiles: [fileOf(first)],
      removeFiles: { kind: 'rows', filter: dayFilter(first) },
    })
    await expect(run({ ...compacted(), tableRequirements: [] })).rejects.toThrow(
      'is not in table default.web_logs',
    )
  })

  it('refuses what is none', () => {
    expect(() => replaceFiles(upon(), [], [fileOf(first)])).toThrow('no files to put into others')
    expect(() => replaceFiles(upon(), ofDay(first), [fileOf(first, { content: 1 })])).toThrow(
      'data files only',
    )
  })
})
