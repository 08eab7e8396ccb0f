import { describe, expect, it } from '@jest/globals'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { eachWithLake } from '../export/each-with-lake.ts'
import { runExport, type Flags } from '../export/lake.ts'
import { results, runVerify, type VerifyFlags } from './verify-lake.ts'

const { server, lake } = eachWithLake(`
    CREATE TABLE t (id int NOT NULL, at timestamptz, url text, price numeric(9,2));
    INSERT INTO t SELECT i, timestamptz '2024-09-01 00:00:00+00' + i % 3 * interval '1 day' + i * interval '1 second',
                         NULLIF('/a page that is longer than twelve/' || i % 7, '/a page that is longer than twelve/0'), i / 100.0
                  FROM generate_series(1, 300) i;
    ANALYZE t`)

const [first, second, third] = ['2024-09-01', '2024-09-02', '2024-09-03'] as const
const days: Flags = { scope: { mode: 'day', from: first, to: third } }
const plain = (flags: Flags = {}): ReturnType<typeof runExport> =>
  runExport(server, lake, { formats: ['parquet'], ...flags })
const verified = (flags: VerifyFlags = {}): ReturnType<typeof results> =>
  results(server, lake, { formats: new Set(['parquet'] as const), ...flags })
const whole = (): string => `${lake.folder}/parquet/t/t.parquet`
const ofDay = (day: string): string => `${lake.folder}/parquet/t_by_day/at_day=${day}/t.parquet`
const allMatch = { [first]: 'match', [second]: 'match', [third]: 'match' }

describe('plain Parquet', () => {
  it('matches, whole and by day, and is read of the source once for both and Iceberg', async () => {
    await plain({ formats: ['parquet', 'iceberg'] })
    await plain(days)
    const outcome = await runVerify(server, lake, { formats: new Set(['parquet', 'iceberg'] as const) })
    expect(outcome.tables).toMatchObject([
      {
        table: 'default.t',
        snapshotId: expect.any(String) as unknown,
        verified: { match: 1, against: 'source' },
      },
      { parquetLocation: `file://${whole()}`, rows: 300, files: 1, verified: { match: 1, columns: 4 } },
      { parquetLocation: `file://${lake.folder}/parquet/t_by_day`, files: 3, verified: { match: 3 } },
    ])
    const written = { against: 'written', days: { from: first, to: second } } as const
    expect((await verified(written)).found).toEqual({ [first]: 'match', [second]: 'match' })
    expect((await verified({ counts: true })).found).toEqual({ all: 'match' })
  })

  it('counts of the whole file are compared with all that was written, though it is known by day', async () => {
    await plain({ formats: ['parquet', 'iceberg'], partitionBy: ['day(at)'], codec: 'none' })
    expect((await verified()).found).toEqual(allMatch)
    expect(await verified({ counts: true })).toMatchObject({ code: 'ok', found: { all: 'match' } })
    const bytes = readFileSync(whole())
    bytes[bytes.indexOf('longer than twelve')]! ^= 1
    writeFileSync(whole(), bytes)
    const { code, table } = await verified({ against: 'written' })
    // A day's export would write another file.
    expect([code, table.fix]).toEqual([
      'data',
      expect.stringMatching(/ --format parquet --mode full --force$/),
    ])
  })

  it('a source that changed, and a file that another day’s rows came into', async () => {
    await plain(days)
    await server.query(`UPDATE t SET price = price + 0.01 WHERE id = 3`)
    expect(await verified()).toMatchObject({ code: 'ok', found: { ...allMatch, [first]: 'changed' } })
    writeFileSync(ofDay(second), readFileSync(ofDay(third)))
    const { code, found, table } = await verified({ against: 'written' })
    expect([code, found]).toEqual(['data', { ...allMatch, [second]: 'mismatch' }])
    expect(table.verified?.intervals[0]?.reason).toMatch(/at_day=2024-09-02.* says that it has other rows/)
  })

  it('a changed byte, a damaged file, one of another program, a day without a file', async () => {
    await plain({ codec: 'none', ...days })
    const bytes = readFileSync(ofDay(second))
    const changed = Buffer.from(bytes)
    changed[bytes.indexOf('longer than twelve')]! ^= 1
    writeFileSync(ofDay(second), changed)
    expect(await verified({ against: 'written' })).toMatchObject({
      code: 'data',
      found: { ...allMatch, [second]: 'mismatch' },
    })
    writeFileSync(ofDay(second), bytes.subarray(0, 500))
    expect((await verified()).found).toEqual({ ...allMatch, [second]: 'incomplete' })
    const entries = Buffer.from(
      bytes.toString('latin1').replaceAll('lakejobs.source', 'somebody.source'),
      'latin1',
    )
    writeFileSync(ofDay(second), entries)
    expect(await verified()).toMatchObject({ code: 'ok', found: { ...allMatch, [second]: 'unverified' } })
    rmSync(ofDay(second))
    const asked = await verified({ days: { from: first, to: third }, strict: true })
    expect(asked).toMatchObject({ code: 'data', found: { ...allMatch, [second]: 'unverified' } })
    expect((await verified()).found).toEqual({ [first]: 'match', [third]: 'match' })
  })

  it('files that were read in other ways are compared each by its own', async () => {
    await plain(days)
    await server.query('ALTER TABLE t ADD more text; ANALYZE t')
    await plain({ scope: { mode: 'day', from: second, to: second } })
    const { tables } = await runVerify(server, lake, { formats: new Set(['parquet'] as const) })
    expect(tables?.map(({ files, verified: one }) => [files, one?.columns, one?.match]).sort()).toEqual([
      [1, 5, 1],
      [2, 4, 2],
    ])
  })

  it('none at all is a fault only where nothing else is asked for', async () => {
    expect((await verified()).table.error).toContain('no plain Parquet file of table default.t')
    await runExport(server, lake)
    const outcome = await runVerify(server, lake, { formats: new Set(['parquet', 'iceberg'] as const) })
    expect(outcome.tables).toHaveLength(1)
    mkdirSync(dirname(whole()), { recursive: true })
    writeFileSync(whole(), 'PAR1')
    expect(await verified()).toMatchObject({ code: 'data', found: { all: 'incomplete' } })
  })
})

describe('days of a table that has one file with all rows', () => {
  it('have no files, which is said, and the table is left out where nobody named it', async () => {
    await plain({ formats: ['parquet', 'iceberg'] })
    const asked = { formats: new Set(['parquet'] as const), days: { from: first, to: second } }
    await expect(runVerify(server, lake, asked)).rejects.toMatchObject({
      code: 'data',
      field: '--date',
      message: `there are no plain Parquet files of days of table default.t at file://${lake.folder}/parquet`,
    })
    expect((await runVerify(server, lake, { ...asked, tables: 'managed' })).tables).toEqual([])
  })
})

describe('without --table', () => {
  it('all tables that exports made are verified, each against its own source', async () => {
    await expect(runVerify(server, lake, { tables: 'managed' })).rejects.toThrow(
      'no table that an export made',
    )
    await server.query('CREATE TABLE other AS SELECT id FROM t; ANALYZE other')
    await runExport(server, lake, { tables: ['public.t', 'public.other=else.where'] })
    await server.query('DELETE FROM other WHERE id = 1')
    const { tables } = await runVerify(server, lake, { tables: 'managed' })
    expect(tables).toMatchObject([
      { table: 'default.t', verified: { against: 'source', match: 1 } },
      { table: 'else.where', verified: { against: 'source', changed: 1 } },
    ])
    const table = await lake.catalog.load({ namespace: ['default'], name: 't' })
    expect(table.metadata.properties['lakejobs.managed']).toBe('true')
    const property = (value: string | undefined): Promise<unknown> =>
      lake.catalog.commit(
        table.identifier,
        [],
        value === undefined
          ? [{ action: 'remove-properties', removals: ['lakejobs.managed'] }]
          : [{ action: 'set-properties', updates: { 'lakejobs.managed': value } }],
      )
    await property('false')
    expect((await runVerify(server, lake, { tables: 'managed' })).tables).toHaveLength(1)
    await property(undefined)
    expect((await runVerify(server, lake, { tables: 'managed' })).tables).toHaveLength(2)
  })
})
