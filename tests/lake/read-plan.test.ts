import { beforeEach, describe, expect, it } from '@jest/globals'
import type { Table } from '../../jobs/iceberg/catalog/catalog.ts'
import { and, atLeast, equalTo, lessThan, type Predicate } from '../../jobs/iceberg/expression/predicate.ts'
import type { DataFile } from '../../jobs/iceberg/manifest/data-file.ts'
import { readManifestList } from '../../jobs/iceberg/manifest/table-files.ts'
import { branchSnapshot } from '../../jobs/iceberg/metadata/metadata.ts'
import { countOf, hasDeletes, planRead, type ReadOptions, type ReadPlan } from '../../jobs/lake/read-plan.ts'
import { without } from '../support/without.ts'
import {
  byDay,
  dataFile,
  dayNumber,
  eachWithTables,
  emptyTable,
  micros,
  webLogs,
  webLogsSchema,
} from '../iceberg/tables.ts'

const lake = eachWithTables()
const { commit } = lake
const [first, second] = ['2024-05-01', '2024-05-02'] as const

let table: Table
beforeEach(async () => {
  table = await emptyTable(lake, byDay)
})

const fileOf = (day: string, partial: Partial<DataFile> = {}): DataFile => ({
  ...dataFile(table, { count: 5 }, [dayNumber(day)]),
  ...partial,
})
const deletesOf = (day: string, partial: Partial<DataFile> = {}): DataFile =>
  fileOf(day, { content: 1, recordCount: 1, ...partial })
const add = async (...addFiles: DataFile[]): Promise<DataFile[]> => {
  table = await commit(table, { addFiles })
  return addFiles
}
/** Under another default spec from now on. */
const unpartitioned = async (): Promise<void> => {
  table = await lake.catalog.commit(
    webLogs,
    [],
    [
      { action: 'add-spec', spec: { 'spec-id': 0, fields: [] } },
      { action: 'set-default-spec', 'spec-id': -1 },
    ],
  )
}
const plan = (options: ReadOptions = {}, metadata = table.metadata): Promise<ReadPlan> =>
  planRead({ name: 'default.web_logs', metadata, io: lake.io }, options)
const ofVersion3 = (): Table['metadata'] => ({ ...table.metadata, 'format-version': 3 })
const onDay = (day: string): Predicate<string> =>
  and(atLeast('timestamp', micros(day)), lessThan('timestamp', micros(day) + 86_400_000_000n))

/** What applies to each file: a letter of its kind and its path, by the data file's path. */
async function applied(metadata = table.metadata): Promise<Record<string, string[]>> {
  const { files } = await plan({}, metadata)
  return Object.fromEntries(
    files.map(({ file, deletes: { vector, positions, equalities } }) => [
      file.filePath,
      [
        ...(vector === undefined ? [] : [`v ${vector.dataFile.filePath}`]),
        ...positions.map(({ dataFile: one }) => `p ${one.filePath}`),
        ...equalities.map(({ dataFile: one }) => `e ${one.filePath}`),
      ],
    ]),
  )
}

describe('a plan', () => {
  it('of a table without snapshots has no files and no rows', async () => {
    const empty = await plan({ filter: equalTo('user_id', 1) })
    expect([empty.snapshot, empty.files, countOf(empty)]).toEqual([undefined, [], 0])
    expect(empty.schema.fields.map(({ name }) => name)).toEqual(['timestamp', 'user_id', 'url'])
  })

  it('has the live files of the snapshot, with their age, and counts their rows', async () => {
    const [a] = await add(fileOf(first))
    const [b] = await add(fileOf(second))
    table = await commit(table, {
      operation: 'delete',
      removeFiles: { kind: 'paths', paths: new Set([a!.filePath]) },
    })
    const [c] = await add(fileOf(first))
    const now = await plan()
    expect(now.files.map(({ file, sequenceNumber }) => [file.filePath, sequenceNumber])).toEqual([
      [c!.filePath, 4],
      [b!.filePath, 2],
    ])
    expect([countOf(now), now.files.some(hasDeletes)]).toEqual([10, false])
  })

  it('leaves out manifests by their summaries, then files by partition and metrics', async () => {
    await add(fileOf(first))
    const within = (lower: string, upper: string): Partial<DataFile> => ({
      lowerBounds: new Map([[1, bound(lower)]]),
      upperBounds: new Map([[1, bound(upper)]]),
    })
    const bound = (text: string): Buffer => {
      const bytes = Buffer.alloc(8)
      bytes.writeBigInt64LE(micros(text))
      return bytes
    }
    const [early, late] = await add(
      fileOf(second, within('2024-05-02T00:00:00Z', '2024-05-02T11:59:59Z')),
      fileOf(second, within('2024-05-02T12:00:00Z', '2024-05-02T23:00:00Z')),
    )
    const day = await plan({ filter: onDay(second) })
    expect(day.files.map(({ file, position }) => [file.filePath, position])).toEqual([
      [early!.filePath, 'inside'],
      [late!.filePath, 'inside'],
    ])
    expect([day.pruned, countOf(day)]).toEqual([{ manifests: 1, files: 0 }, 10])
    const afternoon = await plan({ filter: atLeast('timestamp', micros('2024-05-02T13:00:00Z')) })
    expect(afternoon.files.map(({ file, position }) => [file.filePath, position])).toEqual([
      [late!.filePath, 'straddles'],
    ])
    expect([afternoon.pruned, countOf(afternoon)]).toEqual([{ manifests: 1, files: 1 }, undefined])
  })

  it('does not read delete manifests when no data file is left', async () => {
    const times = { from: '2024-05-01T01:00:00Z', to: '2024-05-01T02:00:00Z' }
    await add(dataFile(table, { count: 5, ...times }, [dayNumber(first)]))
    await add(deletesOf(first))
    const reads: string[] = []
    const io = { ...lake.io, read: (location: string) => (reads.push(location), lake.io.read(location)) }
    await planRead(
      { name: 't', metadata: table.metadata, io },
      { filter: atLeast('timestamp', micros('2024-05-01T20:00:00Z')) },
    )
    const data = (await readManifestList(lake.io, branchSnapshot(table.metadata, 'main')))
      .filter(({ content }) => content === 0)
      .map(({ manifestPath }) => manifestPath)
    expect(reads).toEqual([expect.stringContaining('/snap-'), ...data])
  })

  it('has the columns that are asked for', async () => {
    expect((await plan({ columns: ['url', 'timestamp'] })).schema.fields.map(({ id }) => id)).toEqual([3, 1])
    await expect(plan({ columns: ['uri'] })).rejects.toThrow('has no column uri')
  })
})

describe('a position delete', () => {
  it('applies to files of its partition that are as old as it or older', async () => {
    const [old, other] = await add(fileOf(first), fileOf(second))
    // In one snapshot: as Flink writes them.
    const [same, deletes] = await add(fileOf(first), deletesOf(first))
    const [young] = await add(fileOf(first))
    expect(await applied()).toEqual({
      [old!.filePath]: [`p ${deletes!.filePath}`],
      [same!.filePath]: [`p ${deletes!.filePath}`],
      [young!.filePath]: [],
      [other!.filePath]: [],
    })
    const { files } = await plan()
    expect(files.filter(hasDeletes)).toHaveLength(2)
    expect(countOf(await plan())).toBeUndefined()
  })

  it('does not apply across specs, even without a partition', async () => {
    const [old] = await add(fileOf(first))
    await unpartitioned()
    const [plain] = await add(dataFile(table, { count: 5 }))
    const [deletes] = await add({ ...dataFile(table, { count: 1 }), content: 1 })
    expect(await applied()).toEqual({ [old!.filePath]: [], [plain!.filePath]: [`p ${deletes!.filePath}`] })
  })

  it('that names one data file, or the paths between which they are, applies to no other', async () => {
    const [a, b] = await add(fileOf(first), fileOf(first))
    const bounds = new Map([[2147483546, Buffer.from(b!.filePath)]])
    const [ofA, ofB, ofNone] = await add(
      deletesOf(first, { referencedDataFile: a!.filePath }),
      deletesOf(first, { lowerBounds: bounds, upperBounds: bounds }),
      // It names a file of another partition: a writer's mistake.
      deletesOf(second, { referencedDataFile: a!.filePath }),
    )
    expect(await applied()).toEqual({
      [a!.filePath]: [`p ${ofA!.filePath}`],
      [b!.filePath]: [`p ${ofB!.filePath}`],
    })
    expect(ofNone!.partition).toEqual([dayNumber(second)])
  })
})

describe('an equality delete', () => {
  const byUser = (day: string): DataFile => deletesOf(day, { content: 2, equalityIds: [2] })

  it('applies to older files of its partition only', async () => {
    const [old, other] = await add(fileOf(first), fileOf(second))
    const [same, deletes] = await add(fileOf(first), byUser(first))
    const [young] = await add(fileOf(first))
    expect(await applied()).toEqual({
      [old!.filePath]: [`e ${deletes!.filePath}`],
      [other!.filePath]: [],
      [same!.filePath]: [],
      [young!.filePath]: [],
    })
  })

  it('without a partition applies to older files of every spec', async () => {
    const [a, b] = await add(fileOf(first), fileOf(second))
    await unpartitioned()
    const [plain] = await add(dataFile(table, { count: 5 }))
    const [deletes] = await add({ ...dataFile(table, { count: 1 }), content: 2, equalityIds: [2] })
    expect(await applied()).toEqual({
      [a!.filePath]: [`e ${deletes!.filePath}`],
      [b!.filePath]: [`e ${deletes!.filePath}`],
      [plain!.filePath]: [`e ${deletes!.filePath}`],
    })
  })

  it('still finds rows that a compaction put into a younger file', async () => {
    const [old] = await add(fileOf(first))
    const compacted = fileOf(first)
    const [deletes] = await add(byUser(first))
    table = await commit(table, {
      operation: 'replace',
      addFiles: [compacted],
      removeFiles: { kind: 'paths', paths: new Set([old!.filePath]) },
      dataSequenceNumber: 1,
    })
    expect(await applied()).toEqual({ [compacted.filePath]: [`e ${deletes!.filePath}`] })
  })

  it.each([
    ['without columns', { equalityIds: [] }, 'equality deletes without columns'],
    ['by a column that no schema has', { equalityIds: [2, 99] }, 'equality deletes by column 99'],
    ['in Avro', { equalityIds: [2], fileFormat: 'AVRO' }, 'file format AVRO'],
  ] as const)('%s cannot be applied', async (_what, partial, feature) => {
    await add(fileOf(first))
    const [deletes] = await add(deletesOf(first, { content: 2, ...partial }))
    const id = branchSnapshot(table.metadata, 'main')!['snapshot-id']
    await expect(plan()).rejects.toMatchObject({
      code: 'data',
      message: expect.stringContaining(
        `table default.web_logs, snapshot ${id}, file ${deletes!.filePath}: ${feature}`,
      ),
    })
    // What no wanted file needs is in nobody's way.
    await expect(plan({ filter: onDay(second) })).resolves.toMatchObject({ files: [] })
  })
})

describe('a deletion vector', () => {
  const vectorOf = (file: DataFile, partial: Partial<DataFile> = {}): DataFile =>
    deletesOf(first, {
      fileFormat: 'PUFFIN',
      filePath: 'memory://lake/deletes.puffin',
      referencedDataFile: file.filePath,
      contentOffset: 4,
      contentSizeInBytes: 42,
      ...partial,
    })

  it('takes the place of all position deletes of its file; equality deletes go on', async () => {
    const [a, b] = await add(fileOf(first), fileOf(first))
    const [positions, named] = await add(
      deletesOf(first),
      deletesOf(first, { referencedDataFile: a!.filePath }),
    )
    const [vector, equality] = await add(vectorOf(a!), deletesOf(first, { content: 2, equalityIds: [2] }))
    expect(await applied(ofVersion3())).toEqual({
      [a!.filePath]: [`v ${vector!.filePath}`, `e ${equality!.filePath}`],
      [b!.filePath]: [`p ${positions!.filePath}`, `e ${equality!.filePath}`],
    })
    expect(named!.referencedDataFile).toBe(a!.filePath)
    const [planned] = (await plan({}, ofVersion3())).files
    expect(planned!.deletes.vector?.dataFile).toMatchObject({ contentOffset: 4, contentSizeInBytes: 42 })
  })

  it('several of which are in one Puffin file are each its file’s', async () => {
    const [a, b] = await add(fileOf(first), fileOf(first))
    await add(vectorOf(a!), vectorOf(b!, { contentOffset: 46 }))
    const { files } = await plan({}, ofVersion3())
    expect(files.map(({ deletes }) => deletes.vector?.dataFile.contentOffset)).toEqual([4, 46])
  })

  it('of an older snapshot does not apply to a younger file of that name', async () => {
    const [a] = await add(fileOf(first))
    await add(vectorOf(a!))
    table = await commit(table, {
      operation: 'delete',
      removeFiles: { kind: 'paths', paths: new Set([a!.filePath]) },
    })
    await add(a!)
    expect(await applied(ofVersion3())).toEqual({ [a!.filePath]: [] })
  })

  it.each([
    ['two of one file', (file: DataFile) => [vectorOf(file), vectorOf(file)], 'has two deletion vectors'],
    [
      'one that does not say whose',
      (file: DataFile) => [without(vectorOf(file), 'referencedDataFile')],
      'does not say where it is, or whose',
    ],
  ])('is refused: %s', async (_what, vectors, message) => {
    const [a] = await add(fileOf(first))
    await add(...vectors(a!))
    await expect(plan({}, ofVersion3())).rejects.toThrow(message)
  })

  it('is none of a table of version 2', async () => {
    const [a] = await add(fileOf(first))
    await add(vectorOf(a!))
    await expect(plan()).rejects.toThrow('a deletion vector in a table of version 2 cannot be read')
  })
})

describe('what cannot be read is exit 3 with snapshot, file and feature', () => {
  it.each<readonly [string, Partial<DataFile>, string]>([
    ['an encrypted file', { keyMetadata: Buffer.from('k') }, 'encryption'],
    ['a file in ORC', { fileFormat: 'ORC' }, 'file format ORC'],
  ])('%s', async (_what, partial, feature) => {
    const [bad] = await add(fileOf(first, partial))
    const id = branchSnapshot(table.metadata, 'main')!['snapshot-id']
    await expect(plan()).rejects.toMatchObject({
      code: 'data',
      message: `table default.web_logs, snapshot ${id}, file ${bad!.filePath}: ${feature} cannot be read`,
    })
  })

  it('a newer format, an encrypted snapshot', async () => {
    await add(fileOf(first))
    await expect(plan({}, { ...table.metadata, 'format-version': 4 })).rejects.toThrow('format version 4')
    const [snapshot] = table.metadata.snapshots
    const encrypted = { ...table.metadata, snapshots: [{ ...snapshot!, 'key-id': 'k' }] }
    await expect(plan({}, encrypted)).rejects.toThrow(`file ${snapshot!['manifest-list']}: encryption`)
  })

  it('a column of a type that is not known, unless it is left out', async () => {
    const fields = [...webLogsSchema.fields, { id: 9, name: 'doc', required: false, type: 'variant' }]
    const metadata = { ...ofVersion3(), schemas: [{ ...webLogsSchema, fields }] }
    await expect(plan({}, metadata)).rejects.toThrow('type variant of column doc cannot be read')
    expect((await plan({ columns: ['url'] }, metadata)).files).toEqual([])
  })
})
