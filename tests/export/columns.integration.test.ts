import { expect, it } from '@jest/globals'
import type { JobError } from '../../jobs/errors.ts'
import { pairs } from '../../jobs/commands/flags/export-flags.ts'
import type { TableUpdate } from '../../jobs/iceberg/metadata/updates.ts'
import type { Schema } from '../../jobs/iceberg/schema/schema.ts'
import type { TableSummary } from '../../jobs/summary.ts'
import { results } from '../verify/verify-lake.ts'
import { eachWithLake } from './each-with-lake.ts'
import { load, queryFiles, queryTable, runExport, type Flags } from './lake.ts'

const { server, lake } = eachWithLake(`
    CREATE TABLE t AS SELECT i AS id, timestamptz '2024-09-01 00:00:00+00' AS at, i AS a, i AS "p,q"
      FROM generate_series(1, 30) i;
    CREATE TABLE u AS SELECT * FROM t; ANALYZE t; ANALYZE u`)

const run = async (flags: Flags = {}): Promise<TableSummary> =>
  (await runExport(server, lake, flags)).tables![0]!
/** As another program does it; returns the schema from before. */
async function renameInLake(from: string, to: string): Promise<Schema> {
  const { identifier, metadata } = await load(lake)
  const schema = metadata.schemas.at(-1)!
  const fields = schema.fields.map((field) => (field.name === from ? { ...field, name: to } : field))
  const updates: TableUpdate[] = [
    { action: 'add-schema', schema: { ...schema, fields } },
    { action: 'set-current-schema', 'schema-id': -1 },
  ]
  await lake.catalog.commit(identifier, [], updates)
  return schema
}
const refusal = (message: RegExp, fix: string): unknown =>
  expect.objectContaining({
    code: 'usage',
    field: '--columns',
    message: expect.stringMatching(message) as unknown,
    fix,
  })

it('columns that the table has are left out only where --drop-columns says so; both ways out work', async () => {
  await run()
  const columns = ['id', 'at']
  await expect(run({ columns })).rejects.toEqual(
    refusal(
      /--columns leaves out a, p,q, which table default\.t has/,
      `if they may go, say --drop-columns 'a,"p,q"'; else --columns 'id,at,a,"p,q"'`,
    ),
  )
  await expect(run({ columns, dropColumns: ['a'] })).rejects.toEqual(
    refusal(/leaves out p,q,/, `if they may go, say --drop-columns 'a,"p,q"'; else --columns 'id,at,"p,q"'`),
  )
  expect(await run({ columns: ['id', 'at', 'a', '"p,q"'] })).not.toHaveProperty('warnings')
  const lines: string[] = []
  const dropped = await run({ columns, dropColumns: ['a', '"p,q"'], onLog: (line) => lines.push(line) })
  expect(dropped.warnings).toEqual([
    'column a is not filled any more: --columns leaves it out',
    'column p,q is not filled any more: --columns leaves it out',
  ])
  expect(lines.filter((line) => line.includes('is not filled any more'))).toHaveLength(2)
  const { metadata } = await load(lake)
  expect(metadata.schemas.at(-1)!.fields.map(({ name }) => name)).toEqual(['id', 'at', 'a', 'p,q'])
  // To be said each time; the warning came once.
  await expect(run({ columns })).rejects.toMatchObject({ code: 'usage' })
  expect(await run({ columns, dropColumns: ['a', 'p,q'] })).not.toHaveProperty('warnings')
})

it('the summary of a run lists what changed, and what the source has dropped is no fault of --columns', async () => {
  const first = await run()
  expect(first.changes).toEqual(['create table default.t'])
  expect(await run()).not.toHaveProperty('changes')
  await server.query('ALTER TABLE t DROP COLUMN a, ADD COLUMN b text, ALTER COLUMN id TYPE bigint; ANALYZE t')
  const planned = (await run({ dryRun: true })).plan!
  const summary = await run({ columns: ['id', 'at', 'p,q', 'b'] })
  expect(summary.changes).toEqual(['change id from int to long', 'add column b string'])
  expect(planned['changes']).toEqual(summary.changes)
  expect(summary.warnings).toEqual(['column a is not filled any more: the source has none of that name'])
  expect(planned['warnings']).toEqual(summary.warnings)
})

it('a plain file is held to its own columns', async () => {
  const formats = ['parquet'] as const
  const columns = ['id', 'at']
  const file = `${lake.folder}/parquet/t/t.parquet`
  await run({ formats })
  await expect(run({ formats, columns })).rejects.toEqual(
    refusal(/leaves out a, p,q, which file:.*t\.parquet has/, expect.stringContaining('--drop') as never),
  )
  expect(await queryFiles([file], 'SELECT count(a) FROM FILES')).toEqual([['30']])
  const dropped = await run({ formats, columns, dropColumns: ['a', 'p,q'] })
  expect(dropped).not.toHaveProperty('changes')
  expect(dropped.warnings).toHaveLength(2)
  // They are in the file no more.
  expect(await run({ formats, columns })).not.toHaveProperty('warnings')
  await server.query('ALTER TABLE t RENAME at TO moment')
  expect(await run({ formats, renames: { at: 'moment' } })).not.toHaveProperty('warnings')
  await server.query('ALTER TABLE t DROP COLUMN a')
  expect((await run({ formats })).warnings).toEqual([
    'column a is not filled any more: the source has none of that name',
  ])
})

it('a day is held to the same', async () => {
  const day: Flags = { scope: { mode: 'day', from: '2024-09-01', to: '2024-09-01' } }
  await run({ ...day, formats: ['parquet'] })
  await expect(run({ ...day, formats: ['parquet'], columns: ['id', 'at'] })).rejects.toMatchObject({
    field: '--columns',
  })
  await run(day)
  await expect(run({ ...day, columns: ['id', 'at'] })).rejects.toMatchObject({ field: '--columns' })
})

it('with several tables each has its own', async () => {
  const tables = ['t', 'u']
  await run({ tables })
  const columns = ['id', 'at', 'p,q']
  await expect(run({ tables, columns, dropColumns: ['public.t.a'] })).rejects.toEqual(
    refusal(
      /leaves out a, which table default\.u has/,
      `if they may go, say --drop-columns public.u.a; else --columns 'public.u.id,public.u.at,public.u."p,q",public.u.a'`,
    ),
  )
  await run({ tables, columns, dropColumns: ['public.t.a', 'public.u.a'] })
  for (const [name, given] of [
    ['id', columns],
    ['a', undefined],
    ['nope', columns],
  ] as const)
    await expect(
      run({ tables, dropColumns: [name], ...(given && { columns: given }) }),
    ).rejects.toMatchObject({ code: 'usage', field: '--drop-columns' })
})

it('a column that another program renamed comes anew with a warning, whose fix makes one of both', async () => {
  await run()
  const schema = await renameInLake('a', 'amount')
  const summary = await run()
  expect(summary.changes).toEqual(['add column a int'])
  expect(summary.warnings).toEqual([
    'column a is new in the table: the one that it had is called amount now; to have one again run once with --mode full --rename amount=a',
    'column amount is not filled any more: the source has none of that name',
  ])
  const renames = { amount: 'a' }
  const day = { mode: 'day', from: '2024-09-01', to: '2024-09-01' } as const
  await expect(run({ renames, scope: day })).rejects.toMatchObject({
    field: '--rename',
    fix: expect.stringContaining('run once with --mode full') as unknown,
  })
  expect((await run({ renames })).changes).toEqual([
    'rename amount to a',
    'drop column a, in whose place the renamed one comes',
  ])
  const after = await load(lake)
  expect(after.metadata.schemas.at(-1)!.fields.map(({ id, name }) => [id, name])).toEqual(
    schema.fields.map(({ id, name }) => [id, name]),
  )
  expect(await queryTable(after, 'SELECT sum(a) FROM FILES')).toEqual([['465']])
  expect(await run({ renames })).not.toHaveProperty('changes')
})

it('a rename takes names in quotes, and its fix has them where they are needed', async () => {
  await run()
  await renameInLake('p,q', 'x=y z')
  const [warning = ''] = (await run()).warnings ?? []
  const [, item = ''] = /--rename '(.*)'$/.exec(warning) ?? []
  expect(item).toBe('"x=y z"="p,q"')
  expect((await run({ renames: pairs('--rename', [item]) })).changes).toEqual([
    'rename x=y z to p,q',
    'drop column p,q, in whose place the renamed one comes',
  ])
  await server.query('ALTER TABLE t RENAME "p,q" TO "p.q"')
  expect((await run({ renames: { '"p,q"': '"p.q"' } })).changes).toEqual(['rename p,q to p.q'])
  await server.query('ALTER TABLE t RENAME "p.q" TO r')
  expect((await run({ renames: { 't."p.q"': 'r' } })).changes).toEqual(['rename p.q to r'])
})

it('flags in a fix can be pasted, whatever the day column is called', async () => {
  await server.query(`ALTER TABLE t RENAME at TO "it's at"`)
  const scope = { mode: 'day', from: '2024-09-01', to: '2024-09-01' } as const
  const fix = async (flags: Flags): Promise<string | undefined> =>
    run({ scope, ...flags }).then(
      () => undefined,
      (error: unknown) => (error as JobError).fix,
    )
  await run()
  expect(await fix({})).toContain(String.raw`--partition-by 'day(it'\''s at)'`)
  await run({ partitionBy: ["day(it's at)"] })
  await server.query(`ALTER TABLE t RENAME "it's at" TO at`)
  expect(await fix({})).toContain(String.raw`--rename '"it'\''s at"=new'`)
  expect(await fix({ scope: { mode: 'full' } })).toContain(String.raw`--rename '"it'\''s at"=new'`)
})

it('a column by which the table was partitioned gives its place to no other', async () => {
  await run({ partitionBy: ['bucket(2, a)'] })
  await server.query('ALTER TABLE t RENAME id TO key')
  await run()
  await server.query('ALTER TABLE t RENAME a TO b')
  await run({ renames: { a: 'b' } })
  await expect(run({ renames: { id: 'b' } })).rejects.toMatchObject({
    field: '--rename',
    message: expect.stringContaining('partitioned or sorted by b') as unknown,
  })
})

it('columns that differ by case only are named, in a new table and in one that gets the second', async () => {
  await run()
  await server.query('ALTER TABLE t ADD COLUMN "A" text, ADD COLUMN "Id" text; ANALYZE t')
  const warnings = ['id, Id', 'a, A'].map(
    (names) => `columns ${names} differ by case only: DuckDB and Spark may read one for another`,
  )
  expect((await run()).warnings).toEqual(warnings)
  expect((await run({ tables: ['public.t=default.other'], formats: ['parquet'] })).warnings).toEqual(warnings)
})

it('a table whose name has # or ? lies where PyIceberg finds it, each in a folder of its own', async () => {
  const names = ['a#1', 'a?1', 'a_1']
  for (const name of names) await run({ tables: [`public.t=b#c.${name}`] })
  const locations = await Promise.all(
    names.map(async (name) => (await load(lake, name, 'b#c')).metadata.location),
  )
  const folder = `file://${lake.folder}/iceberg/b_c/a_1`
  expect(locations[0]).toBe(folder)
  expect(locations.map((location) => location.slice(0, folder.length))).toEqual([folder, folder, folder])
  expect(new Set(locations).size).toBe(3)
  for (const location of locations) expect(location).not.toMatch(/[#?]/)
})

// What a plain object has under these names is no column's.
it('columns may be called as members of objects are', async () => {
  const names = ['constructor', 'toString', '__proto__', 'valueOf', 'hasOwnProperty']
  await server.query(`
    DROP TABLE t; CREATE TABLE t ("constructor" numeric, "toString" int, "__proto__" text, "hasOwnProperty" interval,
      "valueOf" timestamptz);
    INSERT INTO t SELECT i, i, i, i * interval '1 day', '2024-09-01Z' FROM generate_series(1, 3) i; ANALYZE t`)
  const flags: Flags = {
    formats: ['iceberg', 'parquet'],
    columns: names,
    decimals: { constructor: { precision: 9, scale: 2 } },
    casts: JSON.parse('{ "__proto__": "integer" }') as Record<string, string>,
    newColumns: 'fail',
  }
  expect(await run(flags)).toMatchObject({ rows: 3, changes: ['create table default.t'] })
  const second = await run({ ...flags, onlyChanged: true })
  expect(second).toMatchObject({ status: 'unchanged' })
  expect(second).not.toHaveProperty('warnings')
  const table = await load(lake)
  expect(await queryTable(table, 'SELECT sum("constructor"), sum("__proto__") FROM FILES')).toEqual([
    ['6.00', '6'],
  ])
  expect((await results(server, lake)).found).toEqual({ all: 'match' })
  await run({ ...flags, partitionBy: ['day(valueOf)'] })
  const day = await run({ ...flags, scope: { mode: 'day', from: '2024-09-01', to: '2024-09-01' } })
  expect(day).toMatchObject({ rows: 3 })
})

it('a column under the name of a partition field is refused, as Java could not load the table; the fix works', async () => {
  await run({ partitionBy: ['day(at)'] })
  // A spec from before is bound to the schema, too.
  await run({ partitionBy: [] })
  await server.query('ALTER TABLE t ADD at_day date')
  await expect(run()).rejects.toMatchObject({
    code: 'usage',
    field: 'at_day',
    message: expect.stringContaining('a field named at_day: with a column of that name Spark') as unknown,
    fix: 'leave the column out with --exclude-columns at_day, or export to another table',
  })
  expect(await run({ excluded: ['at_day'] })).toMatchObject({ status: 'ok', rows: 30 })
})
