import { describe, expect, it } from '@jest/globals'
import { parsePartitionExpression } from '../../jobs/iceberg/partition/transforms.ts'
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
  type TestLake,
} from './lake.ts'

// Three days of 1000 rows each, and ten rows without a time.
const { server, lake } = eachWithLake(`
    CREATE TABLE t (id int NOT NULL, at timestamptz, url text);
    INSERT INTO t SELECT i, timestamptz '2024-09-01 00:00:00+00' + i % 3 * interval '1 day' + i * interval '1 second',
                         '/page/' || i % 7 FROM generate_series(1, 3000) i;
    INSERT INTO t SELECT i, NULL, NULL FROM generate_series(3001, 3010) i;
    CREATE INDEX ON t (at); ANALYZE t`)

const run = (flags: Flags = {}): ReturnType<typeof runExport> => runExport(server, lake, flags)
const byDay: Flags = { partitionBy: ['day(at)'] }
const days = (from: string, to = from): Flags => ({ scope: { mode: 'day', from, to } })

/** Rows, sum of ids, and NULL times: in the table's files, and in the source under a condition. */
const digest = 'SELECT count(*)::text AS n, sum(id)::text AS ids, (count(*) - count("at"))::text AS nulls'
const inLake = async (name = 't'): Promise<unknown> =>
  (await queryTable(await load(lake, name), `${digest} FROM FILES`))[0]
const inSource = async (condition = 'true'): Promise<unknown> =>
  Object.values((await server.query(`${digest} FROM t WHERE ${condition}`))[0]!)

describe('full', () => {
  it('makes tables as EXPORT_PARTITION_BY says; those that exist, and those made by day, stay as they are', async () => {
    const names = async (name: string): Promise<string[]> =>
      (await load(lake, name)).metadata['partition-specs'].at(-1)!.fields.map((field) => field.name)
    const newTablesBy = [parsePartitionExpression('bucket(4, id)')]
    await run({ newTablesBy })
    expect(await names('t')).toEqual(['id_bucket'])
    await run({ newTablesBy: [parsePartitionExpression('day(at)')] })
    expect(await names('t')).toEqual(['id_bucket'])
    await run({ ...days('2024-09-02'), tables: ['public.t=default.d'], newTablesBy })
    expect(await names('d')).toEqual(['at_day'])
  })

  it('leaves a table unpartitioned that has not all columns of EXPORT_PARTITION_BY, and says so', async () => {
    const newTablesBy = ['day(at)', 'day(timestamp)'].map((text) => parsePartitionExpression(text))
    const planned = await run({ newTablesBy, dryRun: true })
    expect(planned.tables?.[0]?.plan?.['changes']).toEqual([
      'create table default.t',
      'unpartitioned: EXPORT_PARTITION_BY names timestamp, which it has not',
    ])
    await run({ newTablesBy })
    expect((await load(lake)).metadata['partition-specs'].at(-1)?.fields).toEqual([])
  })

  it('refuses what EXPORT_PARTITION_BY cannot do with a column, by its name', async () => {
    const refusal = { code: 'usage', field: 'EXPORT_PARTITION_BY' }
    const message = expect.stringContaining('EXPORT_PARTITION_BY day of id') as unknown
    const newTablesBy = [parsePartitionExpression('day(id)')]
    await expect(run({ newTablesBy })).rejects.toMatchObject({ ...refusal, message })
    const flag = { code: 'usage', field: '--partition-by' }
    await expect(run({ newTablesBy, partitionBy: ['day(id)'] })).rejects.toMatchObject(flag)
    const unfinished = (): unknown => parsePartitionExpression('day(', 'EXPORT_PARTITION_BY')
    expect(unfinished).toThrow(/^EXPORT_PARTITION_BY day\(/)
  })

  it('creates the table, unpartitioned and optional, with one snapshot', async () => {
    const outcome = await run({ formats: ['iceberg', 'parquet'] })
    const table = await load(lake)
    expect(table.metadata.snapshots).toHaveLength(1)
    expect(table.metadata['partition-specs'].at(-1)?.fields).toEqual([])
    expect(table.metadata.schemas[0]!.fields.map(({ id, required }) => [id, required])).toEqual([
      [1, false],
      [2, false],
      [3, false],
    ])
    expect(outcome.tables).toEqual([
      {
        table: 'default.t',
        status: 'ok',
        changes: ['create table default.t'],
        mode: 'full',
        rows: 3010,
        files: 2,
        bytes: expect.any(Number) as unknown,
        snapshotId: String(currentSnapshot(table)['snapshot-id']),
        metadataLocation: table.metadataLocation,
        parquetLocation: `file://${lake.folder}/parquet/t/t.parquet`,
      },
    ])
    expect(await inLake()).toEqual(await inSource())
    expect(await queryFiles([`${lake.folder}/parquet/t/t.parquet`], `${digest} FROM FILES`)).toEqual([
      await inSource(),
    ])
  })

  it('twice gives the same rows, one more snapshot and right totals', async () => {
    await run()
    await run()
    const table = await load(lake)
    expect(table.metadata.snapshots).toHaveLength(2)
    expect(currentSnapshot(table).summary).toMatchObject({
      operation: 'overwrite',
      'added-records': '3010',
      'deleted-records': '3010',
      'total-records': '3010',
      'total-data-files': '1',
    })
    expect(await inLake()).toEqual(await inSource())
  })

  it('changes the partitioning and replaces all files in one snapshot', async () => {
    await run()
    await run(byDay)
    const table = await load(lake)
    expect(table.metadata.snapshots).toHaveLength(2)
    const files = await dataFilesOf(table)
    expect(files.map(({ partition }) => partition[0]).sort()).toEqual([19967, 19968, 19969, null])
    expect(new Set(files.map(({ specId }) => specId))).toEqual(new Set([table.metadata['default-spec-id']]))
    expect(await inLake()).toEqual(await inSource())
  })

  it('puts rows of one partition together, also when there are more of them than open files', async () => {
    await run({ partitionBy: ['bucket(50, id)', 'url'] })
    const table = await load(lake)
    const partitions = new Set((await dataFilesOf(table)).map(({ partition }) => partition.join()))
    expect(partitions.size).toBeGreaterThan(256)
    expect(await inLake()).toEqual(await inSource())
    expect(await unreferenced(lake, table)).toEqual([])
  })

  it('writes one file for each of a few partitions, however their rows are mixed', async () => {
    await run({ partitionBy: ['bucket(16, id)'], groupBytes: 2000 })
    const buckets = (await dataFilesOf(await load(lake))).map(({ partition }) => Number(partition[0]))
    expect(buckets.sort((a, b) => a - b)).toEqual([...Array(16).keys()])
    expect(await inLake()).toEqual(await inSource())
  })

  it('finishes files at the target size', async () => {
    await run({ targetFileBytes: 1000, groupRows: 500 })
    const files = await dataFilesOf(await load(lake))
    expect(files.length).toBeGreaterThan(1)
    expect(files.reduce((sum, { recordCount }) => sum + recordCount, 0)).toBe(3010)
  })

  it('follows the source: a new column, a wider one, one that went', async () => {
    await run()
    await server.query(
      'ALTER TABLE t ADD COLUMN extra text, ALTER COLUMN id TYPE bigint, DROP COLUMN url; ANALYZE t',
    )
    await run()
    const { metadata } = await load(lake)
    const schema = metadata.schemas.find((one) => one['schema-id'] === metadata['current-schema-id'])!
    expect(schema.fields.map(({ id, name, type }) => [id, name, type])).toEqual([
      [1, 'id', 'long'],
      [2, 'at', 'timestamptz'],
      [3, 'url', 'string'],
      [4, 'extra', 'string'],
    ])
    expect(await inLake()).toEqual(await inSource())
  })

  it('reads a source narrower than the table as what the table has', async () => {
    await server.query('ALTER TABLE t ALTER COLUMN id TYPE bigint; ANALYZE t')
    await run()
    await server.query('ALTER TABLE t ALTER COLUMN id TYPE int; ANALYZE t')
    await run()
    expect(await inLake()).toEqual(await inSource())
    const { metadata } = await load(lake)
    expect(metadata.schemas).toHaveLength(1)
    expect(metadata.schemas[0]!.fields[0]!.type).toBe('long')
  })

  it('names the cast for a source of another type than the table', async () => {
    await run()
    const before = await inSource()
    await server.query('ALTER TABLE t ALTER COLUMN id TYPE text; ANALYZE t')
    await expect(run()).rejects.toMatchObject({
      code: 'data',
      fix: expect.stringContaining("--cast 'id=integer'") as unknown,
    })
    await run({ casts: { id: 'integer' } })
    expect(await inLake()).toEqual(before)
  })

  it('keeps NOT NULL with --required, and a later run without the flag leaves it', async () => {
    await run({ required: true })
    await run()
    const { metadata } = await load(lake)
    expect(metadata.schemas).toHaveLength(1)
    expect(metadata.schemas[0]!.fields.map(({ required }) => required)).toEqual([true, false, false])
    await server.query('ALTER TABLE t ALTER COLUMN id DROP NOT NULL')
    await run()
    expect((await load(lake)).metadata.schemas.at(-1)!.fields[0]!.required).toBe(false)
  })

  it('takes columns in the order of --columns', async () => {
    await run({ columns: ['url', 'id'] })
    expect((await load(lake)).metadata.schemas[0]!.fields.map(({ name }) => name)).toEqual(['url', 'id'])
    await expect(run({ columns: ['url', 'nope'] })).rejects.toMatchObject({
      code: 'usage',
      field: '--columns',
    })
  })

  it('a table of no rows is a table of no rows', async () => {
    await server.query('TRUNCATE t; ANALYZE t')
    await run({ formats: ['iceberg', 'parquet'] })
    await run({ formats: ['iceberg', 'parquet'] })
    expect(await dataFilesOf(await load(lake))).toEqual([])
    expect(await queryFiles([`${lake.folder}/parquet/t/t.parquet`], 'SELECT count(*) FROM FILES')).toEqual([
      ['0'],
    ])
  })

  it.each([1, 2, 3000])('row %d may be as large as the limit, and no larger', async (row) => {
    await server.query(`UPDATE t SET url = CASE WHEN id = ${row} THEN repeat('x', 100) ELSE '' END;
                        CREATE TABLE u AS SELECT url FROM t ORDER BY id; ANALYZE u`)
    // Two bytes for the number of columns, four for the length.
    await run({ tables: ['u'], maxRowBytes: 106 })
    await expect(run({ tables: ['u'], maxRowBytes: 105 })).rejects.toMatchObject({
      code: 'data',
      field: 'public.u',
      message: expect.stringMatching(/a row of 106 bytes \(limit 105\) at ctid/) as unknown,
      fix: 'raise --max-row-bytes',
    })
  })

  it('a table without columns is refused', async () => {
    await server.query('CREATE TABLE u (); ANALYZE u')
    await expect(run({ tables: ['u'] })).rejects.toMatchObject({ code: 'data', field: 'public.u' })
  })
})

describe('the shrink guard', () => {
  it('refuses to replace rows by far fewer, and by none, and leaves no file', async () => {
    await run()
    await server.query('DELETE FROM t WHERE id > 1000')
    await expect(run()).rejects.toMatchObject({
      code: 'data',
      message: expect.stringMatching(/3010.*1000/) as unknown,
      fix: expect.stringContaining('--max-shrink 100%') as unknown,
    })
    await server.query('DELETE FROM t')
    await expect(run({ maxShrink: 0.99 })).rejects.toMatchObject({ code: 'data' })
    expect(await unreferenced(lake, await load(lake))).toEqual([])
    await run({ maxShrink: 1 })
    expect(await dataFilesOf(await load(lake))).toEqual([])
    expect(currentSnapshot(await load(lake)).summary).toMatchObject({
      operation: 'delete',
      'total-records': '0',
    })
  })

  it('looks at the days only in day mode', async () => {
    await run(byDay)
    await server.query(`DELETE FROM t WHERE at < '2024-09-02 00:00+00'`)
    await expect(run(days('2024-09-01'))).rejects.toMatchObject({ code: 'data' })
    await run(days('2024-09-01', '2024-09-03'))
    expect(await inLake()).toEqual(await inSource())
  })
})

describe('day', () => {
  it('creates a table partitioned by day, and replaces its days only', async () => {
    await run(days('2024-09-02'))
    const condition = `at >= '2024-09-02 00:00+00' AND at < '2024-09-03 00:00+00'`
    expect(await inLake()).toEqual(await inSource(condition))
    await run(days('2024-09-01', '2024-09-03'))
    expect(await inLake()).toEqual(await inSource('at IS NOT NULL'))
    await server.query(`UPDATE t SET url = 'corrected'`)
    await run(days('2024-09-02'))
    expect(await inLake()).toEqual(await inSource('at IS NOT NULL'))
    expect(await queryTable(await load(lake), `SELECT count(*) FROM FILES WHERE url = 'corrected'`)).toEqual([
      ['1000'],
    ])
    expect((await load(lake)).metadata.snapshots).toHaveLength(3)
  })

  it('leaves NULL times to full', async () => {
    await run(byDay)
    await run(days('2024-09-01', '2024-09-03'))
    expect(await inLake()).toEqual(await inSource())
  })

  it('writes plain Parquet by day, an empty file for an empty day', async () => {
    await run({ ...days('2024-09-03', '2024-09-04'), formats: ['parquet'] })
    expect(await filesIn(lake.folder)).toEqual([
      'parquet/t_by_day/at_day=2024-09-03/t.parquet',
      'parquet/t_by_day/at_day=2024-09-04/t.parquet',
    ])
    const count = (day: string): ReturnType<typeof queryFiles> =>
      queryFiles([`${lake.folder}/parquet/t_by_day/at_day=${day}/t.parquet`], 'SELECT count(*) FROM FILES')
    expect([await count('2024-09-03'), await count('2024-09-04')]).toEqual([[['1000']], [['0']]])
  })

  it('of an empty interval changes nothing', async () => {
    await run(byDay)
    const before = (await load(lake)).metadataLocation
    await run(days('2023-01-01', '2023-01-05'))
    expect((await load(lake)).metadataLocation).toBe(before)
  })

  it.each([
    ['unpartitioned', {}],
    ['by bucket', { partitionBy: ['bucket(4, id)'] }],
  ] as const)('refuses a table that is %s and names the way out', async (_, flags) => {
    await run(flags)
    await expect(run(days('2024-09-02'))).rejects.toMatchObject({
      code: 'usage',
      field: '--mode',
      fix: expect.stringContaining(`--mode full --partition-by 'day(at)'`) as unknown,
    })
    await run(byDay)
    await run(days('2024-09-02'))
    expect(await inLake()).toEqual(await inSource())
  })

  it('works on a table partitioned by the hour and something else', async () => {
    await run({ partitionBy: ['hour(at)', 'bucket(2, id)'] })
    await server.query(`DELETE FROM t WHERE id = 4`)
    await run({ ...days('2024-09-02'), formats: ['iceberg', 'parquet'] })
    expect(await inLake()).toEqual(await inSource())
    expect(await filesIn(`${lake.folder}/parquet`)).toEqual(['t_by_day/at_day=2024-09-02/t.parquet'])
  })

  it('refuses columns without that of the days or of the partition', async () => {
    for (const formats of [['iceberg'], ['parquet']] as const) {
      await expect(run({ ...days('2024-09-02'), columns: ['id'], formats })).rejects.toMatchObject({
        code: 'usage',
        field: '--columns',
      })
    }
    await run(byDay)
    await expect(run({ columns: ['id'] })).rejects.toMatchObject({ code: 'usage', field: '--columns' })
  })

  it('asks which column when there are two, and takes the one of the table', async () => {
    await server.query(`ALTER TABLE t ADD COLUMN "On" date DEFAULT '2024-09-02'; ANALYZE t`)
    await expect(run(days('2024-09-02'))).rejects.toMatchObject({ code: 'usage', field: '--day-column' })
    await run({ ...days('2024-09-02'), dayColumn: 'On' })
    expect(await inLake()).toEqual(await inSource())
    await run(days('2024-09-02'))
    expect(await inLake()).toEqual(await inSource())
  })

  it('works where the column of the days is the only one', async () => {
    await server.query('CREATE TABLE u AS SELECT at FROM t; ANALYZE u')
    await run({ ...days('2024-09-02'), tables: ['u'], formats: ['iceberg', 'parquet'] })
    expect(await queryTable(await load(lake, 'u'), 'SELECT count(*), count("at") FROM FILES')).toEqual([
      ['1000', '1000'],
    ])
  })
})

describe('a dry run', () => {
  it('plans and writes nothing', async () => {
    const outcome = await run({ dryRun: true, formats: ['iceberg', 'parquet'], ...byDay })
    expect(outcome.tables).toMatchObject([
      {
        status: 'ok',
        plan: {
          estimatedRows: 3010,
          partitionedBy: ['at_day'],
          replacedRows: 0,
          columns: [
            { name: 'id', source: 'integer', id: 1, type: 'int' },
            { name: 'at', type: 'timestamptz' },
            { name: 'url', type: 'string' },
          ],
        },
      },
    ])
    expect(await filesIn(lake.folder)).toEqual([])
    expect(await lake.catalog.listNamespaces()).toEqual([])
    await run()
    const before = await filesIn(lake.folder)
    const again = await run({ dryRun: true, ...byDay })
    expect(again.tables).toMatchObject([
      { plan: { replacedRows: 3010, replacedFiles: 1, changes: ['partition by day of at'] } },
    ])
    expect(await filesIn(lake.folder)).toEqual(before)
  })
})

describe('plain Parquet alone', () => {
  it('asks no catalog', async () => {
    const none = new Proxy({} as TestLake['catalog'], {
      get: () => {
        throw new Error('the catalog was asked')
      },
    })
    await run({ formats: ['parquet'], catalog: none })
    expect(await filesIn(lake.folder)).toEqual(['parquet/t/t.parquet'])
  })
})
