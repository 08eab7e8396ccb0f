import { expect, it } from '@jest/globals'
import type { JobError } from '../../jobs/errors.ts'
import { eachWithLake } from './each-with-lake.ts'
import { filesIn, load, queryTable, runExport, type Flags } from './lake.ts'

const each = eachWithLake(`DROP TABLE IF EXISTS a, b, c, d, t;
  CREATE TABLE a (id int, at date, ip money);
  CREATE TABLE b (id int, at date, other int); CREATE TABLE c (id int, at date); CREATE TABLE d (id int, at date);
  INSERT INTO a VALUES (1, '2024-09-16', '1'); INSERT INTO b VALUES (2, '2024-09-16', 5);
  INSERT INTO c VALUES (3, '2024-09-16'); INSERT INTO d VALUES (4, '2024-09-16'); ANALYZE a, b, c, d`)
const { server } = each
const { lake } = each

const day: Flags = { scope: { mode: 'day', from: '2024-09-16', to: '2024-09-16' } }
const both = ['iceberg', 'parquet'] as const
const failure = async (
  flags: Flags,
): Promise<JobError & { readonly outcome: { readonly tables?: unknown } }> =>
  runExport(server, lake, flags).then(
    () => {
      throw new Error('it was exported')
    },
    (error: unknown) => error as JobError,
  )
const told = ({ message }: JobError): string[] => message.split('; ')

it('faults of sources and of targets of several tables are one error, and the table without any is exported', async () => {
  await runExport(server, lake, { tables: ['b'] })
  await runExport(server, lake, { tables: ['c'], formats: ['parquet'], ...day })
  await server.query(
    'CREATE SCHEMA IF NOT EXISTS other; DROP TABLE IF EXISTS other.c; CREATE TABLE other.c AS TABLE c; ANALYZE',
  )
  const refused = await failure({ tables: ['a', 'b', 'other.c=default.c', 'd'], formats: both, ...day })
  expect(told(refused)).toEqual([
    'public.a.ip: type money has no exact counterpart in the lake',
    'table default.b is not partitioned by day(at)',
    expect.stringMatching(/c\.parquet holds public\.c/),
    expect.stringMatching(/^this run would replace it by other\.c/),
  ])
  expect(refused.code).toBe('usage')
  expect(refused.fix).toContain('--cast public.a.ip=text')
  expect(refused.fix).toContain(`--mode full --partition-by 'day(at)'`)
  expect(refused.fix).toContain('--table source=namespace.name')
  expect(refused.outcome).toMatchObject({
    tables: [
      { table: 'default.a', status: 'failed' },
      { table: 'default.b', status: 'failed' },
      { table: 'default.c', status: 'failed' },
      { table: 'default.d', status: 'ok', rows: 1 },
    ],
  })
  expect(await queryTable(await load(lake, 'd'), 'SELECT id FROM FILES')).toEqual([['4']])
})

it('so are those of one table: its columns, its schema, its partitions, its plain file', async () => {
  await runExport(server, lake, { tables: ['b'], formats: both })
  await server.query(`
    CREATE TABLE t (LIKE b); INSERT INTO t SELECT * FROM b; DROP TABLE b; CREATE TABLE b (id text, at date, other money);
    INSERT INTO b VALUES ('x', '2024-09-16', '1'); ANALYZE b`)
  const before = await filesIn(lake.folder)
  const dryRun = await failure({ tables: ['b'], formats: both, ...day, dryRun: true })
  const refused = await failure({ tables: ['b'], formats: both, ...day })
  expect(told(refused)).toEqual([
    'public.b.other: type money has no exact counterpart in the lake',
    'the source of table default.b changed in a way Iceberg cannot follow: id is int in the table and string in the source',
    'table default.b is not partitioned by day(at)',
  ])
  expect(told(dryRun)).toEqual(told(refused))
  const full = await failure({ tables: ['b'], formats: both, columns: ['at', 'other'] })
  expect(told(full)).toEqual([
    'public.b.other: type money has no exact counterpart in the lake',
    '--columns leaves out id, which table default.b has: the values would go',
    expect.stringMatching(/^--columns leaves out id, which file:.*b\.parquet has: the values would go$/),
  ])
  expect(await filesIn(lake.folder)).toEqual(before)
})

it('the fix for a table of several is for that table alone, and works', async () => {
  await server.query('ALTER TABLE b RENAME other TO "the other"')
  await runExport(server, lake, { tables: ['b', 'd'] })
  await server.query(
    `ALTER TABLE b ALTER id TYPE text, ALTER "the other" TYPE text; ALTER TABLE d ALTER id TYPE bigint; ANALYZE`,
  )
  const { fix = '' } = await failure({ tables: ['b', 'd'] })
  const casts = Object.fromEntries(
    [...fix.matchAll(/--cast '([^=]+)=([^']+)'/g)].map(([, column = '', type = '']) => [column, type]),
  )
  expect(casts).toEqual({ 'public.b.id': 'integer', 'public.b."the other"': 'integer' })
  await runExport(server, lake, { tables: ['b', 'd'], casts })
  expect(await queryTable(await load(lake, 'b'), 'SELECT id, "the other" FROM FILES')).toEqual([['2', '5']])
  expect(await queryTable(await load(lake, 'd'), 'SELECT id, typeof(id) FROM FILES')).toEqual([
    ['4', 'BIGINT'],
  ])
})

it('a column that cannot be read is one fault, also where the table is partitioned by it or has it', async () => {
  await runExport(server, lake, { tables: ['b'], partitionBy: ['bucket(2, other)'] })
  await server.query(`ALTER TABLE b ALTER other TYPE money USING '1'; ANALYZE b`)
  const alone = ['public.b.other: type money has no exact counterpart in the lake']
  for (const partitionBy of [undefined, ['bucket(4, other)']]) {
    const flags = partitionBy === undefined ? {} : { partitionBy }
    expect(told(await failure({ tables: ['b'], ...flags }))).toEqual(alone)
  }
  // Read as a date it may be partitioned by its days.
  const fresh: Flags = { tables: ['b=default.fresh'], partitionBy: ['day(other)'] }
  expect(told(await failure(fresh))).toEqual(alone)
})
