import { describe, expect, it } from '@jest/globals'
import { CommitFailedError } from '../../../jobs/iceberg/errors.ts'
import { entryStatus, type ManifestFile } from '../../../jobs/iceberg/manifest/data-file.ts'
import { planMerge } from '../../../jobs/iceberg/manifest/merging.ts'
import { isLive, readManifest, readManifestList } from '../../../jobs/iceberg/manifest/table-files.ts'
import { branchSnapshot, type TableMetadata } from '../../../jobs/iceberg/metadata/metadata.ts'
import { writeManifests } from '../../../jobs/iceberg/snapshot/added-manifests.ts'
import { mergedManifest } from '../../../jobs/iceberg/snapshot/merged-manifests.ts'
import { mergeManifests } from '../../../jobs/iceberg/snapshot/operations.ts'
import { producerState } from '../../../jobs/iceberg/snapshot/producer-state.ts'
import { eachCompactLake, rowsFrom } from '../compact-lake.ts'

const least = { 'commit.manifest.min-count-to-merge': '6' }
// Each commit of others is an hour later.
const test = eachCompactLake({ ...least, 'commit.retry.total-timeout-ms': '86400000' })

const head = () => branchSnapshot(test.table.metadata, 'main')!
const manifests = () => readManifestList(test.table.io, head())
const entries = async () => {
  const all = []
  for (const one of await manifests())
    all.push(...(await readManifest(test.table.io, test.table.metadata, one)))
  return all.sort((a, b) => (a.dataFile.filePath < b.dataFile.filePath ? -1 : 1))
}
/** A file a day: nothing for a compaction of data. */
const days = async (count: number, from = 0) => {
  const files = []
  for (let day = from; day < from + count; day++) files.push(...(await test.append(1, day, 1000 * day)))
  return files
}
/** The rows of each snapshot there is. */
const history = async (): Promise<string[][]> => {
  const all = []
  for (const { 'snapshot-id': id } of test.table.metadata.snapshots)
    all.push(await test.rows({ choice: { kind: 'id', id } }))
  return all
}

describe('compaction of manifests', () => {
  it('21, 20: puts many of one spec into one by a commit of its own, in which each file is as old as it was', async () => {
    await days(5)
    const [gone, stays] = [
      await test.file(rowsFrom(500, 3, 7), [7]),
      await test.file(rowsFrom(600, 3, 8), [8]),
    ]
    await test.commit({ addFiles: [gone, stays] })
    await test.commit({
      operation: 'delete',
      removeFiles: { kind: 'paths', paths: new Set([gone.filePath]) },
    })
    const [before, was, parent] = [await history(), await entries(), head()]
    const dry = await test.compact({}, { dryRun: true })
    expect(dry.mergedManifests).toMatchObject({ from: { files: 6 }, to: { files: 1 }, commits: 0 })
    expect(head()).toBe(parent)
    const done = await test.compact()
    expect(done).not.toHaveProperty('rewritten')
    expect(done.mergedManifests).toMatchObject({
      from: dry.mergedManifests!.from,
      to: { files: 1 },
      commits: 1,
    })
    expect(done.files.find(({ kind }) => kind === 'manifest')).toMatchObject({
      before: { files: 6 },
      after: { files: 1 },
    })
    expect(await history()).toEqual([...before, before.at(-1)])
    expect(await entries()).toEqual(
      was.filter(isLive).map((entry) => ({ ...entry, status: entryStatus.existing })),
    )
    const [manifest] = await manifests()
    expect(manifest).toMatchObject({
      addedFilesCount: 0,
      existingFilesCount: 6,
      deletedFilesCount: 0,
      existingRowsCount: 18,
      minSequenceNumber: 1,
      sequenceNumber: head()['sequence-number'],
    })
    expect(head()['parent-snapshot-id']).toBe(parent['snapshot-id'])
    expect(head().summary).toEqual({
      operation: 'replace',
      'manifests-created': '1',
      'manifests-replaced': '6',
      'manifests-kept': '0',
      ...Object.fromEntries(Object.entries(parent.summary).filter(([key]) => key.startsWith('total-'))),
    })
    const id = head()['snapshot-id']
    expect(await test.compact()).not.toHaveProperty('mergedManifests')
    expect(head()['snapshot-id']).toBe(id)
  })

  it('keeps deletes at their age: no row comes back and none is lost', async () => {
    const files = await days(6)
    for (const file of files) await test.commit({ addFiles: [await test.deletes([[file, 1]])] })
    await days(1, 9)
    const [before, was] = [await history(), await entries()]
    expect(before.at(-1)).toHaveLength(6 * 2 + 3)
    await test.compact({ maxRewrite: 0 })
    expect((await manifests()).map(({ content }) => content).sort()).toEqual([0, 1])
    expect(await history()).toEqual([...before, before.at(-1)])
    expect(
      (await entries()).map(({ sequenceNumber, fileSequenceNumber, snapshotId }) => [
        ...[sequenceNumber, fileSequenceNumber, snapshotId],
      ]),
    ).toEqual(
      was.map(({ sequenceNumber, fileSequenceNumber, snapshotId }) => [
        ...[sequenceNumber, fileSequenceNumber, snapshotId],
      ]),
    )
  })

  it('comes after a compaction of data, of what that has left', async () => {
    await days(7)
    await test.append(5, 0, 50)
    const before = await history()
    const done = await test.compact()
    expect(done.rewritten).toMatchObject({ from: { files: 6 }, to: { files: 1 }, commits: 1 })
    expect(done.mergedManifests).toMatchObject({ from: { files: 7 }, to: { files: 1 }, commits: 1 })
    expect(await history()).toEqual([...before, before.at(-1), before.at(-1)])
  })

  it('plans anew where another commit came first, and leaves no manifest of an attempt behind', async () => {
    await days(6)
    const { catalog } = test.lake
    let others = 0
    const contended = {
      ...catalog,
      commit: async (...given: Parameters<typeof catalog.commit>) => {
        if (others++ > 0) return catalog.commit(...given)
        await days(1, 20)
        throw new CommitFailedError('another one was faster')
      },
    }
    const done = await test.compact({}, { catalog: contended })
    expect(done.mergedManifests).toMatchObject({ from: { files: 7 }, to: { files: 1 } })
    expect(await test.rows()).toHaveLength(21)
    const { writtenIn } = { writtenIn: head()['snapshot-id'] }
    const listed = await manifests()
    expect(listed).toHaveLength(1)
    const names: string[] = []
    for await (const { location } of test.table.io.list(`${test.table.metadata.location}/metadata`))
      names.push(location)
    const known = new Set<string>()
    for (const snapshot of test.table.metadata.snapshots) {
      known.add(snapshot['manifest-list'])
      for (const one of await readManifestList(test.table.io, snapshot)) known.add(one.manifestPath)
    }
    expect(names.filter((name) => name.endsWith('.avro') && !known.has(name))).toEqual([])
    expect(listed[0]!.addedSnapshotId).toBe(writtenIn)
  })

  it('puts those of different specs into different ones', async () => {
    await days(6)
    await test.update(
      { action: 'add-spec', spec: { 'spec-id': 1, fields: [] } },
      { action: 'set-default-spec', 'spec-id': -1 },
    )
    for (let at = 0; at < 4; at++) await test.commit({ addFiles: [await test.file(rowsFrom(90 + at), [])] })
    const before = await test.rows()
    await test.compact()
    expect((await manifests()).map((one) => [one.partitionSpecId, one.existingFilesCount]).sort()).toEqual(
      [...[0, 0, 0, 0].map(() => [1, 0]), [0, 6]].sort(),
    )
    expect(await test.rows()).toEqual(before)
  })

  it('is left out where the table says so', async () => {
    await days(7)
    await test.update({
      action: 'set-properties',
      updates: { 'commit.manifest-merge.enabled': 'false' },
    })
    expect(await test.compact()).not.toHaveProperty('mergedManifests')
  })

  it('says the age of what a table of version 1 left: 0', async () => {
    await days(2)
    const { io, metadata } = test.table
    const old = (await manifests()).map((one) => ({ ...one, sequenceNumber: 0, minSequenceNumber: 0 }))
    const state = producerState('00000000-0000-4000-8000-000000000001', (size) => Buffer.alloc(size))
    const { manifest, minSequenceNumber } = await mergedManifest('t', io, metadata, old, state)
    expect(minSequenceNumber).toBe(0)
    const listed = { ...manifest, sequenceNumber: 9, minSequenceNumber: 0 }
    const found = await readManifest(io, metadata, listed)
    expect(found.map((one) => [one.sequenceNumber, one.fileSequenceNumber, one.snapshotId])).toEqual(
      old.map(({ addedSnapshotId }) => [0, 0, addedSnapshotId]),
    )
  })

  it('refuses an entry that does not say when its file came', async () => {
    await days(2)
    const { io, metadata } = test.table
    const listed = await manifests()
    const found = await readManifest(io, metadata, listed[0]!)
    const nameless = found.map((entry) => ({
      ...entry,
      status: entryStatus.existing,
      sequenceNumber: undefined,
    }))
    const state = producerState('00000000-0000-4000-8000-000000000001', (size) => Buffer.alloc(size))
    const [written] = await writeManifests(
      ...([io, metadata, state, { specId: 0, content: 0 }, nameless, Infinity] as const),
    )
    const foreign = { ...written!, sequenceNumber: 2, minSequenceNumber: 1 }
    await expect(mergedManifest('t', io, metadata, [foreign, listed[1]!], state)).rejects.toThrow(
      'has a manifest that does not say when',
    )
  })

  it('refuses other format versions, whose entries have other numbers', () => {
    const metadata: TableMetadata = { ...test.table.metadata, 'format-version': 3 }
    expect(() => mergeManifests({ metadata })).toThrow('manifests of format version 3 are not put together')
  })
})

describe('the plan for manifests', () => {
  const many = (count: number, manifestLength: number, partial: Partial<ManifestFile> = {}) =>
    Array.from({ length: count }, (): ManifestFile => ({
      ...({ partitionSpecId: 0, content: 0 } as ManifestFile),
      manifestLength,
      ...partial,
    }))
  const sizes = (...given: Parameters<typeof planMerge>) => planMerge(...given).map((group) => group.length)
  const small = { ...least, 'commit.manifest.target-size-bytes': '1000' }

  it.each<[string, Record<string, string>, ManifestFile[], number[]]>([
    ['99 of the usual table', {}, many(99, 5000), []],
    ['100', {}, many(100, 5000), [100]],
    ['too few', small, many(5, 100), []],
    ['as many as fit', small, many(25, 100), [10, 10, 5]],
    ['those that are large beside small ones', small, [...many(3, 1000), ...many(6, 10)], [6]],
    ['those of which more than half would come', small, many(6, 400), [2, 2, 2]],
    ['those of which nearly as many would come', small, many(6, 501), []],
    ['those of which more than half would be left', small, [...many(2, 400), ...many(5, 900)], []],
    ['too few of each content', small, [...many(5, 10), ...many(5, 10, { content: 1 })], []],
    ['too few of each spec', small, [...many(5, 10), ...many(5, 10, { partitionSpecId: 1 })], []],
  ])('for %s', (_, properties, given, expected) => {
    expect(sizes(properties, given)).toEqual(expected)
  })
})
