import { describe, expect, it } from '@jest/globals'
import { readFile, writeFile } from 'node:fs/promises'
import { daysBetween } from '../../jobs/calendar.ts'
import type { ReplacedFile } from '../../jobs/export/write/replaced-file.ts'
import { readReplacedFile } from '../../jobs/export/write/replaced-file.ts'
import { localFileIO } from '../../jobs/storage/local/local.ts'
import type { TableSummary } from '../../jobs/summary.ts'
import { eachWithLake } from './each-with-lake.ts'
import {
  currentSnapshot,
  dataFilesOf,
  filesIn,
  load,
  queryFiles,
  queryTable,
  runExport,
  unreferenced,
  type Flags,
} from './lake.ts'

// Five days of 100 rows each.
const { server, lake } = eachWithLake(`
    CREATE TABLE t (id int NOT NULL, at timestamptz, url text);
    INSERT INTO t SELECT i, timestamptz '2024-09-01 00:00:00+00' + i % 5 * interval '1 day' + i * interval '1 second',
                         NULLIF('/page/' || i % 7, '/page/0') FROM generate_series(1, 500) i;
    ANALYZE t`)

const run = async (flags: Flags = {}): Promise<TableSummary> => {
  const { tables } = await runExport(server, lake, flags)
  return tables![0]!
}
const days = (from: string, to = from): Flags => ({ scope: { mode: 'day', from, to } })
/** `--date 2024-09-05 --lookback 4`. */
const lookback: Flags = { ...days('2024-09-01', '2024-09-05'), onlyChanged: true }
const touch = (day: string): Promise<unknown> =>
  server.query(
    `UPDATE t SET url = 'corrected' WHERE id = (SELECT min(id) FROM t WHERE url IS DISTINCT FROM 'corrected' AND (at AT TIME ZONE 'UTC')::date = '${day}')`,
  )

const digest = `SELECT count(*)::text AS n, sum(id)::text AS ids, count(*) FILTER (WHERE url = 'corrected')::text AS c`
const inLake = async (): Promise<unknown> => (await queryTable(await load(lake), `${digest} FROM FILES`))[0]
const inSource = async (): Promise<unknown> =>
  Object.values((await server.query(`${digest} FROM t WHERE at IS NOT NULL`))[0]!)
const scopeOf = async (): Promise<string> => currentSnapshot(await load(lake)).summary['lakejobs.scope'] ?? ''

describe('Iceberg', () => {
  it('days that did not change are left out; those that did are replaced in one snapshot', async () => {
    expect(await run(lookback)).toMatchObject({ rows: 500, unchangedDays: 0 })
    const first = await load(lake)
    await touch('2024-09-02')
    await touch('2024-09-05')
    const { snapshotId, ...summary } = await run(lookback)
    expect(summary).toMatchObject({ status: 'ok', rows: 200, files: 2, unchangedDays: 3 })
    const table = await load(lake)
    expect(table.metadata.snapshots).toHaveLength(2)
    expect(snapshotId).toBe(String(currentSnapshot(table)['snapshot-id']))
    expect(currentSnapshot(table).summary).toMatchObject({
      'added-records': '200',
      'deleted-records': '200',
      'added-data-files': '2',
      'lakejobs.scope': '2024-09-02/2024-09-02,2024-09-05/2024-09-05',
    })
    const paths = async (of: typeof table): Promise<string[]> =>
      (await dataFilesOf(of)).map(({ filePath }) => filePath)
    expect((await paths(table)).filter((path) => !path.includes('09-02') && !path.includes('09-05'))).toEqual(
      (await paths(first)).filter((path) => !path.includes('09-02') && !path.includes('09-05')),
    )
    expect(await inLake()).toEqual(await inSource())
    // No file of the days that were left out: only the four that were replaced are in no snapshot any more.
    expect((await unreferenced(lake, table)).length).toBe(2)
  })

  it('no day changed: no snapshot, no file, unchanged', async () => {
    await run(lookback)
    const before = [await filesIn(lake.folder), (await load(lake)).metadataLocation]
    const summary = await run(lookback)
    expect(summary).toMatchObject({ status: 'unchanged', rows: 0, files: 0, bytes: 0, unchangedDays: 5 })
    expect(summary.snapshotId).toBeUndefined()
    expect([await filesIn(lake.folder), (await load(lake)).metadataLocation]).toEqual(before)
  })

  it('days without lookback are replaced whether they changed or not', async () => {
    await run(lookback)
    expect(await run(days('2024-09-05'))).toMatchObject({ rows: 100, files: 1 })
    expect((await load(lake)).metadata.snapshots).toHaveLength(2)
    expect(await run(lookback)).toMatchObject({ rows: 0, unchangedDays: 5 })
  })

  it('a day that lost all rows, and one that was never exported, have changed', async () => {
    await run(days('2024-09-02', '2024-09-05'))
    await server.query(`DELETE FROM t WHERE at >= '2024-09-03 00:00+00' AND at < '2024-09-04 00:00+00'`)
    expect(await run(lookback)).toMatchObject({ rows: 100, unchangedDays: 3 })
    expect(await scopeOf()).toBe('2024-09-01/2024-09-01,2024-09-03/2024-09-03')
    expect(await inLake()).toEqual(await inSource())
    // An empty day that was exported as empty has not.
    expect(await run(lookback)).toMatchObject({ unchangedDays: 5 })
  })

  it('the guard looks at the days that are replaced, not at all of them', async () => {
    await run(lookback)
    await server.query(`DELETE FROM t WHERE id > 40 AND at < '2024-09-02 00:00+00'`)
    await expect(run(lookback)).rejects.toMatchObject({
      code: 'data',
      message: expect.stringMatching(/100 rows would be replaced by 8/) as unknown,
    })
  })

  it('a foreign commit that touched a day makes it changed, one that touched others does not', async () => {
    await run({ partitionBy: ['day(at)'] })
    await server.query('CREATE TABLE u AS SELECT * FROM t; ANALYZE u')
    await run({ ...days('2024-09-03'), tables: ['u=default.t'] })
    expect(await run(lookback)).toMatchObject({ rows: 100, unchangedDays: 4 })
    expect(await scopeOf()).toBe('2024-09-03/2024-09-03')
    await run({ ...days('2024-09-01', '2024-09-02'), tables: ['u=default.t'] })
    await run(days('2024-09-02'))
    expect(await run(lookback)).toMatchObject({ rows: 100, unchangedDays: 4 })
    expect(await scopeOf()).toBe('2024-09-01/2024-09-01')
  })

  it('a new column, other columns or a table made anew: every day has changed', async () => {
    await run(lookback)
    await server.query('ALTER TABLE t ADD COLUMN extra int; ANALYZE t')
    expect(await run(lookback)).toMatchObject({ unchangedDays: 0 })
    expect(await run({ ...lookback, columns: ['at', 'id'], dropColumns: ['url', 'extra'] })).toMatchObject({
      unchangedDays: 0,
    })
    await lake.catalog.drop({ namespace: ['default'], name: 't' })
    expect(await run(lookback)).toMatchObject({ unchangedDays: 0 })
  })

  it('a wider column is no change of rows, and the schema follows without a snapshot', async () => {
    await run(lookback)
    await server.query('ALTER TABLE t ALTER id TYPE bigint; ANALYZE t')
    expect(await run(lookback)).toMatchObject({ unchangedDays: 5 })
    const { metadata } = await load(lake)
    expect(metadata.snapshots).toHaveLength(1)
    expect(metadata.schemas.at(-1)!.fields[0]).toMatchObject({ name: 'id', type: 'long' })
  })

  it('works where the day is not the only partition, and where it is only part of one', async () => {
    for (const partitionBy of [['day(at)', 'bucket(2, id)'], ['hour(at)']]) {
      await run({ partitionBy })
      await touch('2024-09-04')
      // A full read by the hour has no fingerprint of its days.
      await run(lookback)
      await touch('2024-09-01')
      expect(await run(lookback)).toMatchObject({ rows: 100, unchangedDays: 4 })
      expect(await inLake()).toEqual(await inSource())
    }
  })
})

describe('plain Parquet', () => {
  const parquet: Flags = { ...lookback, formats: ['parquet'] }
  const fileOf = (day: string): string => `${lake.folder}/parquet/t_by_day/at_day=${day}/t.parquet`
  const footerOf = async (path: string): Promise<ReplacedFile> =>
    (await readReplacedFile(localFileIO(), `file://${path}`))!

  it('goes by the fingerprint in each file, and rewrites what is damaged or gone', async () => {
    expect(await run(parquet)).toMatchObject({ rows: 500, files: 5, unchangedDays: 0 })
    const before = await Promise.all(
      daysBetween('2024-09-01', '2024-09-05').map((day) => readFile(fileOf(day))),
    )
    expect(await run(parquet)).toMatchObject({ rows: 0, files: 0, unchangedDays: 5 })
    await touch('2024-09-02')
    await writeFile(fileOf('2024-09-04'), 'no Parquet')
    expect(await run(parquet)).toMatchObject({ rows: 200, files: 2, unchangedDays: 3 })
    const after = await Promise.all(
      daysBetween('2024-09-01', '2024-09-05').map((day) => readFile(fileOf(day))),
    )
    expect(after.map((bytes, i) => bytes.equals(before[i]!))).toEqual([true, false, true, false, true])
    const { rows, entries } = await footerOf(fileOf('2024-09-02'))
    expect(rows).toBe(100)
    expect(entries).toMatchObject({
      'lakejobs.source': 'public.t',
      'lakejobs.scope': '2024-09-02/2024-09-02',
    })
  })

  it('and Iceberg decide each for themselves', async () => {
    await run({ ...lookback, formats: ['iceberg'] })
    expect(await run({ ...lookback, formats: ['iceberg', 'parquet'] })).toMatchObject({
      rows: 500,
      files: 5,
      unchangedDays: 0,
    })
    expect((await load(lake)).metadata.snapshots).toHaveLength(1)
    await touch('2024-09-05')
    expect(await run({ ...lookback, formats: ['iceberg', 'parquet'] })).toMatchObject({
      rows: 100,
      files: 2,
      unchangedDays: 4,
    })
  })

  it('alone has the shrink guard too: what is replaced says how many rows it has', async () => {
    await run({ formats: ['parquet'] })
    const path = `${lake.folder}/parquet/t/t.parquet`
    const before = await readFile(path)
    await server.query('DELETE FROM t WHERE id > 100')
    await expect(run({ formats: ['parquet'] })).rejects.toMatchObject({
      code: 'data',
      message: expect.stringMatching(/500 rows would be replaced by 100/) as unknown,
      fix: expect.stringContaining('--max-shrink 100%') as unknown,
    })
    await server.query('DELETE FROM t')
    await expect(run({ formats: ['parquet'], maxShrink: 0.9 })).rejects.toMatchObject({ code: 'data' })
    expect((await readFile(path)).equals(before)).toBe(true)
    expect(await filesIn(lake.folder)).toEqual(['parquet/t/t.parquet'])
    expect(await run({ formats: ['parquet'], maxShrink: 1 })).toMatchObject({ status: 'ok', rows: 0 })
  })

  it('of a later read is not replaced by an earlier one', async () => {
    const day: Flags = { ...days('2024-09-02'), formats: ['parquet'] }
    const store = localFileIO()
    let first = true
    const later = {
      ...store,
      stat: async (location: string) => {
        // After the source was read, before the file is published.
        if (first) {
          first = false
          await touch('2024-09-02')
          expect(await run(day)).toMatchObject({ status: 'ok' })
        }
        return store.stat(location)
      },
    }
    const lines: string[] = []
    const summary = await run({ ...day, parquetIO: later, onLog: (line) => void lines.push(line) })
    expect(summary).toMatchObject({ status: 'superseded', files: 0 })
    expect(lines.join()).toContain(fileOf('2024-09-02'))
    expect(
      await queryFiles([fileOf('2024-09-02')], `SELECT count(*) FROM FILES WHERE url = 'corrected'`),
    ).toEqual([['1']])
    expect((await filesIn(lake.folder)).filter((path) => path.endsWith('.tmp'))).toEqual([])
  })

  it('of many days waits in one file, and is the same as that of few', async () => {
    await server.query(`INSERT INTO t SELECT i, timestamptz '2024-09-01 00:00:00+00' + i % 40 * interval '1 day', 'x'
                        FROM generate_series(1000, 5000) i; ANALYZE t`)
    const scratch = `${lake.folder}/scratch`
    let open = 0
    let most = 0
    const store = localFileIO()
    const counting: typeof store = {
      ...store,
      create: async (location, options) => {
        most = Math.max(most, ++open)
        const file = await store.create(location, options)
        const ended = <T>(what: Promise<T>): Promise<T> => what.finally(() => open--)
        return { ...file, close: (look) => ended(file.close(look)), abort: () => ended(file.abort()) }
      },
    }
    const backfill: Flags = {
      ...days('2024-09-01', '2024-10-20'),
      formats: ['parquet'],
      parquetIO: counting,
      scratch,
      groupRows: 500,
    }
    expect(await run(backfill)).toMatchObject({ rows: 4501, files: 50 })
    expect(most).toBe(1)
    expect(await filesIn(scratch)).toEqual([])
    const all = (await filesIn(lake.folder)).map((path) => `${lake.folder}/${path}`)
    expect(all).toHaveLength(50)
    expect(await queryFiles(all, 'SELECT count(*), sum(id), count(url) FROM FILES')).toEqual([
      Object.values(
        (
          await server.query('SELECT count(*)::text AS n, sum(id)::text AS s, count(url)::text AS u FROM t')
        )[0]!,
      ),
    ])
    await run({ ...days('2024-09-03'), formats: ['parquet'], groupRows: 500 })
    expect((await footerOf(fileOf('2024-09-03'))).entries['lakejobs.fingerprint']).toContain('"2024-09-03"')
    expect(await queryFiles([fileOf('2024-10-20')], 'SELECT count(*) FROM FILES')).toEqual([['0']])
  })

  it('of many days leaves nothing behind when it fails', async () => {
    await server.query(`INSERT INTO t VALUES (9999, '2024-09-20 00:00:00+00', NULL); ANALYZE t`)
    const scratch = `${lake.folder}/scratch`
    const controller = new AbortController()
    const flags: Flags = {
      ...days('2024-09-01', '2024-09-20'),
      formats: ['parquet'],
      scratch,
      signal: controller.signal,
      parquetIO: {
        ...localFileIO(),
        stat: () => {
          controller.abort(new Error('stopped'))
          return Promise.resolve(undefined)
        },
      },
    }
    await expect(run(flags)).rejects.toThrow('stopped')
    expect(await filesIn(lake.folder)).toEqual([])
  })
})
