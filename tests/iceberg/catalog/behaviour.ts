import { beforeEach, describe, expect, it } from '@jest/globals'
import type { Catalog, TableIdentifier } from '../../../jobs/iceberg/catalog/catalog.ts'
import { commitSnapshot } from '../../../jobs/iceberg/snapshot/commit.ts'
import {
  CommitFailedError,
  NamespaceAlreadyExistsError,
  NoSuchNamespaceError,
  NoSuchTableError,
  TableAlreadyExistsError,
} from '../../../jobs/iceberg/errors.ts'
import type { TableUpdate } from '../../../jobs/iceberg/metadata/updates.ts'
import { byDay, dataFile, dayNumber, request, webLogsSchema, type Lake } from '../tables.ts'

/** What every catalog does; `open` gives a lake with an empty catalog of its own. */
export function catalogBehaviour(open: () => Promise<Lake>): void {
  let lake: Lake
  let catalog: Catalog
  const table: TableIdentifier = { namespace: ['shop', 'eu'], name: 'Orders "2024"' }

  beforeEach(async () => {
    lake = await open()
    catalog = lake.catalog
    await catalog.createNamespace(table.namespace)
  })

  const create = async (identifier = table): Promise<void> => {
    await catalog.create(await catalog.stageCreate(identifier, { schema: webLogsSchema }), [])
  }
  const set = (key: string, value: string): TableUpdate[] => [
    { action: 'set-properties', updates: { [key]: value } },
  ]

  describe('tables', () => {
    it('are staged unseen, created, loaded, listed, and dropped without their files', async () => {
      const staged = await catalog.stageCreate(table, byDay)
      await expect(catalog.load(table)).rejects.toBeInstanceOf(NoSuchTableError)
      const created = await catalog.create(staged, set('a', '1'))
      expect(created.metadata.location).toBe('memory://lake/shop.eu/Orders "2024"')
      expect(created.metadata.properties['a']).toBe('1')
      expect(created.metadata['table-uuid']).toBe(staged.metadata['table-uuid'])
      const loaded = await catalog.load(table)
      expect(loaded.metadata).toEqual(created.metadata)
      expect(loaded.metadataLocation).toBe(created.metadataLocation)
      expect(await catalog.listTables(table.namespace)).toEqual([table])
      await catalog.drop(table)
      await expect(catalog.load(table)).rejects.toBeInstanceOf(NoSuchTableError)
      await expect(catalog.drop(table)).rejects.toBeInstanceOf(NoSuchTableError)
      expect(await catalog.listTables(table.namespace)).toEqual([])
      expect((await lake.io.stat(created.metadataLocation!))?.size).toBeGreaterThan(0)
    })

    it('are created once: the loser’s metadata file goes away again', async () => {
      const [first, second] = [
        await catalog.stageCreate(table, { schema: webLogsSchema }),
        await catalog.stageCreate(table, { schema: webLogsSchema }),
      ]
      const results = await Promise.allSettled([catalog.create(first, []), catalog.create(second, [])])
      expect(results.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected'])
      expect(results.find((result) => result.status === 'rejected')?.reason).toBeInstanceOf(
        TableAlreadyExistsError,
      )
      const files: string[] = []
      for await (const { location } of lake.io.list('memory://lake')) files.push(location)
      expect(files).toEqual([(await catalog.load(table)).metadataLocation])
      await expect(create()).rejects.toBeInstanceOf(TableAlreadyExistsError)
    })

    it('need their namespace', async () => {
      const elsewhere = { namespace: ['nowhere'], name: 'a' }
      await expect(create(elsewhere)).rejects.toBeInstanceOf(NoSuchNamespaceError)
      await expect(catalog.listTables(['nowhere'])).rejects.toBeInstanceOf(NoSuchNamespaceError)
      await create()
      await expect(catalog.rename(table, elsewhere)).rejects.toBeInstanceOf(NoSuchNamespaceError)
    })

    it('are not created in a namespace that was dropped meanwhile', async () => {
      const staged = await catalog.stageCreate(table, { schema: webLogsSchema })
      await catalog.dropNamespace(table.namespace)
      await expect(catalog.create(staged, [])).rejects.toBeInstanceOf(NoSuchNamespaceError)
    })

    it('are registered by a metadata file, never over another, and are among all entries', async () => {
      await create()
      const { metadataLocation } = await catalog.load(table)
      const again = { namespace: table.namespace, name: 'again' }
      await expect(catalog.register(table, metadataLocation!)).rejects.toBeInstanceOf(TableAlreadyExistsError)
      const elsewhere = { ...again, namespace: ['nowhere'] }
      await expect(catalog.register(elsewhere, metadataLocation!)).rejects.toBeInstanceOf(
        NoSuchNamespaceError,
      )
      await expect(catalog.register(again, 'memory://lake/none.metadata.json')).rejects.toMatchObject({
        code: 'data',
      })
      expect(await catalog.listTables(table.namespace)).toEqual([table])
      expect((await catalog.register(again, metadataLocation!)).metadata).toEqual(
        (await catalog.load(table)).metadata,
      )
      const ours = (await catalog.entries()).filter((entry) => entry.metadataLocation === metadataLocation)
      expect(ours.map(({ name, namespace, isView }) => [namespace, name, isView]).sort()).toEqual(
        [
          ['shop.eu', 'again', false],
          ['shop.eu', table.name, false],
        ].sort(),
      )
      expect(new Set(ours.map((entry) => entry.catalog))).toEqual(new Set([catalog.name]))
    })

    it('lie where the namespace’s location property says', async () => {
      await catalog.updateNamespace(table.namespace, { location: 'memory://elsewhere/shop/' }, [])
      await create()
      expect((await catalog.load(table)).metadata.location).toBe('memory://elsewhere/shop/Orders "2024"')
    })

    it('lie in the warehouse where that property is empty', async () => {
      await catalog.updateNamespace(table.namespace, { location: '' }, [])
      await create()
      expect((await catalog.load(table)).metadata.location).toBe('memory://lake/shop.eu/Orders "2024"')
    })

    it('are renamed across namespaces, never over another', async () => {
      await create()
      await catalog.createNamespace(['b'])
      const other = { namespace: ['b'], name: 'c' }
      const { metadataLocation } = await catalog.load(table)
      await catalog.rename(table, other)
      expect((await catalog.load(other)).metadataLocation).toBe(metadataLocation)
      await expect(catalog.rename(table, other)).rejects.toBeInstanceOf(NoSuchTableError)
      await create()
      await expect(catalog.rename(table, other)).rejects.toBeInstanceOf(TableAlreadyExistsError)
    })

    it('lie where they are told, whatever the namespace says, without a trailing slash', async () => {
      const staged = await catalog.stageCreate(table, { ...byDay, location: 'memory://other/place//' })
      const { metadata, metadataLocation } = await catalog.create(staged, [])
      expect(metadata.location).toBe('memory://other/place')
      expect(metadataLocation).toMatch(/^memory:\/\/other\/place\/metadata\/00000-/)
    })

    it('of a name that was another’s before lie in a folder of their own', async () => {
      await create()
      const other = { ...table, name: 'renamed' }
      await catalog.rename(table, other)
      await create()
      const { metadata } = await catalog.load(table)
      expect(metadata.location).toBe(`memory://lake/shop.eu/Orders "2024"-${metadata['table-uuid']}`)
      expect((await catalog.load(other)).metadata.location).toBe('memory://lake/shop.eu/Orders "2024"')
      await catalog.commit(table, [], set('which', 'new'))
      await catalog.commit(other, [], set('which', 'old'))
      await catalog.drop(table)
      expect((await catalog.load(other)).metadata.properties['which']).toBe('old')
    })

    it('lie beside what lies below their usual place, and never inside another’s', async () => {
      const below = await catalog.stageCreate(
        { ...table, name: 'below' },
        { schema: webLogsSchema, location: 'memory://lake/shop.eu/a/b/' },
      )
      await catalog.create(below, [])
      await create({ ...table, name: 'a' })
      expect((await catalog.load({ ...table, name: 'a' })).metadata.location).toMatch(/\/a-[-0-9a-f]{36}$/)
      // A name that only begins alike is another place.
      await create({ ...table, name: 'a-' })
      expect((await catalog.load({ ...table, name: 'a-' })).metadata.location).toBe(
        'memory://lake/shop.eu/a-',
      )
      await catalog.updateNamespace(table.namespace, { location: 'memory://lake/shop.eu/a/b/c' }, [])
      await expect(create()).rejects.toMatchObject({
        code: 'usage',
        field: expect.stringContaining('/a/b/c') as unknown,
      })
    })

    it('that were to lie in one place are not both made there', async () => {
      await catalog.createNamespace(['twin'], { location: 'memory://lake/shop.eu' })
      const twin = { namespace: ['twin'], name: table.name }
      const staged = [table, twin].map((name) => catalog.stageCreate(name, { schema: webLogsSchema }))
      const [first, second] = await Promise.all(staged)
      await catalog.create(first!, [])
      await expect(catalog.create(second!, [])).rejects.toMatchObject({ code: 'conflict' })
      await create(twin)
      expect((await catalog.load(twin)).metadata.location).toMatch(/\/Orders "2024"-[-0-9a-f]{36}$/)
    })

    it('whose metadata file is gone say so, and can be dropped', async () => {
      await create()
      const { metadataLocation } = await catalog.load(table)
      await lake.io.delete(metadataLocation!)
      // Under a name by which nobody has read it yet.
      const other = { ...table, name: 'renamed' }
      await catalog.rename(table, other)
      await expect(catalog.load(other)).rejects.toThrow(metadataLocation!)
      await catalog.drop(other)
      await expect(catalog.load(other)).rejects.toBeInstanceOf(NoSuchTableError)
    })

    it('refuse names that other catalogs could not tell apart', async () => {
      for (const identifier of [
        { namespace: [], name: 'a' },
        { namespace: ['a.b'], name: 'a' },
        { namespace: ['a'], name: 'x'.repeat(256) },
      ])
        await expect(catalog.stageCreate(identifier, { schema: webLogsSchema })).rejects.toMatchObject({
          code: 'usage',
        })
    })
  })

  describe('commits', () => {
    it('write one metadata file each and log the previous', async () => {
      await create()
      const before = await catalog.load(table)
      const after = await catalog.commit(table, [], set('a', '1'))
      expect(after.metadataLocation).toMatch(/\/00001-[-0-9a-f]{36}\.metadata\.json$/)
      expect(after.metadata['metadata-log']).toEqual([
        { 'timestamp-ms': before.metadata['last-updated-ms'], 'metadata-file': before.metadataLocation },
      ])
      expect((await catalog.load(table)).metadata).toEqual(after.metadata)
    })

    it('write metadata where write.metadata.path says now', async () => {
      await create()
      const away = await catalog.commit(table, [], set('write.metadata.path', 'memory://lake/apart/'))
      expect(away.metadataLocation).toMatch(/^memory:\/\/lake\/apart\/00001-/)
      const home: TableUpdate[] = [{ action: 'remove-properties', removals: ['write.metadata.path'] }]
      const { metadataLocation } = await catalog.commit(table, [], home)
      expect(metadataLocation).toMatch(/\/Orders "2024"\/metadata\/00002-/)
    })

    it('check their requirements and then change nothing', async () => {
      await create()
      const before = await catalog.load(table)
      await expect(
        catalog.commit(table, [{ type: 'assert-table-uuid', uuid: 'x' }], set('a', '1')),
      ).rejects.toBeInstanceOf(CommitFailedError)
      await expect(catalog.commit(table, [{ type: 'assert-create' }], set('a', '1'))).rejects.toBeInstanceOf(
        CommitFailedError,
      )
      expect((await catalog.load(table)).metadataLocation).toBe(before.metadataLocation)
      await expect(catalog.commit({ ...table, name: 'none' }, [], set('a', '1'))).rejects.toBeInstanceOf(
        NoSuchTableError,
      )
    })

    it('of many at once are all or nothing each: a linear history, every row counted once', async () => {
      await catalog.createNamespace(['default']).catch(() => undefined)
      const staged = await catalog.stageCreate(table, {
        ...byDay,
        properties: { 'commit.retry.num-retries': '50', 'commit.retry.min-wait-ms': '1' },
      })
      const started = await catalog.create(staged, [])
      const writers = 6
      await Promise.all(
        Array.from({ length: writers }, (_, i) =>
          commitSnapshot(
            catalog,
            started,
            request(started, { addFiles: [dataFile(started, { count: 1 }, [dayNumber('2024-05-01') + i])] }),
            lake.effects,
          ),
        ),
      )
      const { metadata } = await catalog.load(table)
      expect(metadata.snapshots.map((snapshot) => snapshot['sequence-number'])).toEqual([1, 2, 3, 4, 5, 6])
      expect(metadata.snapshots.map((snapshot) => snapshot['parent-snapshot-id'])).toEqual([
        undefined,
        ...metadata.snapshots.slice(0, -1).map((snapshot) => snapshot['snapshot-id']),
      ])
      expect(metadata.snapshots.at(-1)!.summary['total-records']).toBe(String(writers))
    })
  })

  describe('namespaces', () => {
    it('are told apart by every character, wildcards and escapes among them', async () => {
      const names = ['a_b', 'a%', 'a\\b', "a'b", 'a!b', 'ä b']
      for (const name of names) await catalog.createNamespace([name], { name })
      for (const name of ['aXb', 'aXX', 'a', 'A_B', 'b'])
        await expect(catalog.namespaceProperties([name])).rejects.toBeInstanceOf(NoSuchNamespaceError)
      for (const name of names) expect(await catalog.namespaceProperties([name])).toEqual({ name })
      const listed = (await catalog.listNamespaces()).map(([name]) => name)
      expect(listed).toEqual(expect.arrayContaining(names))
      await catalog.dropNamespace(['a_b'])
      expect(await catalog.namespaceProperties(['a%'])).toEqual({ name: 'a%' })
    })

    it('that share a prefix are no children of each other', async () => {
      await catalog.createNamespace(['sho'])
      await catalog.createNamespace(['shopping'])
      await catalog.dropNamespace(['sho'])
      await catalog.dropNamespace(table.namespace)
      expect(await catalog.listNamespaces()).toEqual([['shopping']])
    })

    it('exist by themselves, by their tables and by their children', async () => {
      expect(await catalog.listNamespaces()).toEqual([['shop', 'eu']])
      expect(await catalog.namespaceProperties(['shop'])).toEqual({})
      await expect(catalog.namespaceProperties(['sho'])).rejects.toBeInstanceOf(NoSuchNamespaceError)
      await expect(catalog.createNamespace(table.namespace)).rejects.toBeInstanceOf(
        NamespaceAlreadyExistsError,
      )
    })

    it('keep properties, and exist on after the last was removed', async () => {
      await catalog.createNamespace(['a'], { owner: 'x', comment: "it's" })
      await catalog.updateNamespace(['a'], { owner: 'y' }, ['comment', 'none'])
      expect(await catalog.namespaceProperties(['a'])).toEqual({ owner: 'y' })
      await catalog.updateNamespace(['a'], {}, ['owner'])
      expect(await catalog.namespaceProperties(['a'])).toEqual({ exists: 'true' })
    })

    it('are dropped when empty only', async () => {
      await create()
      await expect(catalog.dropNamespace(table.namespace)).rejects.toMatchObject({ code: 'conflict' })
      await expect(catalog.dropNamespace(['shop'])).rejects.toMatchObject({ code: 'conflict' })
      await catalog.drop(table)
      await catalog.dropNamespace(table.namespace)
      await expect(catalog.dropNamespace(table.namespace)).rejects.toBeInstanceOf(NoSuchNamespaceError)
    })
  })
}
