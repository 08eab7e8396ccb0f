import { randomUUID } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import type { TableIdentifier } from '../../../jobs/iceberg/catalog/catalog.ts'
import { dropTable } from '../../../jobs/maintain/entry/drop.ts'
import { forgetTable } from '../../../jobs/maintain/entry/forget.ts'
import { neighbourhood } from '../../../jobs/maintain/ownership.ts'
import { readMetadataFile } from '../../../jobs/iceberg/catalog/stored/metadata-file.ts'
import { reachableFiles } from '../../../jobs/lake/reachable.ts'
import { dayMs, eachWithFiles, jobContext } from '../lake-with-files.ts'

const test = eachWithFiles()
const other: TableIdentifier = { namespace: ['elsewhere'], name: 'other' }

/** Makes `other`, far from the table, with a file that lies in the table's folder; the file and the entry's pointer. */
async function otherHas(day: string): Promise<{ readonly file: string; readonly pointer: string }> {
  const file = await test.file(day, {
    filePath: `${test.table.metadata.location}/data/00000-0-${randomUUID()}-00001.parquet`,
  })
  await test.lake.catalog.createNamespace(other.namespace).catch(() => undefined)
  await test.otherWith(other, file)
  const { metadataLocation } = await test.lake.catalog.load(other)
  return { file: file.filePath, pointer: metadataLocation! }
}

const forget = (): Promise<readonly string[]> => forgetTable(other, false, test.lake.catalog)
const isThere = async (location: string): Promise<boolean> =>
  (await test.lake.io.stat(location)) !== undefined

const operations: Readonly<Record<string, () => Promise<unknown>>> = {
  expire: () => test.expire(),
  orphans: () => test.orphans(),
  drop: () =>
    dropTable(
      test.table.identifier,
      { isPurge: true, dryRun: false, openIO: () => Promise.resolve(test.lake.io) },
      { catalog: test.lake.catalog, neighbours: neighbourhood(test.lake.catalog) },
      jobContext(test.lake),
    ),
}

describe.each(Object.keys(operations))('what a forgotten table needs, by %s of another', (operation) => {
  it('stays in the other’s folder, too', async () => {
    await test.add('2024-05-01')
    const { file, pointer } = await otherHas('2024-05-02')
    await test.commit({
      addFiles: [await test.file('2024-05-02', { filePath: file })],
    })
    await test.remove(file)
    await forget()
    test.lake.clock.ms += 10 * dayMs
    await operations[operation]!()
    const metadata = await readMetadataFile(test.lake.io, pointer)
    const table = { metadata, metadataLocation: pointer, io: test.lake.io }
    for await (const { kind, location } of reachableFiles(table))
      if (kind !== 'version-hint') expect([location, await isThere(location)]).toEqual([location, true])
  })
})

describe('a forgotten table', () => {
  it('keeps orphans from being removed where it had its data in the same folder', async () => {
    await test.add('2024-05-01')
    await otherHas('2024-05-02')
    const data = `${test.table.metadata.location}/data`
    const update = { action: 'set-properties', updates: { 'write.data.path': `${data}/inner` } } as const
    await test.lake.catalog.commit(other, [], [update])
    await forget()
    test.lake.clock.ms += 10 * dayMs
    await expect(test.orphans()).rejects.toThrow('a table that was forgotten lies at')
  })

  it('is nobody’s hindrance where its metadata file is gone, or it was registered again by others', async () => {
    await test.add('2024-05-01')
    const { file, pointer } = await otherHas('2024-05-02')
    await forget()
    test.lake.clock.ms += 10 * dayMs
    await test.orphans()
    expect(await isThere(file)).toBe(true)
    await test.lake.catalog.register({ ...other, name: 'again' }, pointer)
    const neighbours = await neighbourhood(test.lake.catalog)(test.table)
    expect(neighbours.map(({ entry, forgotten }) => [entry.name, forgotten])).toEqual([['again', undefined]])
    await test.lake.catalog.drop({ ...other, name: 'again' }, undefined)
    await test.lake.io.delete(pointer)
    await test.orphans()
    expect(await isThere(file)).toBe(false)
  })

  it('is looked out for beside another entry of the same table-uuid, too', async () => {
    await test.add('2024-05-01')
    const { identifier, metadataLocation } = test.table
    const copy = { namespace: other.namespace, name: 'copy' }
    await test.lake.catalog.createNamespace(other.namespace).catch(() => undefined)
    await test.lake.catalog.register(copy, metadataLocation!)
    await test.lake.catalog.commit(copy, [], [{ action: 'set-location', location: 'memory://lake/far' }])
    await forgetTable(copy, false, test.lake.catalog)
    const neighbours = await neighbourhood(test.lake.catalog)({ io: test.lake.io, identifier })
    expect(neighbours.map(({ entry }) => entry.name)).toEqual(['copy (forgotten)'])
  })

  it('keeps orphans from being removed where it was another entry of the table and has gone on since', async () => {
    await test.add('2024-05-01')
    const { metadataLocation, metadata } = test.table
    const copy = { namespace: other.namespace, name: 'copy' }
    await test.lake.catalog.createNamespace(other.namespace).catch(() => undefined)
    await test.lake.catalog.register(copy, metadataLocation!)
    const updates = { 'write.data.path': `${metadata.location}/data/inner` }
    await test.lake.catalog.commit(
      copy,
      [],
      [
        { action: 'set-location', location: 'memory://lake/far' },
        { action: 'set-properties', updates },
      ],
    )
    await forgetTable(copy, false, test.lake.catalog)
    await expect(test.orphans()).rejects.toThrow('a table that was forgotten lies at memory://lake/far')
  })

  it('that others registered again, and whose log has gone on since, is not to be removed', async () => {
    await test.add('2024-05-01')
    const { identifier, metadataLocation } = test.table
    await forgetTable(identifier, false, test.lake.catalog)
    await test.lake.catalog.register(identifier, metadataLocation!)
    await test.update({
      action: 'set-properties',
      updates: { 'write.metadata.previous-versions-max': '1' },
    })
    for (const day of ['2024-05-02', '2024-05-03', '2024-05-04']) await test.add(day)
    await expect(test.orphans()).rejects.toMatchObject({
      fix: expect.not.stringContaining('remove its files') as unknown,
    })
  })

  it('that others registered again is dropped with its files', async () => {
    await test.add('2024-05-01')
    const { identifier, metadataLocation } = test.table
    await forgetTable(identifier, false, test.lake.catalog)
    await test.lake.catalog.register(identifier, metadataLocation!)
    await operations['drop']!()
    expect(await test.files()).toEqual([])
  })

  it('keeps everything where its metadata is damaged, and it is said what lets it go', async () => {
    await test.add('2024-05-01')
    const { pointer } = await otherHas('2024-05-02')
    await test.lake.io.write(pointer, Buffer.from('{'))
    const note = { table: 'other', metadata: pointer }
    const uuid = '6f1c1b1e-0000-4000-8000-000000000000'
    await test.lake.catalog.drop(other, undefined)
    await test.lake.catalog.updateNamespace(
      other.namespace,
      {
        [`lakejobs.forgotten.${uuid}`]: 'memory://lake/far',
        [`lakejobs.forgotten-entry.${uuid}`]: JSON.stringify(note),
      },
      [],
    )
    test.lake.clock.ms += 10 * dayMs
    await expect(test.orphans()).rejects.toMatchObject({
      message: expect.stringContaining('elsewhere.other (forgotten) of catalog local may need') as unknown,
      fix: expect.stringContaining(
        `remove the namespace property lakejobs.forgotten-entry.${uuid}`,
      ) as unknown,
    })
  })
})
