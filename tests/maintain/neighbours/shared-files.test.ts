import { describe, expect, it } from '@jest/globals'
import type { Table, TableIdentifier } from '../../../jobs/iceberg/catalog/catalog.ts'
import { nothingReached, reachableFiles } from '../../../jobs/lake/reachable.ts'
import { dropTable } from '../../../jobs/maintain/entry/drop.ts'
import { neighbourhood } from '../../../jobs/maintain/ownership.ts'
import { byDay, commitTo, webLogs } from '../../iceberg/tables.ts'
import { dayMs, eachWithFiles, jobContext } from '../lake-with-files.ts'

const test = eachWithFiles()
const other: TableIdentifier = { namespace: ['default'], name: 'other' }

/** What an entry needs and is not there. */
async function missingOf(identifier: TableIdentifier): Promise<string[]> {
  const table: Table = await test.lake.catalog.load(identifier)
  const missing: string[] = []
  for await (const { kind, location } of reachableFiles(table, nothingReached()))
    if (kind !== 'version-hint' && (await test.lake.io.stat(location)) === undefined) missing.push(location)
  return missing
}

/** How a second entry comes to files in the folder of the first. */
const ways: Readonly<Record<string, () => Promise<void>>> = {
  async 'registered by another name'() {
    await test.lake.catalog.register(other, test.table.metadataLocation!)
    await commitTo(test.lake, await test.lake.catalog.load(other), {
      addFiles: [await test.file('2024-05-05')],
    })
  },
  async 'renamed, with a new table of the old name'() {
    await test.lake.catalog.rename(webLogs, other)
    await test.lake.catalog.create(await test.lake.catalog.stageCreate(webLogs, byDay), [])
    await test.load()
    await test.add('2024-05-05')
  },
  async 'given another location and renamed, with a new table in its old folder'() {
    const before = await test.lake.catalog.load(webLogs)
    const { location } = before.metadata
    await test.update({ action: 'set-location', location: `${location}_moved` })
    await test.lake.catalog.rename(webLogs, other)
    const staged = await test.lake.catalog.stageCreate(webLogs, { ...byDay, location })
    await test.lake.catalog.create(staged, [])
    await test.load()
    await test.add('2024-05-05')
  },
  async 'registered by another name and given another location'() {
    await test.lake.catalog.register(other, test.table.metadataLocation!)
    const { location } = test.table.metadata
    await test.lake.catalog.commit(other, [], [{ action: 'set-location', location: `${location}_moved` }])
    await commitTo(test.lake, await test.lake.catalog.load(other), {
      addFiles: [await test.file('2024-05-05')],
    })
  },
  async 'made in a folder of the table'() {
    const location = `${test.table.metadata.location}/data/inner`
    const staged = await test.lake.catalog.stageCreate(other, { ...byDay, location })
    const outside = { ...staged, metadata: { ...staged.metadata, location: 'memory://lake/elsewhere' } }
    const made = await test.lake.catalog.create(outside, [{ action: 'set-location', location }])
    await commitTo(test.lake, made, { addFiles: [] })
  },
}

const isRenamed = (way: string): boolean => way.includes('renamed')

const operations: Readonly<Record<string, () => Promise<unknown>>> = {
  expire: () => test.expire(),
  orphans: () => test.orphans(),
  drop: () =>
    dropTable(
      webLogs,
      { isPurge: true, dryRun: false, openIO: () => Promise.resolve(test.lake.io) },
      { catalog: test.lake.catalog, neighbours: neighbourhood(test.lake.catalog) },
      jobContext(test.lake),
    ),
}

describe.each(Object.keys(ways))('of two entries that share files, the other %s', (way) => {
  it.each(Object.keys(operations))('neither loses one by %s', async (operation) => {
    const path = await test.add('2024-05-01')
    await test.add('2024-05-02')
    await ways[way]!()
    if (!isRenamed(way)) await test.remove(path)
    await test.add('2024-05-03')
    test.lake.clock.ms += 10 * dayMs
    await operations[operation]!()
    expect(await missingOf(other)).toEqual([])
    if (operation !== 'drop') expect(await missingOf(webLogs)).toEqual([])
  })
})
