import { describe, expect, it } from '@jest/globals'
import { rm, writeFile } from 'node:fs/promises'
import type { Catalog } from '../../jobs/iceberg/catalog/catalog.ts'
import { maintainAll, type MaintainedAll } from '../../jobs/maintain/all.ts'
import { neighbourhood } from '../../jobs/maintain/ownership.ts'
import { webLogs } from '../iceberg/tables.ts'
import { eachCompactLake, usual } from './compact-lake.ts'
import { headsOnly, jobContext } from './lake-with-files.ts'

const test = eachCompactLake()

const rowsFrom = (from: number): string =>
  `SELECT DATE '1970-01-01' AS day, (${from} + i)::int AS n, 'row ' || i AS text FROM range(3) r(i)`
async function fiveFiles(): Promise<string[]> {
  for (let at = 0; at < 5; at++) await test.commit({ addFiles: [await test.file(rowsFrom(10 * at))] })
  return test.rows()
}
async function all(dryRun = false, catalog: Catalog = test.lake.catalog): Promise<MaintainedAll> {
  const options = {
    compact: { ...usual, scratch: test.folder },
    retention: headsOnly,
    orphans: { ageMs: 86_400_000, maxShare: 1, isDelete: false },
  }
  const stores = { catalog, neighbours: neighbourhood(catalog) }
  const context = jobContext(test.lake, { now: () => new Date() })
  const done = await maintainAll(await catalog.load(webLogs), options, dryRun, stores, context)
  await test.load()
  return done
}

describe('maintain all', () => {
  it('compacts, expires and tells orphans, and tells what each did', async () => {
    const before = await fiveFiles()
    const dry = await all(true)
    expect(dry.maintained.steps!.map(({ operation, dryRun }) => [operation, dryRun])).toEqual([
      ['compact', true],
      ['expire', true],
      ['orphans', true],
    ])
    expect(test.table.metadata.snapshots).toHaveLength(5)
    const { maintained, failure } = await all()
    expect(failure).toBeUndefined()
    expect(maintained.steps).toMatchObject([
      { operation: 'compact', rewritten: { from: { files: 5 }, to: { files: 1 } } },
      { operation: 'expire', snapshots: { before: 6, after: 1 } },
      { operation: 'orphans', dryRun: true },
    ])
    expect(maintained.steps![1]!.files[0]).toMatchObject({ kind: 'data', freed: { files: 5 } })
    expect(await test.rows()).toEqual(before)
    expect((await all()).maintained.steps![0]).not.toHaveProperty('rewritten')
  })

  it('has the other steps for a table that cannot be compacted, and fails by its name', async () => {
    await fiveFiles()
    const file = await test.file(`SELECT DATE '1970-01-02' AS day`, [1], { day: 1 })
    await test.commit({ operation: 'overwrite', addFiles: [{ ...file, content: 2, equalityIds: [1] }] })
    const { maintained, failure } = await all()
    expect(failure).toMatchObject({ code: 'data', field: 'default.web_logs' })
    expect(maintained.steps!.map(({ operation }) => operation)).toEqual(['expire', 'orphans'])
  })

  it('stops before it begins where a file is gone, …', async () => {
    await fiveFiles()
    const [file] = await test.live()
    await rm(file!.filePath.replace('file://', ''))
    const { maintained, failure } = await all()
    expect(failure).toMatchObject({ code: 'data' })
    expect(maintained.steps).toEqual([])
  })

  it('… and after the step that lost rows', async () => {
    await fiveFiles()
    // Whoever loads the table after compaction finds its new file to be another one.
    const spoiled: Catalog = {
      ...test.lake.catalog,
      async commit(...given) {
        const table = await test.lake.catalog.commit(...given)
        await test.load()
        const [file] = await test.live()
        await writeFile(file!.filePath.replace('file://', ''), 'x')
        return table
      },
    }
    const { maintained, failure } = await all(false, spoiled)
    expect(failure).toMatchObject({ code: 'data' })
    expect(maintained.steps!.map(({ operation }) => operation)).toEqual(['compact'])
  })

  it.each([
    ['', 15],
    [', manifests put together after it, too', 18],
  ])('counts the rows that a step left%s', async (_, rows) => {
    await fiveFiles()
    if (rows > 15) {
      await test.append(1, 9)
      await test.update({
        action: 'set-properties',
        updates: { 'commit.manifest.min-count-to-merge': '2' },
      })
    }
    /** What was compacted looks as the first snapshot did, of three rows. */
    const fewer: Catalog = {
      ...test.lake.catalog,
      async load(identifier) {
        const table = await test.lake.catalog.load(identifier)
        const { snapshots } = table.metadata
        const [first] = snapshots
        const seen = snapshots.map((one) =>
          (rows === 15 ? one.summary['operation'] === 'replace' : 'manifests-created' in one.summary)
            ? { ...one, 'manifest-list': first!['manifest-list'] }
            : one,
        )
        return { ...table, metadata: { ...table.metadata, snapshots: seen } }
      },
    }
    const { failure } = await all(false, fewer)
    expect(failure?.message).toBe(`table default.web_logs has 3 rows after compact, not ${rows}`)
  })
})
