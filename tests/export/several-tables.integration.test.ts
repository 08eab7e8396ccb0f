import { expect, it } from '@jest/globals'
import { eachWithLake } from './each-with-lake.ts'
import { filesIn, load, runExport } from './lake.ts'

const { server, lake } = eachWithLake(`CREATE TABLE t AS SELECT generate_series(1, 10) AS id;
   CREATE SCHEMA shop; CREATE TABLE shop.t AS SELECT 1 AS id; ANALYZE shop.t;
   CREATE TABLE u (a int, b int[]); ANALYZE t, u`)

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
        { table: 'default.u', status: 'failed', error: expect.stringContaining('integer[]') as unknown },
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
