import { expect, it } from '@jest/globals'
import { eachWithLake } from './each-with-lake.ts'
import { filesIn, load, queryTable, runExport } from './lake.ts'

const values = ['n', 'n::bigint', 'n::text', 'n::float8', 'n::numeric(9, 2)', "date '2024-09-24' + n"]
const wide = values.map((_, index) => `pages${index}`)
const makeWide = values.map(
  (value, index) =>
    `CREATE TABLE IF NOT EXISTS pages${index} AS SELECT ${value} AS v FROM generate_series(1, 1000) n;`,
)

const { server, lake } =
  eachWithLake(`${makeWide.join('')} ANALYZE; CREATE TABLE t AS SELECT generate_series(1, 10) AS id;
   CREATE SCHEMA shop; CREATE TABLE shop.t AS SELECT 1 AS id; ANALYZE shop.t;
   CREATE TABLE u (a int, b money); ANALYZE t, u`)

it('several tables go to their namespaces and folders; what cannot be read does not stop the others', async () => {
  const failure: unknown = await runExport(server, lake, {
    tables: ['nope', 'u', 'shop.t', 't', 'public.t=other.renamed'],
    formats: ['iceberg', 'parquet'],
  }).catch((error: unknown) => error)
  // 2 before 3, whichever came first.
  expect(failure).toMatchObject({ code: 'usage', message: expect.stringContaining('nope') as unknown })
  expect(failure).toMatchObject({
    outcome: {
      rows: 21,
      tables: [
        { table: 'default.nope', status: 'failed' },
        { table: 'default.u', status: 'failed', error: expect.stringContaining('money') as unknown },
        { table: 'shop.t', status: 'ok', rows: 1 },
        { table: 'default.t', status: 'ok', rows: 10 },
        { table: 'other.renamed', status: 'ok', rows: 10 },
      ],
    },
  })
  expect(await filesIn(`${lake.folder}/parquet`)).toEqual([
    'other.renamed/other.renamed.parquet',
    'shop.t/shop.t.parquet',
    't/t.parquet',
  ])
  expect((await load(lake, 't', 'shop')).metadata.location).toBe(`file://${lake.folder}/iceberg/shop/t`)
})

it('several tables with one target are refused before anything is read', async () => {
  await expect(runExport(server, lake, { tables: ['t', 'shop.t=default.t'] })).rejects.toMatchObject({
    code: 'usage',
    field: '--table',
  })
})

it('one call exports any number of tables with pages of millions of rows', async () => {
  await runExport(server, lake, { tables: wide })
  const updates = { 'write.parquet.page-row-limit': '5000000' }
  for (const name of wide) {
    await lake.catalog.commit({ namespace: ['default'], name }, [], [{ action: 'set-properties', updates }])
  }
  expect(await runExport(server, lake, { tables: wide })).toMatchObject({ rows: 6000 })
  for (const name of wide) {
    expect(await queryTable(await load(lake, name), 'SELECT count(DISTINCT v) FROM FILES')).toEqual([
      ['1000'],
    ])
  }
})
