import { expect, it } from '@jest/globals'
import type { JobError } from '../../jobs/errors.ts'
import { eachWithLake } from './each-with-lake.ts'
import { load, runExport } from './lake.ts'

const { server, lake } =
  eachWithLake(`DROP SCHEMA IF EXISTS shop CASCADE; DROP TABLE IF EXISTS a, plain, also; CREATE SCHEMA shop;
   CREATE TABLE a (id int, n numeric, ip money); CREATE TABLE shop.b (id int, n numeric, "p,q" regclass);
   CREATE TABLE plain (id int, other int); INSERT INTO a VALUES (1, 1.5, '1');
   INSERT INTO shop.b VALUES (2, 2.5, 'pg_class'); INSERT INTO plain VALUES (3, 4); ANALYZE a, shop.b, plain`)

const tables = ['a', 'shop.b', 'plain']
const failure = async (...args: Parameters<typeof runExport>): Promise<JobError> =>
  runExport(...args).then(
    () => {
      throw new Error('it was exported')
    },
    (error: unknown) => error as JobError,
  )
const typeOf = async (namespace: string, name: string, column: string): Promise<unknown> =>
  (await load(lake, name, namespace)).metadata.schemas[0]?.fields.find((field) => field.name === column)?.type

it('all that stands in the way of all tables is told at once, and the flags resolve it', async () => {
  const refused = await failure(server, lake, { tables })
  expect(refused.code).toBe('data')
  expect(refused.message.split('; ')).toEqual([
    'public.a.n: type numeric has no fixed scale',
    'public.a.ip: type money has no exact counterpart in the lake',
    'shop.b.n: type numeric has no fixed scale',
    'shop.b.p,q: type regclass has no exact counterpart in the lake',
  ])
  expect(refused.fix).toBe(
    `use --decimal public.a.n=38,9,shop.b.n=38,9 --cast 'public.a.ip=text,shop.b."p,q"=text', or leave columns out with --columns`,
  )
  expect((refused as JobError & { outcome: unknown }).outcome).toMatchObject({
    tables: [
      { status: 'failed', fix: expect.stringContaining('--cast public.a.ip=text') as unknown },
      { status: 'failed' },
      { table: 'default.plain', status: 'ok' },
    ],
  })
  const decimal = { precision: 38, scale: 9 }
  await runExport(server, lake, {
    tables,
    decimals: { 'public.a.n': decimal, 'shop.b.n': decimal },
    casts: { 'public.a.ip': 'text', 'shop.b."p,q"': 'text' },
  })
})

it('a bare name counts where it exists, a table’s own elsewhere not', async () => {
  await runExport(server, lake, {
    tables,
    decimals: { n: { precision: 20, scale: 2 } },
    casts: { 'a.ip': 'text', 'b.p,q': 'text', 'plain.id': 'bigint' },
  })
  expect([
    await typeOf('default', 'a', 'n'),
    await typeOf('shop', 'b', 'n'),
    await typeOf('default', 'plain', 'id'),
    await typeOf('default', 'a', 'id'),
  ]).toEqual(['decimal(20, 2)', 'decimal(20, 2)', 'long', 'int'])
})

it('columns are chosen per table, too', async () => {
  await runExport(server, lake, { tables, columns: ['id', 'plain.other'] })
  const names = async (namespace: string, name: string): Promise<string[]> =>
    (await load(lake, name, namespace)).metadata.schemas[0]!.fields.map((field) => field.name)
  expect([await names('default', 'a'), await names('default', 'plain')]).toEqual([['id'], ['id', 'other']])
  await runExport(server, lake, { tables: ['plain', 'a=default.c'], columns: ['a.id'] })
  expect(await names('default', 'c')).toEqual(['id'])
})

it('what no table has is refused, under the flag that names it, and no table is read', async () => {
  const refused = await failure(server, lake, { tables: ['plain', 'a'], casts: { nosuch: 'text' } })
  expect(refused).toMatchObject({ code: 'usage' })
  expect(refused.message).toContain('--cast: no table of this call has a column nosuch')
  await expect(load(lake, 'plain')).rejects.toThrow()
  expect(await failure(server, lake, { tables: ['plain'], casts: { 'a.ip': 'text' } })).toMatchObject({
    field: '--cast',
    message: 'public.plain has no column a.ip (it has id, other)',
  })
  const days = { scope: { mode: 'day', from: '2024-09-16', to: '2024-09-16' }, dayColumn: 'nosuch' } as const
  const wrong = await failure(server, lake, { tables: ['plain'], ...days })
  expect(wrong).toMatchObject({ code: 'usage', field: '--day-column' })
  expect(wrong.message).toContain('public.plain has no column nosuch')
})

it('a rename counts where its new name is', async () => {
  await runExport(server, lake, { tables: ['plain'] })
  await server.query(
    'ALTER TABLE plain RENAME other TO another; CREATE TABLE also AS SELECT 1 AS id; ANALYZE',
  )
  for (const [index, name] of ['other', 'plain.other', 'public.plain.other'].entries()) {
    await runExport(server, lake, {
      tables: ['plain', `also=default.also_${index}`],
      renames: { [name]: 'another' },
    })
  }
  expect(
    (await load(lake, 'plain')).metadata.schemas.at(-1)!.fields.map(({ id, name }) => [id, name]),
  ).toEqual([
    [1, 'id'],
    [2, 'another'],
  ])
  expect(await failure(server, lake, { tables: ['plain', 'also'], renames: { id: 'nosuch' } })).toMatchObject(
    {
      field: '--rename',
    },
  )
})
