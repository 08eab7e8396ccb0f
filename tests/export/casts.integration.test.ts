import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import type { JobError } from '../../jobs/errors.ts'
import { pairs, decimals } from '../../jobs/commands/flags/export-flags.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { load, openLake, queryTable, runExport, type Flags, type TestLake } from './lake.ts'

let server: TestPostgres
let lake: TestLake
beforeAll(async () => {
  server = await startPostgres()
  lake = await openLake(server)
  await server.query('CREATE EXTENSION citext')
  await server.query('CREATE DOMAIN below_one_or_whole AS numeric CHECK (value < 0.8 OR value > 2)')
}, 60_000)
afterAll(async () => {
  await lake.close()
  await server.stop()
})

/** A small table of one column `v` beside its `id`. */
async function table(name: string, type: string, ...values: string[]): Promise<void> {
  await server.query(
    `DROP TABLE IF EXISTS ${name}; CREATE TABLE ${name} (id int GENERATED ALWAYS AS IDENTITY, v ${type})`,
  )
  for (const value of values) await server.query(`INSERT INTO ${name} (v) VALUES (${value})`)
  await server.query(`ANALYZE ${name}`)
}

const failure = async (flags: Flags): Promise<JobError> =>
  runExport(server, lake, flags).then(
    () => {
      throw new Error('it was exported')
    },
    (error: unknown) => error as JobError,
  )

/** The flags of a fix, as the command line reads them. */
function flagsOf(fix: string | undefined): Flags {
  const items = (flag: string): string[] =>
    [...(fix ?? '').matchAll(new RegExp(`${flag} (?:'([^']*)'|([^\\s;)]*[^\\s;,)]))`, 'g'))].map(
      ([, quoted, plain]) => quoted ?? plain!,
    )
  return {
    casts: pairs('--cast', items('(?<!lossy)--cast')),
    lossyCasts: pairs('--lossy-cast', items('--lossy-cast')),
    decimals: decimals(items('--decimal').flatMap((item) => item.split(','))),
  }
}

const values = async (name: string): Promise<(string | null)[]> =>
  (await queryTable(await load(lake, name), 'SELECT v::text FROM FILES ORDER BY id')).map(([v]) => v!)

describe('a cast', () => {
  it.each([
    ['numeric(9,3)', 'numeric(9,2)', '1.230', '1.237', '1.24'],
    ['timestamp', 'date', `'2024-09-16'`, `'2024-09-16 12:30:00'`, '2024-09-16'],
    ['timestamptz', 'date', `'2024-09-16Z'`, `'2024-09-16 23:30:00Z'`, '2024-09-16'],
    ['numeric', 'integer', '7.0', '7.5', '8'],
    ['float8', 'bigint', '2', '2.5', '2'],
    ['float8', 'real', '0.5', '0.1', '0.1'],
    ['int8', 'double precision', '9007199254740992', '9007199254740993', '9007199254740992.0'],
    ['text', 'numeric(9,2)', `'1.50'`, `'1.505'`, '1.51'],
    ['text', 'date', `'2024-9-16'`, `'2024-09-16 12:30'`, '2024-09-16'],
    ['text', 'timestamp', `'2024-09-16 12:30'`, `'2024-09-16 12:30+05'`, '2024-09-16 12:30:00'],
    [
      'text',
      'timestamp',
      `'2024-09-16 12:30:00.1234560'`,
      `'2024-09-16 12:30:00.1234561'`,
      '2024-09-16 12:30:00.123456',
    ],
    [
      'varchar',
      'timestamptz',
      `'2024-09-16T12:30:00Z'`,
      `'2024-09-16T23:59:59.999999999Z'`,
      '2024-09-17 00:00:00+00',
    ],
    ['citext', 'date', `'2024-09-16'`, `'2024-09-16 00:00:00.0000001'`, '2024-09-16'],
    ['text', 'time', `'12:30:00.5'`, `'12:30:00.0000004'`, '12:30:00'],
    ['interval', 'time', `'1 hour'`, `'25 hours'`, '01:00:00'],
    ['timetz', 'time', `'12:00Z'`, `'12:00+05'`, '12:00:00'],
    ['timestamp', 'time', 'NULL', `'2024-09-16 12:30:00'`, '12:30:00'],
    ['int', 'boolean', '1', '5', 'true'],
    ['jsonb', 'integer', `'5'`, `'5.5'`, '6'],
    // What comes out is beyond the column's own type: there is no way back.
    ['int8', 'double precision', '-9223372036854775808', '9223372036854775807', '9.223372036854776e+18'],
    ['int', 'real', '2147483520', '2147483647', '2147483600.0'],
    ['numeric(3,1)', 'integer', '99.0', '99.9', '100'],
    ['numeric(20,0)', 'double precision', '7', '99999999999999999999', '1e+20'],
    ['numeric(3,1)[]', 'integer[]', `'{99.0}'`, `'{99.9}'`, '[100]'],
    ['below_one_or_whole', 'integer', '3', '0.7', '1'],
  ])('%s to %s: a value that it changes is refused, or counted', async (from, to, same, other, changed) => {
    await table('c', from, same, 'NULL', other)
    const target =
      `c=cast.${from.replace(/\W/g, '_')}_${to.replace(/\W/g, '_')}_${other.replace(/\W/g, '_')}`.slice(0, 60)
    const refused = await failure({ tables: [target], casts: { v: to } })
    expect(refused).toMatchObject({ code: 'data', field: 'public.c.v' })
    expect(refused.message).toMatch(/at ctid \(0,3\) of ONLY "public"\."c": ./)
    const outcome = await runExport(server, lake, { tables: [target], ...flagsOf(refused.fix) })
    expect(outcome.tables).toMatchObject([{ status: 'ok', rows: 3, changedValues: { v: 1 } }])
    const [namespace, name] = target.slice(2).split('.')
    const rows = await queryTable(await load(lake, name, namespace), 'SELECT v::text FROM FILES ORDER BY id')
    expect(rows[2]).toEqual([changed])
  })

  it('names the value itself', async () => {
    await table('c', 'numeric(9,3)', '1.230', '1.237')
    expect((await failure({ casts: { v: 'numeric(9,2)' }, tables: ['c'] })).message).toBe(
      'public.c.v: a value that is another as numeric(9,2) at ctid (0,2) of ONLY "public"."c": 1.237',
    )
    await server.query('CREATE VIEW c_view AS SELECT * FROM c')
    expect((await failure({ casts: { v: 'numeric(9,2)' }, tables: ['c_view'] })).message).toContain(
      'at row 2 of "public"."c_view": 1.237',
    )
  })

  it.each([
    ['numeric(9,3)', 'numeric(9,2)', ['1.230']],
    ['numeric', 'bigint', ['12']],
    ['date', 'timestamptz', [`'2024-09-16'`]],
    ['timestamptz', 'timestamp', [`'2024-09-16 12:00Z'`]],
    ['char(5)', 'text', [`'a'`]],
    ['inet', 'text', [`'10.0.0.1/8'`]],
    ['json', 'text', [`'{"a": 1}'`]],
    ['point', 'text', [`'(1,2)'`]],
    ['text', 'bigint', [`' 007 '`]],
    ['text', 'boolean', [`'yes'`]],
    ['text', 'uuid', [`'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'`]],
    ['float8', 'numeric(9,2)', ['0.1', `'NaN'`].slice(0, 1)],
    ['bit(8)', 'integer', [`B'00000101'`]],
  ])('%s to %s that changes nothing is taken', async (from, to, list) => {
    await table('same', from, ...list, 'NULL')
    const target = `same=same.${from.replace(/\W/g, '_')}_${to.replace(/\W/g, '_')}`
    const outcome = await runExport(server, lake, { tables: [target], casts: { v: to } })
    expect(outcome.tables).toMatchObject([{ status: 'ok', rows: list.length + 1 }])
  })

  it('that PostgreSQL has not is refused before anything is read, and the fix works', async () => {
    await table('impossible', 'point', `'(1,2)'`)
    const refused = await failure({ tables: ['impossible'], casts: { v: 'integer' } })
    expect(refused).toMatchObject({
      code: 'data',
      message: 'public.impossible.v: PostgreSQL has no cast from point to integer',
    })
    await runExport(server, lake, { tables: ['impossible'], ...flagsOf(refused.fix) })
    expect(await values('impossible')).toEqual(['(1,2)'])
  })

  it('counts the same with several readers, in row groups of their own', async () => {
    await server.query(`CREATE TABLE much AS SELECT i AS id, i::numeric / 4 AS v FROM generate_series(0, 9999) i;
      ANALYZE much`)
    const flags: Flags = { tables: ['much'], groupRows: 999, lossyCasts: { v: 'numeric(9,1)' } }
    const { tables } = await runExport(server, lake, flags)
    expect(tables).toMatchObject([{ rows: 10_000, changedValues: { v: 5000 } }])
  })
})

describe('a fix works when it is followed', () => {
  it('of a column that became finer than the lake has it', async () => {
    await table('finer', 'numeric(9,2)', '1.24')
    await runExport(server, lake, { tables: ['finer'] })
    await server.query('ALTER TABLE finer ALTER v TYPE numeric(9,3)')
    await server.query('INSERT INTO finer (v) VALUES (1.237); ANALYZE finer')
    const evolution = await failure({ tables: ['finer'] })
    expect(evolution.fix).toContain("--cast 'v=numeric(9,2)'")
    const rounding = await failure({ tables: ['finer'], ...flagsOf(evolution.fix) })
    expect(rounding.message).toContain(': 1.237')
    const { tables } = await runExport(server, lake, { tables: ['finer'], ...flagsOf(rounding.fix) })
    expect(tables).toMatchObject([{ changedValues: { v: 1 } }])
    expect(await values('finer')).toEqual(['1.24', '1.24'])
  })

  it('of a decimal with too many digits behind the point', async () => {
    await table('loose', 'numeric', '1.5', '0.1234567891')
    const undecided = await failure({ tables: ['loose'] })
    const refused = await failure({ tables: ['loose'], decimals: flagsOf(undecided.fix).decimals! })
    expect(refused.message).toContain('at ctid (0,2) of ONLY "public"."loose": 0.1234567891')
    expect(refused.fix).toContain(`--lossy-cast 'v=numeric(38,9)'`)
    await runExport(server, lake, { tables: ['loose'], ...flagsOf(refused.fix) })
    expect(await values('loose')).toEqual(['1.500000000', '0.123456789'])
  })

  it('of a decimal with too many digits before it, or none', async () => {
    for (const [index, value] of ['123456', `'NaN'`].entries()) {
      await table('wide', 'numeric', value)
      const target = `wide=default.wide_${index}`
      const refused = await failure({ tables: [target], decimals: { v: { precision: 5, scale: 2 } } })
      const flags = flagsOf(refused.fix)
      expect(flags.casts).toEqual({ v: 'text' })
      await runExport(server, lake, { tables: [target], ...flags })
      expect(await values(`wide_${index}`)).toEqual([value.replaceAll("'", '')])
    }
  })

  it('of what is no number, whatever the cast', async () => {
    await table('none', 'numeric', `'NaN'`)
    const refused = await failure({ tables: ['none'], casts: { v: 'numeric(9,2)' } })
    await runExport(server, lake, { tables: ['none'], ...flagsOf(refused.fix) })
    expect(await values('none')).toEqual(['NaN'])
  })

  it('of a JSON null in a column that is NOT NULL', async () => {
    await table('nothing', 'jsonb NOT NULL', `'5'`, `'null'`)
    const refused = await failure({ tables: ['nothing'], casts: { v: 'integer' }, required: true })
    const { tables } = await runExport(server, lake, {
      tables: ['nothing'],
      required: true,
      ...flagsOf(refused.fix),
    })
    expect(tables).toMatchObject([{ changedValues: { v: 1 } }])
    expect(await values('nothing')).toEqual(['5', null])
  })

  it('of both flags for one column', async () => {
    await table('twofold', 'numeric', '1.5')
    const decimal = { v: { precision: 9, scale: 2 } }
    expect(await failure({ tables: ['twofold'], casts: { v: 'text' }, decimals: decimal })).toMatchObject({
      code: 'usage',
      message: 'both --cast and --decimal name public.twofold.v',
    })
    const same = { v: 'numeric(9,0)' }
    await runExport(server, lake, { tables: ['twofold'], casts: same, lossyCasts: same })
    expect(await values('twofold')).toEqual(['2'])
  })
})
