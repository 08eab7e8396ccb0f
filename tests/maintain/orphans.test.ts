import { describe, expect, it } from '@jest/globals'
import { randomUUID } from 'node:crypto'
import type { Catalog, CatalogEntry } from '../../jobs/iceberg/catalog/catalog.ts'
import { branchSnapshot } from '../../jobs/iceberg/metadata/metadata.ts'
import { forgottenProperty } from '../../jobs/maintain/forgotten.ts'
import { writtenAs } from '../../jobs/lake/upkeep/writer-names.ts'
import type { FileIO, FileStat } from '../../jobs/storage/file-io.ts'
import { byDay, emptyTable, webLogs, webLogsSchema } from '../iceberg/tables.ts'
import { dayMs, eachWithFiles } from './lake-with-files.ts'

const test = eachWithFiles()
const place = (): string => test.table.metadata.location
/** A file that nothing refers to, of a name that our writer gives. */
const orphan = async (
  path = `data/day=2024-05-01/00000-0-${randomUUID()}-00001.parquet`,
  bytes = 10,
): Promise<string> => {
  const location = `${place()}/${path}`
  await test.lake.io.write(location, Buffer.alloc(bytes))
  return location
}
const wait = (days: number): void => {
  test.lake.clock.ms += days * dayMs
}
const isThere = async (location: string): Promise<boolean> =>
  (await test.lake.io.stat(location)) !== undefined
/** The lake through a store with other answers. */
const through = (partial: Partial<FileIO>): Catalog => ({
  ...test.lake.catalog,
  load: async (name) => ({ ...(await test.lake.catalog.load(name)), io: { ...test.lake.io, ...partial } }),
})
const orphansThrough = async (partial: Partial<FileIO>): ReturnType<typeof test.orphans> => {
  const catalog = through(partial)
  return test.orphansOf(await catalog.load(webLogs), catalog)
}
const entry = (metadataLocation: string, partial: Partial<CatalogEntry> = {}): CatalogEntry => ({
  catalog: 'another',
  namespace: 'default',
  name: 'theirs',
  isView: false,
  metadataLocation,
  ...partial,
})
const withEntries = (...more: CatalogEntry[]): Catalog => ({
  ...test.lake.catalog,
  entries: async () => [...(await test.lake.catalog.entries()), ...more],
})

describe('orphans', () => {
  it('are found in a table whose location ends in a slash', async () => {
    await test.add('2024-05-01')
    const stray = await orphan()
    wait(4)
    const catalog: Catalog = {
      ...test.lake.catalog,
      load: async (name) => {
        const { metadata, ...table } = await test.lake.catalog.load(name)
        return { ...table, metadata: { ...metadata, location: `${metadata.location}/` } }
      },
    }
    await test.orphansOf(await catalog.load(webLogs), catalog)
    expect(await isThere(stray)).toBe(false)
    expect(await test.lost()).toEqual({ missing: [], orphans: [] })
  })

  it('go when they are old enough, with --delete alone, and all that any snapshot needs stays (rules 12, 13, 16, 33)', async () => {
    const a = await test.add('2024-05-01')
    await test.remove(a)
    await test.add('2024-05-02')
    const stray = [
      await orphan(),
      await orphan(`metadata/snap-1-0-${randomUUID()}.avro`),
      await orphan(`metadata/${randomUUID()}-m0.avro`),
      await orphan(`metadata/00007-${randomUUID()}.metadata.json`),
      await orphan(`metadata/123-${randomUUID()}.stats`),
      await orphan(`data/${randomUUID()}.puffin`),
    ]
    wait(2)
    // A table that is idle for days loses nothing either.
    const young = await orphan()
    wait(2)
    const report = await test.orphans({ isDelete: false })
    expect(report).toMatchObject({
      dryRun: true,
      leftAlone: [{ files: 1, bytes: 10, reason: 'younger than --orphan-age' }],
    })
    for (const one of stray) expect(await isThere(one)).toBe(true)
    const done = await test.orphans()
    expect({ ...done, dryRun: true }).toEqual(report)
    expect(done.files.map(({ kind, freed }) => [kind, freed.files])).toEqual([
      ['data', 1],
      ['deletes', 1],
      ['manifest', 1],
      ['manifest-list', 1],
      ['statistics', 1],
      ['metadata', 1],
    ])
    for (const one of stray) expect(await isThere(one)).toBe(false)
    expect(await test.lost()).toEqual({ missing: [], orphans: [young] })
    const again = await test.orphans()
    expect(again.files.every(({ freed }) => freed.files === 0)).toBe(true)
  })

  it('are what a killed expire left (rule 33)', async () => {
    const a = await test.add('2024-05-01')
    await test.remove(a)
    // In another name than a test's: one with a UUID.
    const path = `${place()}/data/00000-0-${randomUUID()}-00001.parquet`
    await test.commit({ addFiles: [await test.file('2024-05-02', { filePath: path })] })
    await test.remove(path)
    const stays: FileIO['deleteAll'] = (all) =>
      Promise.resolve({
        failures: all.map((location) => ({ location, error: new Error('killed') })),
        hidden: 0,
      })
    await test.expireOf({ ...test.table, io: { ...test.lake.io, deleteAll: stays } }, test.lake.catalog)
    expect((await test.lost()).orphans).toContain(path)
    wait(4)
    await test.orphans()
    // The test's own file has no writer's name.
    expect(await test.lost()).toEqual({ missing: [], orphans: [a] })
  })

  it('are told by the store’s clock, and by ours where that is behind (rules 10 and 11)', async () => {
    const one = await orphan()
    wait(4)
    const { io } = test.lake
    const atStore = (days: number): ReturnType<typeof test.orphans> =>
      orphansThrough({ now: async (location) => (await io.now(location)) + days * dayMs })
    // To a store whose clock went back the file is two days old.
    await atStore(-2)
    expect(await isThere(one)).toBe(true)
    const young = await orphan()
    wait(2)
    await atStore(9)
    expect(await isThere(one)).toBe(false)
    expect(await isThere(young)).toBe(true)
  })

  it('are no files of other programs, hidden ones or such of other names (rule 14)', async () => {
    const others = [
      await orphan('data/report.parquet'),
      await orphan(`data/${randomUUID()}.csv`),
      await orphan('metadata/catalog.db'),
      await orphan(`data/_temporary/${randomUUID()}.parquet`),
      await orphan(`data/.${randomUUID()}.parquet`),
      await orphan(`elsewhere/${randomUUID()}.parquet`),
      await orphan(`${randomUUID()}.parquet`),
    ]
    wait(4)
    const done = await test.orphans()
    for (const one of others) expect([one, await isThere(one)]).toEqual([one, true])
    expect(done.leftAlone).toMatchObject([{ files: 5, reason: 'no writer of Iceberg gives such names' }])
    expect(done.leftAlone![0]!.examples).toContain(others[0])
  })

  it.each([
    ['a slash too many', (location: string) => location.replace('/data/', '//data//')],
    ['percent-encoding', (location: string) => location.replaceAll('=', '%3D')],
  ])('are none where the listing spells them with %s (rule 15)', async (_, spelled) => {
    const path = `${place()}/data/day=2024-05-01/00000-0-${randomUUID()}-00001.parquet`
    await test.commit({ addFiles: [await test.file('2024-05-01', { filePath: path })] })
    wait(4)
    const deleted: string[] = []
    await orphansThrough({
      async *list(prefix) {
        for await (const stat of test.lake.io.list(prefix))
          yield { ...stat, location: spelled(stat.location) }
      },
      deleteAll: (all) => {
        deleted.push(...all)
        return Promise.resolve({ failures: [], hidden: 0 })
      },
    })
    expect(deleted).toEqual([])
  })

  it('cannot be told where a file that is needed was not listed, or is not there (rules 15 and 16)', async () => {
    const a = await test.add('2024-05-01')
    const stray = await orphan()
    wait(4)
    const listWithout = (left: string): FileIO['list'] =>
      async function* (prefix) {
        for await (const stat of test.lake.io.list(prefix)) if (stat.location !== left) yield stat
      }
    await expect(orphansThrough({ list: listWithout(a) })).rejects.toMatchObject({
      code: 'data',
      message: expect.stringContaining(`${a} is needed and was not listed`) as unknown,
    })
    const list = branchSnapshot(test.table.metadata, 'main')!['manifest-list']
    await expect(orphansThrough({ list: listWithout(list) })).rejects.toThrow('was not listed')
    await test.lake.io.delete(a)
    await expect(test.orphans()).rejects.toThrow(`${a} is needed and is not there`)
    await expect(test.orphans({ isDelete: false })).rejects.toThrow('is not there')
    expect(await isThere(stray)).toBe(true)
  })

  it('are none that a commit needs which came while they were listed (rules 8, 10 and 11)', async () => {
    await test.add('2024-05-01')
    const path = `${place()}/data/00000-0-${randomUUID()}-00001.parquet`
    const staged = await test.file('2024-05-02', { filePath: path })
    wait(4)
    let commits = 0
    // A long job: its file is old, and its commit comes right after the listing, another after the first look.
    const commitOnce = async (): Promise<void> => {
      if (commits++ === 0) await test.commit({ addFiles: [staged] })
    }
    await orphansThrough({
      async *list(prefix) {
        const found: FileStat[] = []
        for await (const stat of test.lake.io.list(prefix)) found.push(stat)
        await commitOnce()
        yield* found
      },
    })
    expect(await isThere(path)).toBe(true)
    expect(await test.lost()).toEqual({ missing: [], orphans: [] })
  })

  it('are none that a pointer needs which moved after it was read (rule 8)', async () => {
    await test.add('2024-05-01')
    const path = `${place()}/data/00000-0-${randomUUID()}-00001.parquet`
    const staged = await test.file('2024-05-02', { filePath: path })
    wait(4)
    let looks = 0
    const catalog: Catalog = {
      ...test.lake.catalog,
      entries: async () => {
        if (looks++ === 0) await test.commit({ addFiles: [staged] })
        return test.lake.catalog.entries()
      },
    }
    await test.orphans({}, catalog)
    expect(looks).toBeGreaterThan(1)
    expect(await isThere(path)).toBe(true)
  })

  it('are no files of another table in the same folders, of whatever catalog (rule 18), nor of a view', async () => {
    await test.add('2024-05-01')
    const old = test.table.metadataLocation!
    const path = `${place()}/data/00000-0-${randomUUID()}-00001.parquet`
    await test.commit({ addFiles: [await test.file('2024-05-02', { filePath: path })] })
    const theirs = test.table.metadataLocation!
    // Ours is put back to before the file: only the other entry has it.
    await test.lake.catalog.drop(webLogs)
    await test.lake.catalog.register(webLogs, old)
    await test.load()
    wait(4)
    await test.orphans({}, withEntries(entry(theirs)))
    expect(await isThere(path)).toBe(true)
    const view = entry(`${place()}/metadata/00000-${randomUUID()}.metadata.json`, { isView: true })
    await test.orphans({}, withEntries(view))
    expect(await isThere(path)).toBe(true)
    const broken = entry(`${place()}/metadata/00000-${randomUUID()}.metadata.json`)
    await expect(test.orphans({}, withEntries(broken))).rejects.toMatchObject({
      code: 'data',
      message: expect.stringContaining('default.theirs of catalog another') as unknown,
    })
    // What was committed since the pointer was put back stays until another commit has come in its place.
    await test.orphans()
    expect(await isThere(path)).toBe(true)
    await test.add('2024-05-03')
    // One beside it, whose name begins as ours, is no neighbour.
    const beside = `${place()}_old/metadata/00000-${randomUUID()}.metadata.json`
    await test.orphans({}, withEntries(entry(beside, { isView: true })))
    expect(await isThere(path)).toBe(false)
  })

  it('are looked for where properties put files before, too', async () => {
    await test.update({ action: 'set-properties', updates: { 'write.data.path': 'memory://hot/t' } })
    await test.update({ action: 'remove-properties', removals: ['write.data.path'] })
    const stray = `memory://hot/t/day=2024-05-01/00000-0-${randomUUID()}-00001.parquet`
    await test.lake.io.write(stray, Buffer.alloc(10))
    wait(4)
    await test.orphans()
    expect(await isThere(stray)).toBe(false)
  })

  it('stay where they are more than a share of the bytes, and the message has the flag (rule 15)', async () => {
    await test.add('2024-05-01')
    const stray = await orphan(undefined, 100_000)
    wait(4)
    await expect(test.orphans({ maxShare: 0.2 })).rejects.toMatchObject({
      code: 'data',
      message: expect.stringMatching(
        /1 files are \d+ % of the folders’ bytes, more than --max-orphans 20%/,
      ) as unknown,
      fix: expect.stringMatching(/--max-orphans \d+%/) as unknown,
    })
    expect((await test.orphans({ maxShare: 0.2, isDelete: false })).refused).toContain('--max-orphans')
    expect(await isThere(stray)).toBe(true)
    const [, share = ''] = /--max-orphans (\d+)%$/.exec(
      (await test.orphans({ maxShare: 0.2, isDelete: false })).refused!,
    )!
    await test.orphans({ maxShare: Number(share) / 100 })
    expect(await isThere(stray)).toBe(false)
  })

  it('stay where gc.enabled is false (rule 40)', async () => {
    await test.update({ action: 'set-properties', updates: { 'gc.enabled': 'false' } })
    const stray = await orphan()
    wait(4)
    await expect(test.orphans()).rejects.toThrow('gc.enabled is false')
    expect((await test.orphans({ isDelete: false })).refused).toContain('gc.enabled')
    expect(await isThere(stray)).toBe(true)
  })

  it('cannot be told where a table was forgotten in the same folders', async () => {
    await orphan()
    wait(4)
    const forget = (location: string): Promise<void> =>
      test.lake.catalog.updateNamespace(['default'], { [forgottenProperty('u')]: location }, [])
    await forget(`${place()}_old`)
    await test.orphans()
    await forget(place())
    await expect(test.orphans()).rejects.toMatchObject({
      message: expect.stringContaining('forgotten') as unknown,
    })
  })

  it('go with unfinished uploads of their age', async () => {
    await test.add('2024-05-01')
    wait(4)
    const now = test.lake.clock.ms
    const uploads = [
      { location: `${place()}/data/a`, size: 5, begunMs: now - 4 * dayMs, id: 'old' },
      { location: `${place()}/data/b`, size: 7, begunMs: now - dayMs, id: 'young' },
      { location: `${place()}/data/c`, size: 9, begunMs: now - 4 * dayMs, id: 'denied' },
    ]
    const gone: string[] = []
    const done = await orphansThrough({
      async *unpublished(prefix) {
        await Promise.resolve()
        yield* uploads.filter(({ location }) => location.startsWith(`${prefix}/`))
      },
      discard: ({ id }) => {
        if (id === 'denied') return Promise.reject(new Error('denied'))
        gone.push(id)
        return Promise.resolve()
      },
    })
    expect(gone).toEqual(['old'])
    expect(done.files.at(-1)).toEqual({
      kind: 'upload',
      before: { files: 3, bytes: 21 },
      after: { files: 2, bytes: 16 },
      freed: { files: 1, bytes: 5 },
    })
    expect(done.notRemoved?.errors).toEqual(['denied'])
  })

  it('are those of one table, though others lie beside it', async () => {
    const other = { namespace: ['default'], name: 'web_logs_2' }
    const staged = await test.lake.catalog.stageCreate(other, byDay)
    const made = await test.lake.catalog.create(staged, [])
    const theirs = `${made.metadata.location}/data/00000-0-${randomUUID()}-00001.parquet`
    await test.lake.io.write(theirs, Buffer.alloc(10))
    wait(4)
    await test.orphans()
    expect(await isThere(theirs)).toBe(true)
    expect(made.metadata.schemas[0]!.fields.length).toBe(webLogsSchema.fields.length)
    await expect(emptyTable(test.lake)).rejects.toMatchObject({ code: 'conflict' })
  })
})

it.each([
  ['00000-0-3f2504e0-4f89-11d3-9a0c-0305e82c3301-00001.parquet', 'data'],
  ['day=2024-05-01/00000-0-3f2504e0-4f89-11d3-9a0c-0305e82c3301.parquet', 'data'],
  ['0110/1010/00000-0-3F2504E0-4F89-11D3-9A0C-0305E82C3301-00001.orc', 'data'],
  ['_a=1/3f2504e0-4f89-11d3-9a0c-0305e82c3301.parquet', 'data'],
  ['20240501_120000_00001_abcde-3f2504e0-4f89-11d3-9a0c-0305e82c3301.parquet', 'data'],
  ['00000-0-3f2504e0-4f89-11d3-9a0c-0305e82c3301-00001-deletes.parquet', 'deletes'],
  ['3f2504e0-4f89-11d3-9a0c-0305e82c3301.puffin', 'deletes'],
  ['00000-0-deadbeef-00001.parquet', undefined],
  ['3f2504e0-4f89-11d3-9a0c-0305e82c3301.parquet.crc', undefined],
  ['.3f2504e0-4f89-11d3-9a0c-0305e82c3301.parquet', undefined],
  ['_delta_log/3f2504e0-4f89-11d3-9a0c-0305e82c3301.parquet', undefined],
])('the name of %s is that of %s', (path, kind) => {
  expect(writtenAs(path, false)).toBe(kind)
})

it.each([
  ['00007-3f2504e0-4f89-11d3-9a0c-0305e82c3301.metadata.json', 'metadata'],
  ['00007-3f2504e0-4f89-11d3-9a0c-0305e82c3301.gz.metadata.json', 'metadata'],
  ['00007-3f2504e0-4f89-11d3-9a0c-0305e82c3301.metadata.json.gz', 'metadata'],
  ['snap-42-1-3f2504e0-4f89-11d3-9a0c-0305e82c3301.avro', 'manifest-list'],
  ['3f2504e0-4f89-11d3-9a0c-0305e82c3301-m0.avro', 'manifest'],
  ['optimized-m-3f2504e0-4f89-11d3-9a0c-0305e82c3301.avro', 'manifest'],
  ['42-3f2504e0-4f89-11d3-9a0c-0305e82c3301.stats', 'statistics'],
  ['partition-stats-42-3f2504e0-4f89-11d3-9a0c-0305e82c3301.parquet', 'statistics'],
  ['version-hint.text', undefined],
  ['v7.metadata.json', undefined],
  ['notes.json', undefined],
])('the name of %s in metadata/ is that of %s', (path, kind) => {
  expect(writtenAs(path, true)).toBe(kind)
})
