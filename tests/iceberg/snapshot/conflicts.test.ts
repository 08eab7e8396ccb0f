import { beforeEach, describe, expect, it } from '@jest/globals'
import { exitCodes, type JobError } from '../../../jobs/errors.ts'
import type { Table } from '../../../jobs/iceberg/catalog/catalog.ts'
import { commitSnapshot, type CommitResult } from '../../../jobs/iceberg/snapshot/commit.ts'
import type { DataFile } from '../../../jobs/iceberg/manifest/data-file.ts'
import { alwaysTrue, type Predicate } from '../../../jobs/iceberg/expression/predicate.ts'
import type { FileSelection, SnapshotRequest } from '../../../jobs/iceberg/snapshot/snapshot-request.ts'
import {
  byDay,
  contents,
  dataFile,
  dayFilter,
  dayNumber,
  emptyTable,
  lakeInMemory,
  namesIn,
  request,
  webLogs,
  type Lake,
} from '../tables.ts'

let lake: Lake
/** As it was when the overwrite began to read its source: days 1 and 2 have a file each. */
let table: Table
let first: DataFile
let second: DataFile
beforeEach(async () => {
  lake = lakeInMemory()
  const empty = await emptyTable(lake, byDay)
  ;[first, second] = [fileOf(empty, '2024-05-01'), fileOf(empty, '2024-05-02')]
  table = (await commit(empty, { addFiles: [first, second] })).table
})

const commit = async (upon: Table, partial: Partial<SnapshotRequest>) => {
  const result = await commitSnapshot(lake.catalog, upon, request(upon, partial), lake.effects)
  if (result.kind !== 'committed') throw new Error(result.kind)
  return result
}
const fileOf = (upon: Table, day: string): DataFile => dataFile(upon, { count: 1 }, [dayNumber(day)])
const paths = (...files: DataFile[]): FileSelection => ({
  kind: 'paths',
  paths: new Set(files.map(({ filePath }) => filePath)),
})
/** What somebody else commits meanwhile. */
const meanwhile = async (partial: Partial<SnapshotRequest>): Promise<bigint> =>
  (await commit(await lake.catalog.load(webLogs), partial)).snapshot['snapshot-id']

/** The overwrite of day 2 (or of all), upon the table as it was. */
const overwrite = (filter: Predicate = dayFilter('2024-05-02')): Promise<CommitResult> =>
  commitSnapshot(
    lake.catalog,
    table,
    request(table, {
      operation: 'overwrite',
      addFiles: [fileOf(table, '2024-05-02')],
      removeFiles: { kind: 'rows', filter },
      conflicts: { kind: 'rows', filter },
    }),
    lake.effects,
  )
const filesIn = (): Promise<string[]> => namesIn(lake)

describe('an overwrite of a day is refused when somebody else meanwhile', () => {
  const deletes = (partial: Partial<DataFile>): DataFile => ({
    ...fileOf(table, '2024-05-02'),
    content: 1,
    ...partial,
  })
  it.each<readonly [string, () => Partial<SnapshotRequest>]>([
    ['added a file to it', () => ({ addFiles: [fileOf(table, '2024-05-02')] })],
    ['removed a file of it', () => ({ operation: 'delete', removeFiles: paths(second) })],
    [
      'replaced a file of it',
      () => ({
        operation: 'overwrite',
        addFiles: [fileOf(table, '2024-05-02')],
        removeFiles: paths(second),
      }),
    ],
    ['deleted rows of it by position', () => ({ operation: 'delete', addFiles: [deletes({})] })],
    [
      'deleted rows of it by value',
      () => ({ operation: 'delete', addFiles: [deletes({ content: 2, equalityIds: [2] })] }),
    ],
  ])('%s', async (_what, change) => {
    const theirs = await meanwhile(change())
    const before = await filesIn()
    const error: unknown = await overwrite().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      code: 'conflict',
      field: 'default.web_logs',
      message: `table default.web_logs was changed while this job ran: snapshot ${theirs} touched the same rows`,
      fix: expect.stringContaining('run the job again'),
    })
    expect(exitCodes[(error as JobError).code]).toBe(4)
    expect(await filesIn()).toEqual(before)
  })

  it('rolled the table back to before the read', async () => {
    await lake.catalog.commit(webLogs, [], [{ action: 'remove-snapshot-ref', 'ref-name': 'main' }])
    await expect(overwrite()).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('does not descend from snapshot'),
    })
  })

  it('or, of a whole table, added a file anywhere', async () => {
    await meanwhile({ addFiles: [fileOf(table, '2024-05-09')] })
    await expect(overwrite(alwaysTrue)).rejects.toMatchObject({ code: 'conflict' })
  })
})

describe('an overwrite of a day lands when somebody else meanwhile', () => {
  const live = async (): Promise<string[]> =>
    (await contents(lake.io, (await lake.catalog.load(webLogs)).metadata)).live.sort()

  it('added a file to another day', async () => {
    const other = fileOf(table, '2024-05-01')
    await meanwhile({ addFiles: [other] })
    expect((await overwrite()).kind).toBe('committed')
    expect(await live()).toHaveLength(3)
    expect(await live()).toEqual(expect.arrayContaining([first.filePath, other.filePath]))
    expect(await live()).not.toContain(second.filePath)
  })

  it('removed the file of another day', async () => {
    await meanwhile({ operation: 'delete', removeFiles: paths(first) })
    expect((await overwrite()).kind).toBe('committed')
    expect(await live()).toHaveLength(1)
  })

  it('deleted rows of another day', async () => {
    await meanwhile({
      operation: 'delete',
      addFiles: [{ ...fileOf(table, '2024-05-01'), content: 1 }],
    })
    expect((await overwrite()).kind).toBe('committed')
    expect(await live()).toHaveLength(3)
  })

  it('compacted it: what it was compacted into goes', async () => {
    const compacted = fileOf(table, '2024-05-02')
    await meanwhile({ operation: 'replace', addFiles: [compacted], removeFiles: paths(second) })
    expect((await overwrite()).kind).toBe('committed')
    expect(await live()).toHaveLength(2)
    expect(await live()).not.toContain(compacted.filePath)
  })

  it('changed a property only', async () => {
    await lake.catalog.commit(webLogs, [], [{ action: 'set-properties', updates: { a: 'b' } }])
    expect(await overwrite()).toMatchObject({ kind: 'committed', attempts: 1 })
    expect((await lake.catalog.load(webLogs)).metadata.properties['a']).toBe('b')
  })
})
