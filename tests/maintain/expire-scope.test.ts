import { describe, expect, it } from '@jest/globals'
import type { Catalog } from '../../jobs/iceberg/catalog/catalog.ts'
import type { ReachableFile } from '../../jobs/lake/reachable.ts'
import { chooseSnapshot } from '../../jobs/lake/snapshot-choice.ts'
import { removeFiles } from '../../jobs/maintain/remove-files.ts'
import { total } from '../../jobs/maintain/tally.ts'
import type { FileIO } from '../../jobs/storage/file-io.ts'
import { eachWithFiles, headOf, ref, snapshotsOf } from './lake-with-files.ts'

const test = eachWithFiles()

describe('what expire leaves alone, and what of the metadata it trims', () => {
  it('only changes metadata where gc.enabled is false (rule 40), and says so', async () => {
    const a = await test.add('2024-05-01')
    await test.remove(a)
    await test.update({ action: 'set-properties', updates: { 'gc.enabled': 'FALSE' } })
    const done = await test.expire()
    expect(done.leftAlone).toMatchObject([
      { files: 3, reason: expect.stringContaining('gc.enabled') as unknown },
    ])
    expect(snapshotsOf(test).length).toBe(1)
    expect(await test.lake.io.stat(a)).toBeDefined()
  })

  it('leaves files outside of the table’s folders alone (rule 40), also of a folder with a like name (rule 15)', async () => {
    const places = ['memory://other/x.parquet', `${test.table.metadata.location}_old/data/x.parquet`]
    for (const filePath of places)
      await test.commit({ addFiles: [await test.file('2024-05-01', { filePath })] })
    await test.remove(...places)
    const done = await test.expire()
    expect(done.leftAlone).toMatchObject([{ files: 2, bytes: 100 }])
    for (const place of places) expect(await test.lake.io.stat(place)).toBeDefined()
  })

  it('only changes metadata where another entry lies at or in the table’s folder (rule 18)', async () => {
    const a = await test.add('2024-05-01')
    await test.remove(a)
    const inside = { ...test.lake.catalog, entries: () => entriesWith(`${test.table.metadata.location}/sub`) }
    const done = await test.expire({}, { catalog: inside })
    expect(done.leftAlone?.[0]?.reason).toBe('default.theirs of catalog another lies in the table’s folder')
    expect(await test.lake.io.stat(a)).toBeDefined()
    const b = await test.add('2024-05-02')
    await test.remove(b)
    const beside = { ...test.lake.catalog, entries: () => entriesWith(`${test.table.metadata.location}_old`) }
    expect((await test.expire({}, { catalog: beside })).leftAlone).toBeUndefined()
  })

  it('trims the history to what it can still tell (rule 39)', async () => {
    await test.add('2024-05-01')
    await test.add('2024-05-02')
    const kept = headOf(test)
    const at = test.table.metadata['snapshot-log'].at(-1)!['timestamp-ms']
    await test.add('2024-05-03')
    await test.update(ref('kept', kept, { type: 'tag' }))
    await test.expire({ keep: 2 })
    expect(test.table.metadata['snapshot-log'].map((entry) => entry['snapshot-id'])).toEqual([
      kept,
      headOf(test),
    ])
    const asOf = (ms: number): unknown =>
      chooseSnapshot('t', test.table.metadata, { kind: 'as-of', ms }).snapshot
    expect(asOf(at)).toMatchObject({ 'snapshot-id': kept, 'timestamp-ms': at })
    expect(() => asOf(at - 1)).toThrow('no snapshot as of')
  })

  it('trims the metadata log and its files as the table says (rule 37)', async () => {
    const updates = {
      'write.metadata.previous-versions-max': '2',
      'write.metadata.delete-after-commit.enabled': 'true',
    }
    await test.add('2024-05-01')
    await test.add('2024-05-02')
    await test.update({ action: 'set-properties', updates })
    await test.expire()
    expect((await test.files('.metadata.json')).length).toBe(3)
    expect(await test.lost()).toEqual({ missing: [], orphans: [] })
  })
})

async function entriesWith(location: string): Promise<Awaited<ReturnType<Catalog['entries']>>> {
  const metadataLocation = `${location}/metadata/00000-x.metadata.json`
  const theirs = { catalog: 'another', namespace: 'default', name: 'theirs', isView: true, metadataLocation }
  return [...(await test.lake.catalog.entries()), theirs]
}

it('what goes is removed a thousand files at a time, as it is found: memory does not grow with it (rule 35)', async () => {
  const batches: number[] = []
  let found = 0
  let most = 0
  async function* files(): AsyncGenerator<ReachableFile> {
    await Promise.resolve()
    for (; found < 10_500; found++) {
      const location = `memory://lake/data/${found}.parquet`
      yield { kind: 'data', location, size: 10, snapshot: undefined }
    }
  }
  const io: FileIO = {
    ...test.lake.io,
    deleteAll(locations) {
      batches.push(locations.length)
      most = Math.max(most, found - batches.slice(0, -1).reduce((sum, count) => sum + count, 0))
      return Promise.resolve({ failures: [], hidden: 0 })
    },
  }
  const { signal } = new AbortController()
  const { freed } = await removeFiles(io, files(), () => true, { dryRun: false, signal })
  expect(batches).toEqual([...Array.from({ length: 10 }, () => 1000), 500])
  expect(most).toBeLessThanOrEqual(1000)
  expect(total(freed)).toEqual({ files: 10_500, bytes: 105_000 })
})
