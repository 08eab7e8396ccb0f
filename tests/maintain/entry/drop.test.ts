import { describe, expect, it } from '@jest/globals'
import type { Catalog } from '../../../jobs/iceberg/catalog/catalog.ts'
import { asError } from '../../../jobs/errors.ts'
import { CommitStateUnknownError } from '../../../jobs/iceberg/errors.ts'
import { dropTable } from '../../../jobs/maintain/entry/drop.ts'
import { neighbourhood } from '../../../jobs/maintain/ownership.ts'
import type { FileIO } from '../../../jobs/storage/file-io.ts'
import type { Maintained } from '../../../jobs/summary.ts'
import { webLogs } from '../../iceberg/tables.ts'
import { eachWithFiles, jobContext } from '../lake-with-files.ts'

const test = eachWithFiles()

const drop = (
  catalog: Catalog = test.lake.catalog,
  options: { dryRun?: boolean } = {},
): Promise<Maintained> =>
  dropTable(
    webLogs,
    { isPurge: true, dryRun: false, openIO: () => Promise.resolve(test.lake.io), ...options },
    { catalog, neighbours: neighbourhood(catalog) },
    jobContext(test.lake),
  )

const notes = async (): Promise<string[]> =>
  (await test.lake.catalog.everyProperty()).map(({ key }) => key).filter((key) => key.startsWith('lakejobs.'))

/** The table and its catalog through a store that is killed ahead of its n-th effect, or refuses to remove. */
function mortal(killAt: number, refuses: (location: string) => boolean = () => false): Catalog {
  let calls = 0
  const call = (): void => {
    calls++
    if (calls >= killAt) throw new Error('killed')
  }
  const { io, catalog } = test.lake
  const store: FileIO = {
    ...io,
    async deleteAll(locations) {
      const failures: { location: string; error: Error }[] = []
      for (const location of locations) {
        call()
        if (refuses(location)) failures.push({ location, error: new Error('refused') })
        else await io.delete(location)
      }
      return { failures, hidden: 0 }
    },
  }
  return {
    ...catalog,
    load: async (...given) => ({ ...(await catalog.load(...given)), io: store }),
    async drop(...given) {
      call()
      await catalog.drop(...given)
      call()
    },
    async updateNamespace(...given) {
      call()
      await catalog.updateNamespace(...given)
    },
  }
}

async function history(): Promise<void> {
  const path = await test.add('2024-05-01')
  await test.add('2024-05-02')
  await test.remove(path)
  await test.add('2024-05-03')
}

describe('a drop with its files', () => {
  it('leaves nothing, and a dry run tells the same', async () => {
    await history()
    const dry = await drop(undefined, { dryRun: true })
    expect(await test.files()).not.toEqual([])
    const done = await drop()
    expect(done.files).toEqual(dry.files)
    expect(await test.files()).toEqual([])
    expect(await notes()).toEqual([])
    await expect(test.load()).rejects.toThrow('no such table')
  })

  it('comes to the same end in a second run, wherever the first was killed', async () => {
    for (let killAt = 1; ; killAt++) {
      await test.reset()
      await history()
      const first = await drop(mortal(killAt)).then(
        () => 'done',
        (error: unknown) => asError(error).message,
      )
      const isThere = await test.lake.catalog.load(webLogs).then(
        () => true,
        () => false,
      )
      // As long as there is an entry all of its files are.
      if (isThere) expect((await test.lost()).missing).toEqual([])
      if (first === 'done') break
      expect(first).toBe('killed')
      await drop().catch((error: unknown) => {
        expect(error).toMatchObject({ message: expect.stringContaining('no such table') as unknown })
      })
      expect([killAt, await test.files(), await notes()]).toEqual([killAt, [], []])
      await expect(test.lake.catalog.load(webLogs)).rejects.toThrow('no such table')
    }
  })

  it('keeps what tells of files that could not be removed, and removes them next time', async () => {
    await history()
    const [stubborn] = await test.files('/data/')
    const done = await drop(mortal(Infinity, (location) => location === stubborn))
    expect(done.notRemoved).toMatchObject({ files: 1, errors: ['refused'] })
    expect(await test.files('/data/')).toEqual([stubborn])
    expect(await test.files('.metadata.json')).not.toEqual([])
    expect((await drop()).files.find(({ kind }) => kind === 'data')?.freed.files).toBe(3)
    expect([await test.files(), await notes()]).toEqual([[], []])
  })

  it('removes nothing where it is not known whether the entry is gone', async () => {
    await history()
    const before = await test.files()
    for (const arrives of [false, true]) {
      const unknown: Catalog = {
        ...test.lake.catalog,
        async drop(...given) {
          if (arrives) await test.lake.catalog.drop(...given)
          throw new CommitStateUnknownError('t', 'a', 'b', new Error('no answer'))
        },
      }
      await expect(drop(unknown)).rejects.toMatchObject({ code: 'unknownCommit' })
      expect(await test.files()).toEqual(before)
    }
    await drop()
    expect(await test.files()).toEqual([])
  })

  it('goes by the pointer that the entry has then', async () => {
    await history()
    let late: string | undefined
    const moving: Catalog = {
      ...test.lake.catalog,
      async drop(...given) {
        late ??= await test.add('2024-05-04')
        await test.lake.catalog.drop(...given)
      },
    }
    await drop(moving)
    expect(late).toBeDefined()
    expect(await test.files()).toEqual([])
  })

  it('leaves what other entries have, of any name, and says so', async () => {
    await history()
    // As PyIceberg's add_files does: another table, elsewhere, has a file of this one.
    const file = await test.file('2024-05-04')
    await test.commit({ addFiles: [file] })
    await test.otherWith({ namespace: ['default'], name: 'other' }, file)
    const done = await drop()
    expect(await test.files('/default/web_logs/')).toEqual([file.filePath])
    expect(done.leftAlone).toMatchObject([
      { files: 1, reason: expect.stringContaining('default.other of catalog local') as unknown },
    ])
  })

  it('changes the catalog alone where another entry lies in the folders, or gc.enabled is false', async () => {
    await history()
    const copy = { namespace: ['default'], name: 'copy' }
    const { metadataLocation } = await test.lake.catalog.register(copy, test.table.metadataLocation!)
    // It alone has these.
    await test.add('2024-05-09')
    const before = await test.files()
    const done = await drop()
    expect(done.leftAlone?.map(({ reason }) => reason)).toEqual([
      'needed by default.copy of catalog local',
      'default.copy of catalog local has its files in the same folders',
    ])
    expect(await test.files()).toEqual(before)
    expect((await test.lake.catalog.load(copy)).metadataLocation).toBe(metadataLocation)
    await test.reset()
    await history()
    await test.update({ action: 'set-properties', updates: { 'gc.enabled': 'false' } })
    const kept = await test.files()
    await drop()
    expect(await test.files()).toEqual(kept)
    expect(await notes()).toEqual([
      expect.stringMatching(/^lakejobs\.forgotten\./),
      expect.stringMatching(/^lakejobs\.forgotten-entry\./),
    ])
  })

  it('is refused where nobody can tell what is needed', async () => {
    await history()
    const [manifest] = await test.files('-m0.avro')
    const bytes = await test.lake.io.read(manifest!)
    await test.lake.io.delete(manifest!)
    const before = await test.files()
    await expect(drop()).rejects.toMatchObject({ code: 'data' })
    expect(await test.files()).toEqual(before)
    await test.lake.io.write(manifest!, bytes)
    const broken = { namespace: ['default'], name: 'broken' }
    const elsewhere = 'memory://lake/x/metadata/00000-a.metadata.json'
    await test.lake.io.write(elsewhere, await test.lake.io.read(test.table.metadataLocation!))
    await test.lake.catalog.register(broken, elsewhere)
    await test.lake.io.write(elsewhere, Buffer.from('{'))
    await expect(drop()).rejects.toMatchObject({
      message: expect.stringContaining('default.broken') as unknown,
    })
    expect(await test.lake.catalog.load(webLogs)).toBeDefined()
  })

  it('is not made while another maintenance works on the table', async () => {
    await history()
    const { catalog } = test.lake
    await catalog.alone(webLogs, async () => {
      await expect(catalog.alone(webLogs, () => Promise.resolve())).rejects.toMatchObject({
        code: 'conflict',
      })
    })
    await catalog.alone(webLogs, () => Promise.resolve())
  })
})
