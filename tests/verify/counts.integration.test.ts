import { expect, it } from '@jest/globals'
import { rmSync } from 'node:fs'
import { append } from '../../jobs/iceberg/snapshot/operations.ts'
import { eachWithLake } from '../export/each-with-lake.ts'
import { dataFilesOf, load, runExport } from '../export/lake.ts'
import { parquetFolder } from '../lake/parquet-folder.ts'
import { commit, results, threeDays } from './verify-lake.ts'

const { server, lake } = eachWithLake(threeDays)
const [first, second, third] = ['2024-09-01', '2024-09-02', '2024-09-03'] as const
const formats = { parquet: { formats: new Set(['parquet'] as const) } }
const counted = { counts: true, strict: true }

it('rows of a file that does not tell their days are compared as one with those of all days', async () => {
  await runExport(server, lake, { formats: ['parquet', 'iceberg'], partitionBy: ['day(at)'] })
  const plain = await results(server, lake, { ...counted, ...formats.parquet })
  expect([plain.code, plain.found]).toEqual(['ok', { all: 'match' }])
  expect(plain.table.verified?.intervals[0]).toMatchObject({ rows: 310, writtenRows: 310 })
  const byDay = { [first]: 'match', [second]: 'match', [third]: 'match', null: 'match' }
  expect(await results(server, lake, counted)).toMatchObject({ code: 'ok', found: byDay })
})

it('no rows are as many as were written', async () => {
  await server.query('TRUNCATE t; ANALYZE t')
  await runExport(server, lake, { formats: ['parquet'] })
  const { code, found } = await results(server, lake, { ...counted, ...formats.parquet })
  expect([code, found]).toEqual(['ok', { all: 'match' }])
})

it('of a file that others have added without a day, days that are asked for are not proven', async () => {
  await runExport(server, lake, { partitionBy: ['day(at)'] })
  await runExport(server, lake, { tables: ['public.t=default.other'] })
  const table = await load(lake)
  const files = (await dataFilesOf(await load(lake, 'other'))).map((file) => ({ ...file, specId: 1 }))
  const tableUpdates = [{ action: 'add-spec', spec: { 'spec-id': 1, fields: [] } }] as const
  await commit(lake, table, { ...append({ metadata: table.metadata }, files), tableUpdates })
  const days = { from: first, to: first }
  const asked = await results(server, lake, { counts: true, days })
  expect([asked.code, asked.found]).toEqual(['ok', { [first]: 'unverified' }])
  expect(asked.table.verified?.intervals[0]?.reason).toMatch(
    /^file .*: of which days its rows are, only reading them tells$/,
  )
  const whole = await results(server, lake, { counts: true })
  expect([whole.code, whole.found]).toEqual(['ok', { all: 'unverified' }])
  expect(whole.table.verified?.intervals[0]).toMatchObject({
    rows: 620,
    reason: expect.stringContaining('written by others') as unknown,
  })
})

it('of a table of others without a column that can be compared, the rows are counted', async () => {
  const identifier = { namespace: ['default'], name: 'a' }
  const schema = {
    type: 'struct',
    'schema-id': 0,
    fields: [
      {
        ...{ id: 1, name: 'point', required: false },
        type: { type: 'struct', fields: [{ id: 2, name: 'x', required: false, type: 'int' }] },
      },
    ],
  } as const
  await runExport(server, lake, { tables: ['public.t=default.other'], formats: ['iceberg'] })
  const staged = await lake.catalog.stageCreate(identifier, {
    schema,
    properties: { 'lakejobs.managed': 'true' },
  })
  const table = await lake.catalog.create(staged, [])
  const files = await parquetFolder()
  try {
    const file = await files.dataFile(
      `SELECT {'x': i::int} AS point FROM range(5) r(i)`,
      { point: '{__duckdb_field_id: 1, x: 2}' },
      5,
    )
    await commit(lake, table, append({ metadata: table.metadata }, [file]))
    const { code, found, table: summary } = await results(server, lake, { tables: 'managed' })
    expect([code, found]).toEqual(['ok', { all: 'unverified' }])
    expect(summary.verified).toMatchObject({ columns: 0, columnsNotCompared: ['point'] })
    expect(summary.verified?.intervals[0]).toMatchObject({ rows: 5 })
    expect(summary.fix).toBe('say of which table it is: lakejobs verify --table SOURCE=default.a')
    rmSync(new URL(file.filePath))
    const gone = await results(server, lake, { tables: 'managed' })
    expect(gone).toMatchObject({ code: 'data', found: { all: 'incomplete' } })
    expect(gone.table.fix).toBe('have the program that wrote it write these rows again')
  } finally {
    await files.remove()
  }
})
