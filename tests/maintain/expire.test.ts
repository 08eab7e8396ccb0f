import { describe, expect, it } from '@jest/globals'
import type { Catalog } from '../../jobs/iceberg/catalog/catalog.ts'
import { CommitFailedError, CommitStateUnknownError, NoSuchTableError } from '../../jobs/iceberg/errors.ts'
import { branchSnapshot } from '../../jobs/iceberg/metadata/metadata.ts'
import { planRead } from '../../jobs/lake/read-plan.ts'
import type { FileIO } from '../../jobs/storage/file-io.ts'
import { webLogs } from '../iceberg/tables.ts'
import { dayMs, eachWithFiles, headOf, ref, snapshotsOf } from './lake-with-files.ts'

const test = eachWithFiles()
const head = (): bigint => headOf(test)
const snapshots = (): bigint[] => snapshotsOf(test)
/** The data files of every snapshot that is left, by the snapshot. */
async function rows(): Promise<Map<bigint, string[]>> {
  const all = new Map<bigint, string[]>()
  for (const id of snapshots()) {
    const { files } = await planRead({ name: 't', ...test.table }, { choice: { kind: 'id', id } })
    all.set(id, files.map(({ file }) => file.filePath).sort())
  }
  return all
}
/** The lake's catalog; `before` runs ahead of a commit, `after` behind it. */
const around = (
  before: () => Promise<unknown>,
  after = (): Promise<unknown> => Promise.resolve(),
): Catalog => {
  const { catalog } = test.lake
  return {
    ...catalog,
    async commit(...change) {
      await before()
      const table = await catalog.commit(...change)
      await after()
      return table
    },
  }
}
const whole = { missing: [], orphans: [] }

describe('expire', () => {
  it('removes what no snapshot needs any more, says how much of each kind, and then finds nothing', async () => {
    const a = await test.add('2024-05-01')
    const b = await test.add('2024-05-02')
    await test.remove(a)
    await test.add('2024-05-03')
    const before = await rows()
    const dry = await test.expire({}, { dryRun: true })
    expect(await rows()).toEqual(before)
    const done = await test.expire()
    expect({ ...done, dryRun: true }).toEqual(dry)
    expect(done).toMatchObject({
      operation: 'expire',
      snapshots: { before: 4, after: 1 },
      files: [
        {
          kind: 'data',
          before: { files: 3, bytes: 150 },
          after: { files: 2 },
          freed: { files: 1, bytes: 50 },
        },
        { kind: 'manifest', freed: { files: 2 } },
        { kind: 'manifest-list', before: { files: 4 }, after: { files: 1 }, freed: { files: 3 } },
        { kind: 'metadata', freed: { files: 0 } },
      ],
    })
    expect(await test.lake.io.stat(a)).toBeUndefined()
    expect(await test.lake.io.stat(b)).toBeDefined()
    expect(await rows()).toEqual(new Map([[head(), before.get(head())]]))
    expect(await test.lost()).toEqual(whole)
    const again = await test.expire()
    expect(again.files.every(({ freed }) => freed.files === 0)).toBe(true)
    expect(again.snapshots).toEqual({ before: 1, after: 1 })
  })

  it('keeps what several refs need where one stays (rule 1), and leaves gaps (rule 2)', async () => {
    const a = await test.add('2024-05-01')
    const first = head()
    await test.add('2024-05-02')
    const second = head()
    await test.remove(a)
    await test.add('2024-05-03')
    await test.update(ref('audit', second), ref('first', first, { type: 'tag' }))
    const before = await rows()
    await test.expire()
    expect(snapshots()).toEqual([first, second, head()])
    for (const [id, files] of await rows()) expect(files).toEqual(before.get(id))
    expect(await test.lost()).toEqual(whole)
    // The one between them, then the oldest: each by itself.
    await test.update({ action: 'remove-snapshot-ref', 'ref-name': 'audit' })
    await test.expire()
    expect(snapshots()).toEqual([first, head()])
    expect((await rows()).get(first)).toEqual([a])
    expect(await test.lost()).toEqual(whole)
    await test.update({ action: 'remove-snapshot-ref', 'ref-name': 'first' })
    await test.expire()
    expect(await test.lake.io.stat(a)).toBeUndefined()
    expect(await test.lost()).toEqual(whole)
  })

  it('keeps files that a published snapshot took from one that expires (rule 5)', async () => {
    await test.add('2024-05-01')
    const main = head()
    // Staged on a branch, as a write-audit-publish does, then the same file is put on main by another snapshot.
    const staged = await test.file('2024-05-02')
    await test.update(ref('audit', main))
    await test.commit({ branch: 'audit', startingSnapshotId: main, addFiles: [staged] })
    await test.commit({ startingSnapshotId: main, addFiles: [staged] })
    await test.update({ action: 'remove-snapshot-ref', 'ref-name': 'audit' })
    await test.expire()
    expect(snapshots()).toEqual([head()])
    expect(await test.lake.io.stat(staged.filePath)).toBeDefined()
    expect(await test.lost()).toEqual(whole)
  })

  it('keeps files that a rolled-back commit removed (rule 6), and frees those that it added', async () => {
    const a = await test.add('2024-05-01')
    const before = head()
    await test.remove(a)
    const c = await test.add('2024-05-03')
    await test.update(ref('main', before))
    await test.expire()
    expect(snapshots()).toEqual([before])
    expect(await test.lake.io.stat(a)).toBeDefined()
    expect(await test.lake.io.stat(c)).toBeUndefined()
    expect(await test.lost()).toEqual(whole)
  })

  it('follows the table under a new name and a new schema (rule 17)', async () => {
    const a = await test.add('2024-05-01')
    await test.add('2024-05-02')
    await test.remove(a)
    const [schema] = test.table.metadata.schemas
    const fields = [...schema!.fields, { id: 4, name: 'more', required: false, type: 'long' } as const]
    await test.update(
      { action: 'add-schema', schema: { ...schema!, fields } },
      { action: 'set-current-schema', 'schema-id': -1 },
    )
    const renamed = { namespace: ['default'], name: 'renamed' }
    await test.lake.catalog.rename(webLogs, renamed)
    const loaded = await test.lake.catalog.load(renamed)
    // Another table takes the old name, and a folder of its own.
    await test.lake.catalog.rename(renamed, webLogs)
    expect(loaded.metadata.schemas.length).toBe(2)
    await test.load()
    await test.expire()
    expect(await test.lost()).toEqual(whole)
  })

  it('removes statistics of what expires and keeps the others (rule 12)', async () => {
    await test.add('2024-05-01')
    const first = head()
    await test.add('2024-05-02')
    const location = (name: string): string => `${test.table.metadata.location}/metadata/${name}`
    const statistics = (id: bigint, name: string): object => ({
      'snapshot-id': id,
      'statistics-path': location(name),
      'file-size-in-bytes': 3,
      'file-footer-size-in-bytes': 1,
      'blob-metadata': [],
    })
    for (const name of ['old.stats', 'new.stats', 'old-parts.parquet'])
      await test.lake.io.write(location(name), Buffer.from('abc'))
    await withMember('statistics', [statistics(first, 'old.stats'), statistics(head(), 'new.stats')])
    await withMember('partition-statistics', [statistics(first, 'old-parts.parquet')])
    const done = await test.expire()
    expect(done.files.find(({ kind }) => kind === 'statistics')).toMatchObject({
      before: { files: 3, bytes: 9 },
      freed: { files: 2, bytes: 6 },
    })
    expect(await test.files('.stats')).toEqual([location('new.stats')])
    expect(test.table.metadata).toMatchObject({
      statistics: [{ 'snapshot-id': expect.anything() as unknown }],
      'partition-statistics': [],
    })
    expect(await test.lost()).toEqual(whole)
  })

  it('deletes nothing where the commit is lost, nor where its outcome is not known (rules 31 and 32)', async () => {
    const a = await test.add('2024-05-01')
    await test.remove(a)
    const before = await test.files()
    const failing = (error: Error): Catalog => around(() => Promise.reject(error))
    const unknown = new CommitStateUnknownError('t', 'base', 'next', new Error('gone'))
    await expect(test.expire({}, { catalog: failing(unknown) })).rejects.toBe(unknown)
    await expect(test.expire({}, { catalog: failing(new CommitFailedError('lost')) })).rejects.toThrow('lost')
    expect(await test.files()).toEqual(before)
    expect(snapshots().length).toBe(2)
  })

  it('leaves what is not removed after the commit to be found: killed there, or refused by the store (rules 33 and 34)', async () => {
    const a = await test.add('2024-05-01')
    await test.remove(a)
    await test.add('2024-05-02')
    const stopped = new AbortController()
    const catalog = around(
      () => Promise.resolve(),
      () => {
        stopped.abort(new Error('stopped'))
        return Promise.resolve()
      },
    )
    await expect(test.expire({}, { catalog, context: { signal: stopped.signal } })).rejects.toThrow('stopped')
    expect(snapshots().length).toBe(1)
    expect(await test.lost()).toMatchObject({ missing: [], orphans: expect.arrayContaining([a]) as unknown })

    const b = await test.add('2024-05-03')
    await test.remove(b)
    const refusing: FileIO = {
      ...test.lake.io,
      deleteAll: async (locations, signal) => {
        const { hidden } = await test.lake.io.deleteAll(
          locations.filter((one) => one !== b),
          signal,
        )
        return { failures: [{ location: b, error: new Error('denied') }], hidden }
      },
    }
    const through: Catalog = {
      ...test.lake.catalog,
      load: async (name) => ({ ...(await test.lake.catalog.load(name)), io: refusing }),
    }
    await test.load()
    const done = await test.expireOf({ ...test.table, io: refusing }, through)
    expect(done.notRemoved).toEqual({ files: 1, bytes: 50, errors: ['denied'] })
    expect(done.files.find(({ kind }) => kind === 'data')).toMatchObject({
      after: { files: 2 },
      freed: { files: 0 },
    })
    expect(snapshots().length).toBe(1)
  })

  it('takes what is not there any more for done (rule 32)', async () => {
    const a = await test.add('2024-05-01')
    await test.remove(a)
    await test.lake.io.delete(a)
    expect((await test.expire()).notRemoved).toBeUndefined()
  })

  it('is refused before it changes anything where a kept manifest is lost, and goes on without a lost old one', async () => {
    const a = await test.add('2024-05-01')
    await test.remove(a)
    await test.add('2024-05-02')
    const [old] = test.table.metadata.snapshots
    await test.lake.io.delete(old!['manifest-list'])
    const done = await test.expire()
    expect(done.snapshots).toEqual({ before: 3, after: 1 })
    expect(done.notRemoved).toMatchObject({
      files: 0,
      errors: [expect.stringContaining(String(old!['snapshot-id']))],
    })
    await test.add('2024-05-03')
    await test.lake.io.delete(branchSnapshot(test.table.metadata, 'main')!['manifest-list'])
    const before = test.table.metadataLocation
    await expect(test.expire()).rejects.toMatchObject({ code: 'data' })
    expect(test.table.metadataLocation).toBe(before)
  })

  it('gives way to what others commit in between: commits, tags and branches (rule 8)', async () => {
    const a = await test.add('2024-05-01')
    const first = head()
    // Has the first one's file, too.
    const b = await test.add('2024-05-02')
    const second = head()
    await test.remove(a, b)
    const third = head()
    let times = 0
    const meanwhile = async (): Promise<void> => {
      if (++times > 1) return
      await test.lake.catalog.commit(webLogs, [], [ref('first', first, { type: 'tag' })])
    }
    // The plan has the tagged snapshot; the commit finds that out, and what it has stays.
    await test.expire({}, { catalog: around(meanwhile) })
    expect(times).toBe(2)
    expect(snapshots()).toEqual([first, third])
    expect(snapshots()).not.toContain(second)
    expect(await test.lost()).toEqual(whole)
    expect((await rows()).get(first)).toEqual([a])
    expect(await test.lake.io.stat(b)).toBeUndefined()
  })

  it('keeps what a commit after its own needs, though that brought old snapshots back (rule 8)', async () => {
    const a = await test.add('2024-05-01')
    await test.remove(a)
    await test.add('2024-05-02')
    const restored = test.table
    let isBack = false
    // A catalog that somebody restores from its backup right after the commit.
    const catalog: Catalog = {
      ...test.lake.catalog,
      async commit(...change) {
        const table = await test.lake.catalog.commit(...change)
        isBack = true
        return table
      },
      load: async (name) => (isBack ? restored : test.lake.catalog.load(name)),
    }
    const done = await test.expire({}, { catalog })
    expect(done.files.every(({ freed }) => freed.files === 0)).toBe(true)
    expect(await test.lake.io.stat(a)).toBeDefined()
  })

  it('deletes nothing of a table that is dropped, renamed or replaced after the commit', async () => {
    const a = await test.add('2024-05-01')
    await test.remove(a)
    const before = await test.files('/data/')
    let isGone = false
    const then = (load: Catalog['load']): Catalog => ({
      ...around(
        () => Promise.resolve(),
        () => Promise.resolve((isGone = true)),
      ),
      load: (name) => (isGone ? load(name) : test.lake.catalog.load(name)),
    })
    const dropped = then(() => Promise.reject(new NoSuchTableError('t')))
    const done = await test.expire({}, { catalog: dropped })
    expect(done.leftAlone?.[0]?.reason).toBe('the table was dropped, renamed or replaced meanwhile')
    isGone = false
    await test.remove(await test.add('2024-05-02'))
    const other = { ...test.table, metadata: { ...test.table.metadata, 'table-uuid': 'another' } }
    const replaced = await test.expire({}, { catalog: then(() => Promise.resolve(other)) })
    expect(replaced.leftAlone?.[0]?.reason).toBe('the table was dropped, renamed or replaced meanwhile')
    expect(await test.files('/data/')).toEqual(expect.arrayContaining(before))
  })

  it('says how many files a bucket with versions only hides', async () => {
    const a = await test.add('2024-05-01')
    await test.remove(a)
    const io: FileIO = {
      ...test.lake.io,
      deleteAll: async (locations) => ({
        ...(await test.lake.io.deleteAll(locations)),
        hidden: locations.length,
      }),
    }
    expect((await test.expireOf({ ...test.table, io }, test.lake.catalog)).hidden).toBe(3)
  })

  it('keeps the row lineage of a table of version 3', async () => {
    const a = await test.add('2024-05-01')
    await test.remove(a)
    await test.add('2024-05-02')
    const lineage = { 'format-version': 3, 'next-row-id': 9_007_199_254_740_993n }
    await rewriteMetadata((text) =>
      text.replace('"format-version":2', `"format-version":3,"next-row-id":${lineage['next-row-id']}`),
    )
    expect(test.table.metadata).toMatchObject(lineage)
    await test.expire()
    expect(snapshots().length).toBe(1)
    await test.load()
    expect(test.table.metadata).toMatchObject(lineage)
    expect(await test.lake.io.stat(a)).toBeUndefined()
    expect(await test.lost()).toEqual(whole)
  })

  it('is refused for version 1', async () => {
    await test.add('2024-05-01')
    const loaded = { ...test.table, metadata: { ...test.table.metadata, 'format-version': 1 } }
    await expect(test.expireOf(loaded, test.lake.catalog)).rejects.toMatchObject({
      code: 'data',
      fix: expect.stringContaining('--upgrade') as unknown,
    })
  })

  it('keeps the snapshot before a loss of rows whose writer left totals out', async () => {
    const paths = [await test.add('2024-05-01', 100), await test.add('2024-05-02', 1)]
    const full = head()
    await test.remove(paths[0]!)
    await rewriteMetadata((text) => text.replace(/"total-records":"\d+"/g, '"left-out":"1"'))
    const done = await test.expire({ keepBeforeShrinkMs: 30 * dayMs })
    expect(done.keptBeforeShrink).toEqual([String(full)])
    expect(snapshots()).toEqual([full, head()])
    expect(await test.lake.io.stat(paths[0]!)).toBeDefined()
    test.lake.clock.ms += 31 * dayMs
    await test.expire({ keepBeforeShrinkMs: 30 * dayMs })
    expect(snapshots()).toEqual([head()])
  })
})

/** What other writers have in the metadata: in the file that the catalog points to, and in a table loaded anew. */
async function withMember(name: string, value: readonly object[]): Promise<void> {
  const text = JSON.stringify(value, (_, one: unknown) =>
    typeof one === 'bigint' ? `${one}n` : one,
  ).replace(/"(\d+)n"/g, '$1')
  await rewriteMetadata((before) => `${before.slice(0, -1)},"${name}":${text}}`)
}

async function rewriteMetadata(change: (text: string) => string): Promise<void> {
  const { io } = test.lake
  // Under a name of its own: the catalog remembers what it has read.
  await test.update({ action: 'set-properties', updates: { rewritten: 'true' } })
  const location = test.table.metadataLocation!
  await io.write(location, Buffer.from(change((await io.read(location)).toString())))
  await test.reopen()
}
