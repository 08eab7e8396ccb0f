import { describe, expect, it } from '@jest/globals'
import { readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { commitSnapshot } from '../../jobs/iceberg/snapshot/commit.ts'
import { append } from '../../jobs/iceberg/snapshot/operations.ts'
import type { TableSummary } from '../../jobs/summary.ts'
import { localFileIO } from '../../jobs/storage/local/local.ts'
import { testEffects } from '../iceberg/tables.ts'
import { eachWithLake } from './each-with-lake.ts'
import { currentSnapshot, dataFilesOf, filesIn, load, queryTable, runExport, type Flags } from './lake.ts'

// Five days of 100 rows each, and ten without one.
const { server, lake } = eachWithLake(`
    CREATE TABLE t (id int NOT NULL, at timestamptz, url text);
    INSERT INTO t SELECT i, timestamptz '2024-09-01 00:00:00+00' + i % 5 * interval '1 day' + i * interval '1 second',
                         NULLIF('/page/' || i % 7, '/page/0') FROM generate_series(1, 500) i;
    INSERT INTO t SELECT i, NULL, 'never' FROM generate_series(501, 510) i;
    ANALYZE t`)

const run = async (flags: Flags = {}): Promise<TableSummary> => {
  const { tables } = await runExport(server, lake, { onlyChanged: true, ...flags })
  return tables![0]!
}
/** Everything that is there: nothing of it may have changed after an export that had nothing to do. */
const state = async (): Promise<unknown> => [
  await filesIn(lake.folder),
  (await load(lake).catch(() => undefined))?.metadataLocation,
]
const effects = (): ReturnType<typeof testEffects> =>
  testEffects(localFileIO(), { ms: Date.now(), waits: [] })
const byDay: Flags = { partitionBy: ['day(at)'] }
const pathOf = (location: string): string => location.replace(/^file:\/\//, '')
const unchanged = { status: 'unchanged', rows: 0, files: 0, bytes: 0 }
const written = { status: 'ok', rows: 510, unchangedRows: 0 }

describe.each([
  ['a table that is not partitioned', {}],
  ['a table by day', byDay],
  ['a table by bucket', { partitionBy: ['bucket(3, id)'] }],
])('all of %s', (_, flags: Flags) => {
  it('is written once: the next export has nothing to commit, and says so', async () => {
    expect(await run(flags)).toMatchObject(written)
    const before = await state()
    const lines: string[] = []
    const summary = await run({ ...flags, onLog: (line) => void lines.push(line) })
    expect(summary).toMatchObject({ ...unchanged, unchangedRows: 510 })
    expect(summary.snapshotId).toBeUndefined()
    expect(summary.metadataLocation).toBe((await load(lake)).metadataLocation)
    expect(lines.join()).toContain('unchanged: its rows are those that were read')
    expect(await state()).toEqual(before)
  })

  it('is written when a row has changed, come or gone, and where nobody asked to leave it', async () => {
    await run(flags)
    for (const sql of [
      `UPDATE t SET url = 'other' WHERE id = 7`,
      `UPDATE t SET url = CASE id WHEN 8 THEN url ELSE 'x' END WHERE id IN (8, 9)`,
      'DELETE FROM t WHERE id = 505',
      `INSERT INTO t VALUES (1, '2024-09-03 00:00+00', NULL)`,
    ]) {
      await server.query(sql)
      expect(await run(flags)).toMatchObject({ status: 'ok', unchangedRows: 0 })
    }
    // --force
    expect(await run({ ...flags, onlyChanged: false })).toMatchObject({ status: 'ok', rows: 510 })
    expect((await load(lake)).metadata.snapshots).toHaveLength(6)
    expect(await run(flags)).toMatchObject(unchanged)
  })
})

describe('what is not as it was written', () => {
  it.each([
    ['is gone', (path: string) => rm(path)],
    ['is cut off', (path: string) => truncate(path, 100)],
  ])('a data file %s: all is written, and of days that one', async (_, damage) => {
    await run(byDay)
    const [file] = await dataFilesOf(await load(lake))
    await damage(pathOf(file!.filePath))
    const lines: string[] = []
    expect(await run({ onLog: (line) => void lines.push(line) })).toMatchObject(written)
    expect(lines.join()).toContain('a file is replaced')
    expect(await run()).toMatchObject(unchanged)

    const third = (await dataFilesOf(await load(lake))).find(({ filePath }) => filePath.includes('09-03'))!
    await damage(pathOf(third.filePath))
    const days: Flags = { scope: { mode: 'day', from: '2024-09-01', to: '2024-09-05' } }
    expect(await run(days)).toMatchObject({ status: 'ok', rows: 100, files: 1, unchangedDays: 4 })
    expect(currentSnapshot(await load(lake)).summary['lakejobs.scope']).toBe('2024-09-03/2024-09-03')
    expect(await queryTable(await load(lake), 'SELECT count(*) FROM FILES')).toEqual([['510']])
    expect(await run(days)).toMatchObject({ ...unchanged, unchangedDays: 5, unchangedRows: 500 })
  })

  it('another program has committed since: all is written', async () => {
    await run()
    const table = await load(lake)
    const [file] = await dataFilesOf(table)
    const path = `${table.metadata.location}/data/theirs.parquet`
    await writeFile(pathOf(path), await readFile(pathOf(file!.filePath)))
    await commitSnapshot(
      lake.catalog,
      table,
      append({ metadata: table.metadata }, [{ ...file!, filePath: path }]),
      effects(),
    )
    expect(await run({ maxShrink: 1 })).toMatchObject(written)
    expect(await queryTable(await load(lake), 'SELECT count(*) FROM FILES')).toEqual([['510']])
    expect(await run()).toMatchObject(unchanged)
  })

  it('a commit of another branch is none of main’s', async () => {
    await run()
    const table = await load(lake)
    const { 'snapshot-id': snapshotId } = currentSnapshot(table)
    const audited = await lake.catalog.commit(
      table.identifier,
      [],
      [{ action: 'set-snapshot-ref', 'ref-name': 'audit', type: 'branch', 'snapshot-id': snapshotId }],
    )
    const [file] = await dataFilesOf(audited)
    await commitSnapshot(
      lake.catalog,
      audited,
      append({ metadata: audited.metadata, branch: 'audit' }, [file!]),
      effects(),
    )
    expect(await run()).toMatchObject(unchanged)
  })

  it('the same rows of another database are not the same', async () => {
    await run()
    await server.query('CREATE TABLE u AS SELECT * FROM t; ANALYZE u')
    expect(await run({ tables: ['u=default.t'] })).toMatchObject(written)
  })
})

describe('another schema or spec', () => {
  it.each<[string, string, Flags]>([
    ['a new column', 'ALTER TABLE t ADD COLUMN extra int', {}],
    ['a renamed one', 'ALTER TABLE t RENAME url TO page', { renames: { url: 'page' } }],
    ['a wider one', 'ALTER TABLE t ALTER id TYPE bigint', {}],
    ['fewer', 'SELECT 1', { columns: ['id', 'at'], dropColumns: ['url'] }],
    ['another order', 'SELECT 1', { columns: ['at', 'id', 'url'] }],
    ['another partitioning', 'SELECT 1', byDay],
    ['another way to read', `SELECT 1`, { casts: { url: 'text' } }],
  ])('%s: all is written, once', async (_, sql, flags) => {
    await run({ formats: ['iceberg', 'parquet'] })
    await server.query(`${sql}; ANALYZE t`)
    const all: Flags = { ...flags, formats: ['iceberg', 'parquet'] }
    expect(await run(all)).toMatchObject({ ...written, files: 'partitionBy' in flags ? 7 : 2 })
    expect(await run({ ...all, renames: {} })).toMatchObject(unchanged)
  })

  it('a spec that another program changed: what it has under the old one is written anew', async () => {
    await run()
    const table = await load(lake)
    await lake.catalog.commit(
      table.identifier,
      [],
      [
        {
          action: 'add-spec',
          spec: {
            'spec-id': 1,
            fields: [{ name: 'id_bucket', transform: 'bucket[2]', 'source-id': 1, 'field-id': 1000 }],
          },
        },
        { action: 'set-default-spec', 'spec-id': -1 },
      ],
    )
    expect(await run()).toMatchObject({ ...written, files: 2 })
    expect(await run()).toMatchObject(unchanged)
  })
})

it('fingerprints of months put together are compared as such', async () => {
  await server.query(`INSERT INTO t SELECT i, timestamptz '2023-01-15 00:00+00' + i * interval '1 day', 'old'
                      FROM generate_series(1000, 1199) i; ANALYZE t`)
  const both: Flags = { ...byDay, formats: ['iceberg', 'parquet'] }
  await run(both)
  expect(currentSnapshot(await load(lake)).summary['lakejobs.fingerprint']).toMatch(/"\d{4}-\d{2}":/)
  expect(await run(both)).toMatchObject({ ...unchanged, unchangedRows: 710 })
  await server.query(`UPDATE t SET url = 'new' WHERE id = 1000`)
  expect(await run(both)).toMatchObject({ status: 'ok', rows: 710 })
})

it('a backfill of many days that is run again commits nothing, or the months in which a row changed', async () => {
  await server.query(`INSERT INTO t SELECT i, timestamptz '2023-01-15 00:00+00' + (i - 1000) * interval '1 day', 'old'
                      FROM generate_series(1000, 1199) i; ANALYZE t`)
  const backfill: Flags = { scope: { mode: 'day', from: '2023-01-15', to: '2023-08-02' } }
  expect(await run(backfill)).toMatchObject({ status: 'ok', rows: 200, unchangedDays: 0 })
  expect(await run(backfill)).toMatchObject({ ...unchanged, unchangedRows: 200, unchangedDays: 200 })
  await server.query(`UPDATE t SET url = 'new' WHERE id = 1020`)
  expect(await run(backfill)).toMatchObject({ status: 'ok', rows: 28, unchangedDays: 172 })
  expect(await run(backfill)).toMatchObject(unchanged)
})

it('days that an export of the whole table wrote are unchanged by themselves, and the other way round', async () => {
  await run(byDay)
  const day: Flags = { scope: { mode: 'day', from: '2024-09-02', to: '2024-09-02' } }
  expect(await run(day)).toMatchObject({ ...unchanged, unchangedRows: 100 })
  await server.query(`UPDATE t SET url = 'corrected' WHERE id = 1`)
  expect(await run(day)).toMatchObject({ status: 'ok', rows: 100, unchangedRows: 0 })
  expect(await run()).toMatchObject(unchanged)
})

it('an empty day of a table, and an empty table, are nothing to commit', async () => {
  await run(byDay)
  const day: Flags = { scope: { mode: 'day', from: '2024-12-24', to: '2024-12-24' } }
  expect(await run(day)).toMatchObject(unchanged)
  await server.query('CREATE TABLE u (id int); ANALYZE u')
  expect(await run({ tables: ['u'] })).toMatchObject({ status: 'ok', rows: 0 })
  expect(await run({ tables: ['u'] })).toMatchObject(unchanged)
})

describe('plain Parquet', () => {
  const parquet: Flags = { formats: ['parquet'] }
  const path = (): string => `${lake.folder}/parquet/t/t.parquet`

  it('is left as it is, and written when rows or columns change', async () => {
    expect(await run(parquet)).toMatchObject(written)
    const before = await readFile(path())
    expect(await run(parquet)).toMatchObject({ ...unchanged, unchangedRows: 510 })
    expect((await readFile(path())).equals(before)).toBe(true)
    await server.query(`ALTER TABLE t RENAME url TO page; ANALYZE t`)
    expect(await run(parquet)).toMatchObject(written)
    expect(await run(parquet)).toMatchObject(unchanged)
  })

  it('is written where the file has lost bytes, though its footer is there', async () => {
    await run(parquet)
    const bytes = await readFile(path())
    await writeFile(path(), Buffer.concat([bytes.subarray(0, 100), bytes.subarray(300)]))
    expect(await run(parquet)).toMatchObject(written)
    await writeFile(path(), bytes.subarray(0, -9))
    expect(await run(parquet)).toMatchObject(written)
    expect(await run(parquet)).toMatchObject(unchanged)
  })

  it('and Iceberg decide each for itself; the summary names the one that stays', async () => {
    const both: Flags = { formats: ['iceberg', 'parquet'] }
    await run({ formats: ['iceberg'] })
    const summary = await run(both)
    expect(summary).toMatchObject({ status: 'ok', rows: 510, files: 1, unchanged: ['iceberg'] })
    expect((await load(lake)).metadata.snapshots).toHaveLength(1)
    expect(await run(both)).toMatchObject(unchanged)
  })
})
