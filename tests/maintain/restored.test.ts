import { describe, expect, it } from '@jest/globals'
import { randomUUID } from 'node:crypto'
import { registerTable } from '../../jobs/maintain/entry/register.ts'
import { webLogs } from '../iceberg/tables.ts'
import { dayMs, eachWithFiles, jobContext } from './lake-with-files.ts'

const test = eachWithFiles()

/** The catalog as it was: the table points to an older metadata file, and time goes by. */
async function restore(pointer: string): Promise<void> {
  await test.lake.catalog.drop(webLogs)
  await test.lake.catalog.register(webLogs, pointer)
  await test.load()
  test.lake.clock.ms += 10 * dayMs
}

describe('after a catalog was restored to an older pointer', () => {
  it('orphans take nothing that the newer metadata needs, and name it; the newest is registered again', async () => {
    const paths = [await test.add('2024-05-01')]
    const pointer = test.table.metadataLocation!
    paths.push(await test.add('2024-05-02'), await test.add('2024-05-03'))
    const newest = test.table.metadataLocation!
    const stray = `${test.table.metadata.location}/data/00000-0-${randomUUID()}-00001.parquet`
    await test.lake.io.write(stray, Buffer.alloc(10))
    await restore(pointer)
    const before = await test.files()
    const done = await test.orphans()
    expect(await test.files()).toEqual(before.filter((file) => file !== stray))
    const left = done.leftAlone?.find(({ reason }) => reason.includes('restored from a backup'))
    // Two of each: metadata, manifest list, manifest, data.
    expect(left).toMatchObject({ files: 8, examples: [newest] })
    // Runs that go on from the old pointer do not make it theirs.
    await test.add('2024-05-04')
    test.lake.clock.ms += 10 * dayMs
    await test.orphans()
    for (const path of paths)
      expect([path, (await test.lake.io.stat(path)) !== undefined]).toEqual([path, true])
    await restore(pointer)
    await test.lake.catalog.drop(webLogs)
    const openIO = (): Promise<typeof test.lake.io> => Promise.resolve(test.lake.io)
    const from = { scan: test.table.metadata.location }
    const changes = await registerTable(
      webLogs,
      { from, dryRun: false, openIO },
      test.lake.catalog,
      jobContext(test.lake),
    )
    await test.load()
    expect(test.table.metadataLocation).toBe(newest)
    expect(changes.filter((change) => change.startsWith('left out'))).toHaveLength(1)
    expect((await test.lost()).missing).toEqual([])
  })

  it('orphans leave a history of two commits also when another one has gone past it', async () => {
    await test.add('2024-05-01')
    const pointer = test.table.metadataLocation!
    const paths = [await test.add('2024-05-02'), await test.add('2024-05-03')]
    await restore(pointer)
    for (const day of ['2024-05-04', '2024-05-05', '2024-05-06']) await test.add(day)
    test.lake.clock.ms += 10 * dayMs
    const before = await test.files('/metadata/')
    await test.orphans()
    for (const path of paths) expect(await test.lake.io.stat(path)).toBeDefined()
    expect(await test.files('/metadata/')).toEqual(before)
  })

  it('two files that are as new are named, and neither is taken', async () => {
    await test.add('2024-05-01')
    const pointer = test.table.metadataLocation!
    await test.add('2024-05-02')
    await restore(pointer)
    await test.add('2024-05-03')
    await test.lake.catalog.drop(webLogs)
    const openIO = (): Promise<typeof test.lake.io> => Promise.resolve(test.lake.io)
    const options = { from: { scan: test.table.metadata.location }, dryRun: false, openIO }
    await expect(
      registerTable(webLogs, options, test.lake.catalog, jobContext(test.lake)),
    ).rejects.toMatchObject({ code: 'data', message: expect.stringMatching(/as new: .* and /) as unknown })
  })

  it('the one file of a commit that was lost goes with its files, once another has its version', async () => {
    await test.add('2024-05-01')
    const pointer = test.table.metadataLocation!
    const lost = `${test.table.metadata.location}/data/00000-0-${randomUUID()}-00001.parquet`
    await test.commit({ addFiles: [await test.file('2024-05-02', { filePath: lost })] })
    await restore(pointer)
    await test.orphans()
    expect(await test.lake.io.stat(lost)).toBeDefined()
    await test.add('2024-05-03')
    test.lake.clock.ms += 10 * dayMs
    await test.orphans()
    expect(await test.lake.io.stat(lost)).toBeUndefined()
    expect((await test.lost()).missing).toEqual([])
  })
})
