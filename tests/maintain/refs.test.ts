import { describe, expect, it } from '@jest/globals'
import type { Catalog } from '../../jobs/iceberg/catalog/catalog.ts'
import { commitRefs, planAdoption, planRollback, planTag, type RefPlan } from '../../jobs/maintain/refs.ts'
import { fingerprintsProperty } from '../../jobs/provenance/table-rows.ts'
import { webLogs } from '../iceberg/tables.ts'
import { eachWithFiles, headOf, jobContext, type TestTable } from './lake-with-files.ts'

const test = eachWithFiles()
const head = (): bigint => headOf(test)
type Plan = (table: TestTable['table']) => RefPlan | Promise<RefPlan>
const commit = async (
  plan: Plan,
  dryRun = false,
  catalog: Catalog = test.lake.catalog,
): Promise<readonly string[]> => {
  const changes = await commitRefs(test.table, plan, dryRun, catalog, jobContext(test.lake))
  await test.load()
  return changes
}
const tag =
  (name: string, snapshotId?: bigint, isDrop = false): Plan =>
  (table) =>
    planTag(table, { name, snapshotId, isDrop })
const rollback =
  (to: { readonly id: bigint } | { readonly ms: number }, allowNonAncestor = false): Plan =>
  (table) =>
    planRollback(table, { to, allowNonAncestor })

describe('a change of refs', () => {
  it('is refused for version 1, in a dry run, too, with the table and a way out that there is', async () => {
    await test.add('2024-05-01')
    const loaded = { ...test.table, metadata: { ...test.table.metadata, 'format-version': 1 } }
    for (const dryRun of [true, false])
      await expect(
        commitRefs(loaded, tag('a'), dryRun, test.lake.catalog, jobContext(test.lake)),
      ).rejects.toMatchObject({
        code: 'data',
        message: expect.stringContaining('table default.web_logs has format version 1') as unknown,
        fix: expect.stringContaining('export to it once with --upgrade') as unknown,
      })
  })
})

describe('a tag', () => {
  it('is made on the newest snapshot or another one, keeps it, and is dropped', async () => {
    await expect(commit(tag('empty'))).rejects.toMatchObject({ code: 'data' })
    await test.add('2024-05-01')
    const first = head()
    await test.add('2024-05-02')
    expect(await commit(tag('dry'), true)).toEqual([`tag dry on snapshot ${head()}`])
    expect(Object.keys(test.table.metadata.refs)).toEqual(['main'])
    await commit(tag('now'))
    await commit(tag('before', first))
    expect(test.table.metadata.refs).toMatchObject({
      now: { type: 'tag', 'snapshot-id': head() },
      before: { type: 'tag', 'snapshot-id': first },
    })
    await expect(commit(tag('now'))).rejects.toMatchObject({
      code: 'usage',
      fix: expect.stringContaining('--drop') as unknown,
    })
    await expect(commit(tag('main'))).rejects.toMatchObject({ code: 'usage' })
    await expect(commit(tag('more', 1n))).rejects.toMatchObject({ code: 'data' })
    await commit(tag('now', undefined, true))
    expect(Object.keys(test.table.metadata.refs)).toEqual(['main', 'before'])
    for (const name of ['now', 'main'])
      await expect(commit(tag(name, undefined, true))).rejects.toThrow(`no tag ${name}`)
  })
})

describe('a tag', () => {
  it.each(['constructor', 'toString', '__proto__'])('may be called %s', async (name) => {
    await test.add('2024-05-01')
    await expect(commit(tag(name, undefined, true))).rejects.toThrow(`no tag ${name}`)
    await commit(tag(name))
    expect(Object.entries(test.table.metadata.refs)).toContainEqual([
      name,
      { type: 'tag', 'snapshot-id': head() },
    ])
    await commit(tag(name, undefined, true))
    expect(Object.keys(test.table.metadata.refs)).toEqual(['main'])
  })
})

describe('a rollback', () => {
  it('shows the rows and days that change, and sets main to the snapshot with its settings', async () => {
    const a = await test.add('2024-05-01', 7)
    const first = head()
    const at = test.table.metadata.snapshots[0]!['timestamp-ms']
    await test.add('2024-05-02', 5)
    await test.remove(a)
    const last = head()
    await test.update({
      action: 'set-snapshot-ref',
      'ref-name': 'main',
      type: 'branch',
      'snapshot-id': last,
      'min-snapshots-to-keep': 9,
    })
    const changes = await commit(rollback({ id: first }), true)
    expect(changes).toEqual([
      `main: snapshot ${last} → ${first} (${new Date(at).toISOString()})`,
      'rows: 5 → 7',
      'changes: timestamp_day=2024-05-01, timestamp_day=2024-05-02',
    ])
    expect(head()).toBe(last)
    expect(await commit(rollback({ id: first }))).toEqual(changes)
    expect(test.table.metadata.refs['main']).toEqual({
      type: 'branch',
      'snapshot-id': first,
      'min-snapshots-to-keep': 9,
    })
    // What is known of the rows is as of it, also when the others have expired.
    expect(test.table.metadata.properties[fingerprintsProperty]).toContain(String(first))
    // Back again: it is none of main's any more.
    await expect(commit(rollback({ id: last }))).rejects.toMatchObject({
      code: 'data',
      fix: expect.stringContaining('--allow-non-ancestor') as unknown,
    })
    await commit(rollback({ id: last }, true))
    expect(head()).toBe(last)
    expect(await commit(rollback({ id: last }))).toEqual([])
  })

  it('goes to what main was at a time, by its ancestors', async () => {
    await test.add('2024-05-01')
    const first = head()
    const { 'timestamp-ms': at } = test.table.metadata.snapshots[0]!
    await test.add('2024-05-02')
    await expect(commit(rollback({ ms: at - 1 }))).rejects.toMatchObject({ code: 'data', field: '--to' })
    await expect(commit(rollback({ id: 1n }))).rejects.toMatchObject({ code: 'data', field: '--snapshot' })
    await commit(rollback({ ms: at }))
    expect(head()).toBe(first)
  })

  it('leaves a snapshot that cannot be read, and goes to none', async () => {
    await test.add('2024-05-01', 7)
    const first = head()
    await test.add('2024-05-02', 5)
    const last = head()
    const [before, after] = test.table.metadata.snapshots.map((one) => one['manifest-list'])
    await test.lake.io.write(after!, Buffer.from('Obj'))
    expect(await commit(rollback({ id: first }))).toEqual([
      expect.stringContaining(`main: snapshot ${last} → ${first}`),
      `snapshot ${last} cannot be read: ${after} is not an Avro file`,
    ])
    expect(head()).toBe(first)
    await expect(commit(rollback({ id: last }, true))).rejects.toMatchObject({ code: 'data', field: after })
    expect(head()).toBe(first)
    expect(before).not.toBe(after)
  })

  it('changes nothing where another commit comes first', async () => {
    await test.add('2024-05-01')
    const first = head()
    await test.add('2024-05-02')
    const table = test.table
    const { catalog } = test.lake
    const behind: Catalog = {
      ...catalog,
      async commit(...given) {
        await test.add('2024-05-03')
        return catalog.commit(...given)
      },
    }
    await expect(
      commitRefs(table, rollback({ id: first }), false, behind, jobContext(test.lake)),
    ).rejects.toMatchObject({ code: 'conflict' })
    await test.load()
    expect(test.table.metadata.snapshots.length).toBe(3)
    expect(head()).not.toBe(first)
  })
})

it('adoption makes a table ours, once', async () => {
  await test.update({ action: 'remove-properties', removals: ['lakejobs.managed'] })
  expect((await commit(planAdoption)).length).toBe(1)
  expect((await test.lake.catalog.load(webLogs)).metadata.properties['lakejobs.managed']).toBe('true')
  expect(await commit(planAdoption)).toEqual([])
})
