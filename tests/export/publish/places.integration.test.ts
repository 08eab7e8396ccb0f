import { readFile, rm, writeFile } from 'node:fs/promises'
import { expect, it } from '@jest/globals'
import pg from 'pg'
import { eachWithLake } from '../each-with-lake.ts'
import { dataFilesOf, load, queryFiles, queryTable, runExport, type Flags } from '../lake.ts'

const { server, lake } = eachWithLake(`
    CREATE TABLE t AS SELECT i AS id, timestamptz '2024-09-01 00:00:00+00' + i % 3 * interval '1 day' AS at
      FROM generate_series(1, 30) i;
    CREATE TABLE u AS SELECT * FROM t; CREATE TABLE t_by_day AS SELECT * FROM t;
    ANALYZE t; ANALYZE u; ANALYZE t_by_day`)

const day: Flags = { scope: { mode: 'day', from: '2024-09-01', to: '2024-09-03' } }
const run = (flags: Flags = {}): ReturnType<typeof runExport> =>
  runExport(server, lake, { formats: ['parquet'], ...flags })
const file = (): string => `${lake.folder}/parquet/t/t.parquet`
const rows = (): Promise<unknown> => queryFiles([file()], 'SELECT count(*) FROM FILES')
/** In the footer, where texts of the same length may take each other's place. */
const edit = async (from: RegExp, to: string): Promise<void> => {
  const text = await readFile(file(), 'latin1')
  expect(text).toMatch(from)
  await writeFile(file(), text.replace(from, to), 'latin1')
}
/** The tables are dropped behind each test, but for this one. */
const dropped = (): Promise<unknown> => server.query('DROP TABLE IF EXISTS t_by_day')

it.each<[string, Flags]>([
  ['whole', {}],
  ['with Iceberg', { formats: ['parquet', 'iceberg'] }],
])('a file whose time is a year ahead is not believed: exit 4, and the fix works (%s)', async (_, flags) => {
  await run(flags)
  await edit(/20\d\d(?=-\d\d-\d\dT[\d:.]{15}Z)/, '2099')
  await server.query('INSERT INTO t VALUES (31, now())')
  const failure = run(flags)
  await expect(failure).rejects.toMatchObject({
    code: 'conflict',
    field: `file://${file()}`,
    message: expect.stringMatching(/read at 2099-.*more than an hour after this run's 20[2-8]\d-/) as unknown,
    fix: expect.stringContaining('remove the file and run again') as unknown,
  })
  expect(await rows()).toEqual([['30']])
  await rm(file())
  expect((await run(flags)).tables).toMatchObject([{ status: 'ok', rows: 31 }])
  await dropped()
})

it('a file of another table, database or server is not replaced', async () => {
  await run()
  await expect(run({ tables: ['u=default.t'] })).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringMatching(
      /t\.parquet holds public\.t of database .* at .*; .* by public\.u of/,
    ) as unknown,
  })
  await edit(/(?<=lakejobs\.system-id.{1,8})\d{6}/s, '000000')
  await expect(run()).rejects.toMatchObject({ code: 'usage', field: `file://${file()}` })
  expect(await rows()).toEqual([['30']])
  const elsewhere = await run({ tables: ['public.t=default.t_2'] })
  expect(elsewhere.tables).toMatchObject([{ status: 'ok', rows: 30 }])
  await dropped()
})

it('a table of the same name in another database is another one', async () => {
  await run()
  await server.createDatabase('twin')
  const client = new pg.Client({ ...connectionOf(), database: 'twin' })
  await client.connect()
  await client.query('CREATE TABLE t (id integer); ANALYZE t')
  await client.end()
  await expect(
    runExport({ ...server, ...connectionOf(), database: 'twin' }, lake, { formats: ['parquet'] }),
  ).rejects.toMatchObject({ code: 'usage', message: expect.stringContaining('of database twin') as unknown })
  await dropped()
})

const connectionOf = (): Pick<typeof server, 'host' | 'port' | 'user' | 'password'> => ({
  host: server.host,
  port: server.port,
  user: server.user,
  password: server.password,
})

it('the days of one table and the whole of another share no folder, whichever comes first', async () => {
  await run(day)
  await expect(run({ tables: ['t_by_day'] })).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining('t_by_day holds days of another table') as unknown,
    fix: expect.stringContaining("--table 'public.t_by_day=default.t_by_day_2'") as unknown,
  })
  expect((await run({ tables: ['public.t_by_day=default.t_by_day_2'] })).tables).toMatchObject([{ rows: 30 }])
  await rm(`${lake.folder}/parquet/t_by_day`, { recursive: true })
  await run({ tables: ['t_by_day'] })
  await run({ tables: ['t_by_day'] })
  await expect(run(day)).rejects.toMatchObject({ code: 'usage', field: '--table' })
  expect((await run({ ...day, tables: ['public.t=default.t_2'] })).tables).toMatchObject([{ rows: 30 }])
  await dropped()
})

it('a table made under a name that another was renamed from has a folder of its own', async () => {
  await run({ formats: ['iceberg'] })
  await lake.catalog.rename({ namespace: ['default'], name: 't' }, { namespace: ['default'], name: 't_old' })
  await server.query('DELETE FROM t WHERE id > 20')
  await run({ formats: ['iceberg'] })
  const [old, renewed] = [await load(lake, 't_old'), await load(lake)]
  expect(old.metadata.location).toBe(`file://${lake.folder}/iceberg/default/t`)
  expect(renewed.metadata.location).toBe(`${old.metadata.location}-${renewed.metadata['table-uuid']}`)
  for (const table of [old, renewed])
    for (const { filePath } of await dataFilesOf(table))
      expect(filePath.startsWith(`${table.metadata.location}/`)).toBe(true)
  // Whoever removes all that is not the new table's in its folder leaves the old one whole.
  await rm(renewed.metadata.location.slice('file://'.length), { recursive: true })
  expect(await queryTable(old, 'SELECT count(*) FROM FILES')).toEqual([['30']])
  await dropped()
})
