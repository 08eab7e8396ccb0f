import { describe, expect, it } from '@jest/globals'
import { branchSnapshot } from '../../jobs/iceberg/metadata/metadata.ts'
import { planRead } from '../../jobs/lake/read-plan.ts'
import { retainDays } from '../../jobs/maintain/retain.ts'
import { fingerprintsProperty } from '../../jobs/provenance/table-rows.ts'
import { eachWithFiles, jobContext } from './lake-with-files.ts'

const test = eachWithFiles()

async function retain(days: number, dryRun = false): Promise<readonly string[]> {
  const done = await retainDays(test.table, { days }, dryRun, test.lake.catalog, jobContext(test.lake))
  await test.load()
  return done.changes
}

const paths = async (): Promise<string[]> =>
  (await planRead({ name: 't', ...test.table }, {})).files.map(({ file }) => file.filePath)

describe('retain', () => {
  it('drops whole days that are older, in one snapshot of its own, and a dry run tells the same', async () => {
    const old = [await test.add('2024-04-27'), await test.add('2024-04-28')]
    const kept = [await test.add('2024-04-29'), await test.add('2024-05-01')]
    test.lake.clock.ms = Date.parse('2024-05-02T23:00:00Z')
    const before = test.table.metadataLocation
    const dry = await retain(3, true)
    expect(test.table.metadataLocation).toBe(before)
    expect(await retain(3)).toEqual(dry)
    expect(dry).toEqual([
      'days before 2024-04-29: 2024-04-27, 2024-04-28',
      expect.stringMatching(/^10 rows in 2 files/),
    ])
    expect((await paths()).sort()).toEqual([...kept].sort())
    const head = branchSnapshot(test.table.metadata, 'main')!
    expect(head.summary).toMatchObject({ operation: 'delete', 'deleted-records': '10' })
    // Nothing is removed yet, and a second run has nothing to do.
    for (const path of old) expect(await test.lake.io.stat(path)).toBeDefined()
    const once = test.table.metadataLocation
    expect(await retain(3)).toEqual([])
    expect(test.table.metadataLocation).toBe(once)
    // What is known of rows is as of this snapshot: it is none of others'.
    expect(test.table.metadata.properties[fingerprintsProperty]).toContain(String(head['snapshot-id']))
  })

  it('refuses a table without days, and a file with rows of both sides', async () => {
    await test.update(
      { action: 'add-spec', spec: { 'spec-id': 0, fields: [] } },
      { action: 'set-default-spec', 'spec-id': -1 },
    )
    await expect(retain(3)).rejects.toMatchObject({
      code: 'data',
      message: expect.stringContaining('not partitioned by day') as unknown,
    })
    test.lake.clock.ms = Date.parse('2024-05-02T23:00:00Z')
    const { filePath } = await test.mixed('2024-04-20T01:00:00Z', '2024-05-01T01:00:00Z')
    const [byDay] = test.table.metadata['partition-specs']
    await test.update({ action: 'set-default-spec', 'spec-id': byDay!['spec-id'] })
    for (const dryRun of [true, false])
      await expect(retain(3, dryRun)).rejects.toMatchObject({
        message: expect.stringContaining(filePath) as unknown,
      })
    expect(await paths()).toEqual([filePath])
  })
})
