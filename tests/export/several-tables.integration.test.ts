import { expect, it } from '@jest/globals'
import { existsSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { JobError } from '../../jobs/errors.ts'
import type { Catalog } from '../../jobs/iceberg/catalog/catalog.ts'
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

/** The lake's catalog, in which a table is made after `before` it, if that lets it. */
const catalogWith = (before: (name: string) => Promise<void>): Catalog => ({
  ...lake.catalog,
  async create(staged, updates) {
    await before(staged.identifier.name)
    return lake.catalog.create(staged, updates)
  },
})
/** A table's folder is there as soon as its rows come. */
const isRead = (name: string): Promise<void> =>
  until(() => existsSync(`${lake.folder}/iceberg/default/${name}`))
const three = wide.slice(0, 3)

it('reads the next table while one is committed, and commits them in their order', async () => {
  const events: string[] = []
  const catalog = catalogWith(async (name) => {
    events.push(`${name} is committed`)
    if (name === 'pages0') {
      await isRead('pages1')
      await setTimeout(300)
      events.push('the next one has waited')
    }
  })
  expect(await runExport(server, lake, { tables: three, catalog })).toMatchObject({ rows: 3000 })
  const [first, ...others] = three.map((name) => `${name} is committed`)
  expect(events).toEqual([first, 'the next one has waited', ...others])
})

it('a commit that fails beside the next table’s reading is told as its own', async () => {
  const catalog = catalogWith(async (name) => {
    if (name !== 'pages1') return
    await isRead('pages2')
    throw new JobError('failed', 'the catalog is away')
  })
  await expect(runExport(server, lake, { tables: three, catalog })).rejects.toMatchObject({
    message: expect.stringContaining('the catalog is away') as unknown,
    outcome: {
      rows: 2000,
      tables: [
        { table: 'default.pages0', status: 'ok' },
        { table: 'default.pages1', status: 'failed' },
        { table: 'default.pages2', status: 'ok' },
      ],
    },
  })
  expect(await queryTable(await load(lake, 'pages2'), 'SELECT count(*) FROM FILES')).toEqual([['1000']])
})

it('a commit that nobody knows of is told, although the run was stopped while the next table was read', async () => {
  const stop = new AbortController()
  const catalog = catalogWith(async (name) => {
    if (name !== 'pages0') return
    await isRead('pages1')
    stop.abort(new Error('stopped'))
    await setTimeout(200)
    throw new JobError('unknownCommit', 'nobody knows')
  })
  await expect(
    runExport(server, lake, { tables: three, catalog, signal: stop.signal }),
  ).rejects.toMatchObject({
    code: 'unknownCommit',
    outcome: { tables: [{ table: 'default.pages0', status: 'failed' }] },
  })
})

async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 10_000
  while (!holds()) {
    if (Date.now() > end) throw new Error('it did not come')
    await setTimeout(5)
  }
}
