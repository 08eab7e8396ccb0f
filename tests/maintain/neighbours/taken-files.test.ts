import { randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import type { Catalog, CatalogEntry, TableIdentifier } from '../../../jobs/iceberg/catalog/catalog.ts'
import type { DataFile } from '../../../jobs/iceberg/manifest/data-file.ts'
import { neighbourhood } from '../../../jobs/maintain/ownership.ts'
import { eachWithFiles, dayMs } from '../lake-with-files.ts'

const test = eachWithFiles()
const taker: TableIdentifier = { namespace: ['elsewhere'], name: 'taker' }
const exists = async (file: DataFile): Promise<boolean> =>
  (await test.lake.io.stat(file.filePath)) !== undefined

/** As writers name them. */
const named = (day: string): Promise<DataFile> =>
  test.file(day, {
    filePath: `${test.table.metadata.location}/data/00000-0-${randomUUID()}-00001.parquet`,
  })

/** Two files that the table has removed, of which another table took one, as PyIceberg's `add_files` does. */
async function takenAndGone(): Promise<{ readonly taken: DataFile; readonly gone: DataFile }> {
  await test.add('2024-05-03')
  const [taken, gone] = [await named('2024-05-01'), await named('2024-05-02')]
  await test.commit({ addFiles: [taken, gone] })
  await test.lake.catalog.createNamespace(['elsewhere']).catch(() => undefined)
  await test.otherWith(taker, taken)
  await test.remove(taken.filePath, gone.filePath)
  return { taken, gone }
}

/** The taker's entry as one of another catalog name, as it is or with other metadata. */
const through = (change: (entry: CatalogEntry) => Partial<CatalogEntry>): Catalog => ({
  ...test.lake.catalog,
  entries: async () =>
    (await test.lake.catalog.entries()).map((entry) =>
      entry.name === 'taker' ? { ...entry, ...change(entry) } : entry,
    ),
})
const anotherName = () => through(() => ({ catalog: 'another' }))
const unreadable = () =>
  through(() => ({ metadataLocation: 'memory://lost/t/metadata/00001-x.metadata.json' }))
const unreadableText = /elsewhere.taker of catalog local may need some of the files/

describe('a file that a table elsewhere has taken', () => {
  it.each([
    ['the catalog', () => test.lake.catalog],
    ['a catalog of another name', anotherName],
  ])('is not removed by expire, of %s; others are, and it is said', async (_, catalog) => {
    const { taken, gone } = await takenAndGone()
    const dry = await test.expire({}, { catalog: catalog(), dryRun: true })
    const done = await test.expire({}, { catalog: catalog() })
    expect([await exists(taken), await exists(gone)]).toEqual([true, false])
    expect(done.leftAlone).toEqual([
      {
        files: 1,
        bytes: taken.fileSizeInBytes,
        reason: expect.stringMatching(/needed by elsewhere.taker of catalog (local|another)$/) as unknown,
      },
    ])
    expect(dry.leftAlone).toEqual(done.leftAlone)
  })

  it.each([
    ['the catalog', () => test.lake.catalog],
    ['a catalog of another name', anotherName],
  ])('is no orphan, of %s', async (_, catalog) => {
    const { taken } = await takenAndGone()
    await test.expire({}, { catalog: test.lake.catalog })
    const orphan = await named('2024-05-09')
    test.lake.clock.ms += 10 * dayMs
    const done = await test.orphans({}, catalog())
    expect([await exists(taken), await exists(orphan)]).toEqual([true, false])
    expect(done.leftAlone).toMatchObject([{ files: 1, reason: expect.stringContaining('taker') as unknown }])
  })

  it('stays, with all others, where that table cannot be read, and orphans are refused', async () => {
    const { taken, gone } = await takenAndGone()
    const before = await test.files()
    const done = await test.expire({}, { catalog: unreadable() })
    expect(before.filter((file) => !file.endsWith('.json'))).toEqual(
      (await test.files()).filter((file) => !file.endsWith('.json')),
    )
    expect(done.leftAlone).toMatchObject([
      { files: 5, reason: expect.stringMatching(unreadableText) as unknown },
    ])
    test.lake.clock.ms += 10 * dayMs
    expect((await test.orphans({ isDelete: false }, unreadable())).refused).toMatch(unreadableText)
    await expect(test.orphans({}, unreadable())).rejects.toThrow(unreadableText)
    expect([await exists(taken), await exists(gone)]).toEqual([true, true])
    await test.orphans()
    expect([await exists(taken), await exists(gone)]).toEqual([true, false])
  })

  it('is seen of a table whose folder is around, too', async () => {
    await test.add('2024-05-03')
    const file = await test.file('2024-05-01')
    await test.commit({ addFiles: [file] })
    const { catalog } = test.lake
    await catalog.createNamespace(['elsewhere']).catch(() => undefined)
    const made = await test.otherWith(taker, file)
    const around = test.table.metadata.location.slice(0, test.table.metadata.location.lastIndexOf('/'))
    await catalog.commit(made.identifier, [], [{ action: 'set-location', location: around }])
    await test.remove(file.filePath)
    await test.expire()
    expect(await exists(file)).toBe(true)
  })

  it('costs nothing where nothing would go, and each table is read once in a run', async () => {
    await takenAndGone()
    const read: string[] = []
    const io = {
      ...test.lake.io,
      read: (location: string) => {
        read.push(location)
        return test.lake.io.read(location)
      },
    }
    const other = await test.lake.catalog.load(taker)
    const catalog: Catalog = {
      ...test.lake.catalog,
      load: async (...given) => ({ ...(await test.lake.catalog.load(...given)), io }),
    }
    const lists = () =>
      read.filter((location) => other.metadata.snapshots.some((one) => one['manifest-list'] === location))
    const loaded = await catalog.load(test.table.identifier)
    await test.expireOf(loaded, catalog)
    expect(lists()).toHaveLength(1)
    read.length = 0
    await test.expireOf(await catalog.load(test.table.identifier), catalog)
    expect(lists()).toEqual([])
    const neighbours = neighbourhood(catalog)
    for (let tables = 0; tables < 2; tables++)
      for (const one of await neighbours(await catalog.load(test.table.identifier))) await one.strays()
    expect(lists()).toHaveLength(1)
  })
})
