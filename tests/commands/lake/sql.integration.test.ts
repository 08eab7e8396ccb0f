import { beforeEach, describe, expect, it } from '@jest/globals'
import { mkdirSync, readdirSync, readFileSync, renameSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { run, start, type Ran, type Running } from '../../support/cli.ts'
import { eachWithDatabase } from '../each-with-database.ts'

const { place } = eachWithDatabase()

/** Each run has a temporary folder of its own, which is to be empty afterwards. */
let runs = 0
const options = (env: Readonly<Record<string, string>> = {}): Parameters<typeof run>[1] => {
  const folder = join(place.cwd, `tmp-${++runs}`)
  mkdirSync(folder)
  return { cwd: place.cwd, env: { ...place.env, TMPDIR: folder, ...env } }
}
const clean = (): void => {
  for (let at = 1; at <= runs; at++) {
    const left = readdirSync(join(place.cwd, `tmp-${at}`)).filter((name) => !name.startsWith('node-'))
    expect([at, left]).toEqual([at, []])
  }
}
const sql = async (...words: string[]): Promise<Ran> => run(['sql', ...words], options())
const startSql = (...words: string[]): Running => start(['sql', ...words], options())

const metadataOf = async (table: string, namespace = 'default'): Promise<string> => {
  const [row] = await place.query(
    `SELECT metadata_location AS at FROM iceberg_tables WHERE table_name = '${table}' AND table_namespace = '${namespace}'`,
  )
  return String(row?.['at']).replace('file://', '')
}
const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.parquet'))
    .map((name) => join(folder, name))

async function makeLake(others: readonly string[] = []): Promise<void> {
  await place.query(`
    CREATE TABLE web_logs (timestamp timestamptz, id bigint, price numeric(20, 2), url text);
    INSERT INTO web_logs SELECT timestamptz '2024-09-15 00:00+00' + i * interval '2 minutes', 9007199254740992 + i,
      i / 4.0, CASE WHEN i % 3 = 0 THEN NULL WHEN i % 3 = 1 THEN '' ELSE E'a,"b"\\n\\u001b[2J' END FROM generate_series(0, 1439) i;
    CREATE TABLE other (a int);
    INSERT INTO other VALUES (1)`)
  const lakejobs = (...words: string[]): Promise<Ran> => run(words, options())
  const flags = ['--format', 'iceberg']
  expect(await lakejobs('export', ...flags, '--partition-by', 'day(timestamp)')).toMatchObject({ exit: 0 })
  for (const target of others)
    expect(await lakejobs('export', ...flags, '--table', `public.other=${target}`)).toMatchObject({ exit: 0 })
}

describe('lakejobs sql', () => {
  beforeEach(() => {
    runs = 0
  })

  it('answers as table, CSV and JSON, of the files that may match, and leaves nothing behind', async () => {
    await makeLake()
    const counted = await sql('select count(*) as n from web_logs')
    expect(counted).toMatchObject({ exit: 0, stdout: '   n\n----\n1440\n' })
    expect(counted.stderr).toMatch(/"msg":"1 row in [\d.]+ s"/)

    const three =
      "select id, price, url from default.web_logs where timestamp < '2024-09-15 00:06' order by id"
    expect((await sql(three, '--json')).stdout).toBe(
      `[\n{"id":"9007199254740992","price":"0.00","url":null},\n{"id":"9007199254740993","price":"0.25","url":""},\n` +
        `{"id":"9007199254740994","price":"0.50","url":${JSON.stringify('a,"b"\n\u001b[2J')}}\n]\n`,
    )
    expect((await sql(three, '--csv')).stdout).toBe(
      'id,price,url\n9007199254740992,0.00,\n9007199254740993,0.25,""\n9007199254740994,0.50,"a,""b""\n\u001b[2J"\n',
    )
    expect((await sql(three)).stdout).toMatch(/ 0\.00 {2}NULL\n.* 0\.50 {2}a,"b"\\n\\u001b\[2J\n$/s)
    expect((await sql('select 1 as a where false', '--json')).stdout).toBe('[]\n')

    await place.query(
      `CREATE TABLE tagged (n int, tags text[]); INSERT INTO tagged VALUES (1, '{a,NULL}'), (2, '{}'), (3, NULL)`,
    )
    expect(await run(['export', '--format', 'iceberg', '--table', 'tagged'], options())).toMatchObject({
      exit: 0,
    })
    expect((await sql('select * from tagged order by n', '--json')).stdout).toBe(
      '[\n{"n":1,"tags":["a",null]},\n{"n":2,"tags":[]},\n{"n":3,"tags":null}\n]\n',
    )

    const plan = await sql("explain select * from web_logs where timestamp >= '2024-09-16'")
    expect(plan.stdout).toMatch(/^default\.web_logs: snapshot \d+; files read: 1 \(\d+ bytes\); left out: 1 /)
    expect((await sql('describe web_logs', '--csv')).stdout).toContain('price,"DECIMAL(20,2)",')
    clean()
  })

  it('rows with NaN, which Parquet’s bounds leave out, are above all others for conditions and joins', async () => {
    await place.query(
      `CREATE TABLE measures (id int, temp float8, f float4, whole float8);
       INSERT INTO measures SELECT i, CASE WHEN i % 10 = 0 THEN 'NaN' ELSE (i % 40)::float8 END, CASE WHEN i % 10 = 0 THEN 'NaN' ELSE 7::float8 END, i
         FROM generate_series(0, 99) i`,
    )
    expect(await run(['export', '--format', 'iceberg', '--table', 'measures'], options())).toMatchObject({
      exit: 0,
    })
    const counted = async (condition: string, from = 'measures'): Promise<string> =>
      (await sql(`select count(*) from ${from} where ${condition}`, '--csv')).stdout.split('\n')[1]!
    for (const condition of [
      'temp > 50',
      "temp = 'NaN'",
      "temp between 40 and 'NaN'",
      'not (temp < 50)',
      'not (f <= 7)',
      'f <> 7',
      "f in ('NaN', 8)",
      'temp > 50 and whole < 95',
    ]) {
      const [row] = await place.query(`SELECT count(*)::text AS n FROM measures WHERE ${condition}`)
      expect([condition, await counted(condition)]).toEqual([condition, row?.['n']])
      expect([condition, row?.['n']]).toEqual([condition, '10'])
    }
    expect(await counted('temp < 50')).toBe('90')
    expect(await counted('true', 'measures a join measures b on a.f = b.f')).toBe('8200')
    // The engine sees the bounds of a column without NaN.
    const plan = async (column: string): Promise<string> =>
      (await sql(`explain select id from measures where ${column} > 50`)).stdout
    expect(await plan('whole')).not.toContain('isnan')
    expect(await plan('temp')).toContain('isnan')
    clean()
  })

  it('joins by a column whose type was promoted: older files have the narrower one', async () => {
    const exported = async (date: string): Promise<void> => {
      const flags = ['--format', 'iceberg', '--partition-by', 'day(day)', '--date', date, '--table', 'grown']
      expect(await run(['export', ...flags], options())).toMatchObject({ exit: 0 })
    }
    const rows = (date: string, from: number, to: number): string =>
      `INSERT INTO grown SELECT '${date}', i, i, i FROM generate_series(${from}, ${to}) i`
    await place.query(
      `CREATE TABLE grown (day date, id int, f float4, d numeric(9, 2)); ${rows('2024-09-15', 0, 1999)}`,
    )
    await exported('2024-09-15')
    await place.query(
      'ALTER TABLE grown ALTER id TYPE bigint, ALTER f TYPE float8, ALTER d TYPE numeric(18, 2)',
    )
    await place.query(rows('2024-09-16', 2000, 3999))
    await exported('2024-09-16')
    for (const column of ['id', 'f', 'd'])
      for (const [condition, count] of [
        ['b.id < 10', 10],
        ['b.id >= 1990 and b.id < 2010', 20],
      ] as const) {
        const joined = `select count(*) as n from grown a join grown b on a.${column} = b.${column} where ${condition}`
        expect([joined, await sql(joined, '--csv')]).toEqual([
          joined,
          expect.objectContaining({ exit: 0, stdout: `n\n${count}\n` }),
        ])
      }
    clean()
  })

  it('reads a table as it was, and says what has no such state', async () => {
    await makeLake()
    await place.query("DELETE FROM web_logs WHERE timestamp < '2024-09-16 00:00+00'")
    const before = new Date().toISOString()
    await setTimeout(20)
    await run(
      ['export', '--format', 'iceberg', '--partition-by', 'day(timestamp)', '--max-shrink', '100%'],
      options(),
    )
    const metadata = JSON.parse(readFileSync(await metadataOf('web_logs'), 'utf8')) as {
      readonly 'snapshot-log': readonly { readonly 'snapshot-id': number }[]
    }
    const first = /"snapshot-log":\s*\[\s*\{[^}]*?"snapshot-id":\s*(\d+)/.exec(
      readFileSync(await metadataOf('web_logs'), 'utf8'),
    )![1]!
    expect(metadata['snapshot-log'].length).toBe(2)
    const count = 'select count(*) as n from web_logs'
    const counts = await Promise.all(
      [[], ['--as-of', before], ['--snapshot', first], ['--branch', 'main']].map((flags) =>
        sql(count, '--csv', ...flags),
      ),
    )
    expect(counts.map(({ stdout }) => stdout)).toEqual(['n\n720\n', 'n\n1440\n', 'n\n1440\n', 'n\n720\n'])
    for (const [flags, message] of [
      [['--as-of', '2020-01-01T00:00Z'], /no snapshot as of 2020.*ask for \S+ or later/],
      [['--snapshot', '5'], /has no snapshot 5: it has expired, or never was: use one of \d+/],
      [['--branch', 'nope'], /has no branch or tag nope: use one of main/],
    ] as const) {
      const { exit, stderr, stdout } = await sql(count, ...flags)
      expect({ exit, stdout, stderr }).toEqual({
        exit: 3,
        stdout: '',
        stderr: expect.stringMatching(message),
      })
    }
    clean()
  })

  it('one line with the fix for what is not there, damaged, newer, away or not allowed', async () => {
    await makeLake(['default.twice', 'staging.twice', 'shop.Orders', 'shop.orders'])
    const says = async (words: readonly string[], exit: number, message: RegExp, env = {}): Promise<void> => {
      const ran = await run(['sql', ...words], options(env))
      expect([words, ran.exit, ran.stdout]).toEqual([words, exit, ''])
      expect(ran.stderr).toMatch(message)
      expect(ran.stderr.trim().split('\n').length).toBe(1)
    }
    await says(['select * from web_lgs'], 3, /no table web_lgs: did you mean web_logs\?/)
    await says(['select * from defult.web_logs'], 3, /did you mean default\.web_logs\?/)
    await says(['select * from twice'], 2, /several namespaces: name one of default\.twice, staging\.twice/)
    const both = 'select (select sum(a) from shop."Orders") a, (select sum(a) from shop.orders) b'
    await says(
      [both],
      2,
      /shop\.Orders and shop\.orders differ by case alone: one statement can read one of them: ask/,
    )
    await says(['select nope from web_logs'], 2, /column \\"nope\\" not found.*describe/)
    await says(['select 1', '--csv', '--json'], 2, /--csv and --json/)
    await says([], 2, /there is no query/)
    for (const one of ['shop."Orders"', 'shop.orders', 'Default.Twice b natural join default.twice'])
      expect(await sql(`select sum(a) as a from ${one}`, '--csv')).toMatchObject({
        exit: 0,
        stdout: 'a\n1\n',
      })
    await says(["copy web_logs to 'x'"], 2, /is not allowed/)
    await says(['select * from crud_daily'], 3, /no counts of days in .*--cache/)
    await says(
      ['select 1 from web_logs'],
      1,
      /nothing listens at 127\.0\.0\.1:1: start PostgreSQL there, or correct ICEBERG_POSTGRES_HOST/,
      {
        ICEBERG_POSTGRES_PORT: '1',
      },
    )

    const [file] = filesOf(join(await metadataOf('web_logs'), '../../data'))
    const bytes = readFileSync(file!)
    writeFileSync(file!, Buffer.concat([bytes.subarray(0, 40), Buffer.alloc(60, 7), bytes.subarray(100)]))
    await says(['select count(distinct timestamp) from web_logs'], 3, /cannot be read/)
    truncateSync(file!, 100)
    await says(['select count(*) from web_logs'], 3, /it has 100 bytes, the manifest says/)
    renameSync(file!, `${file!}.away`)
    await says(
      ['select count(*) from web_logs'],
      3,
      /no such file: .*\.parquet: export its days again, or bring it back/,
    )

    const newer = await metadataOf('twice')
    writeFileSync(newer, readFileSync(newer, 'utf8').replace(/"format-version":\s*2/, '"format-version":4'))
    await says(['select * from default.twice'], 3, /version 4/)
    clean()
  })

  it('a table with a column that cannot be read: the others, and one line for whatever needs it', async () => {
    await makeLake()
    const place = await metadataOf('web_logs')
    const text = readFileSync(place, 'utf8')
    writeFileSync(place, text.replaceAll(/"decimal\(20, ?2\)"/g, '"geometry(srid:4326)"'))
    const rows = async (...words: string[]): Promise<string> => {
      const ran = await sql(...words, '--csv')
      expect([words, ran.exit, ran.stderr]).toEqual([words, 0, expect.stringMatching(/row/) as unknown])
      return ran.stdout
    }
    const first = 'where id = 9007199254740993'
    expect(await rows(`select id, url from web_logs ${first}`)).toBe('id,url\n9007199254740993,""\n')
    expect(await rows('select count(*) as n, count(url) as u from web_logs')).toBe('n,u\n1440,960\n')
    expect(await rows(`select * exclude (price, timestamp) from web_logs ${first}`)).toBe(
      'url,id\n"",9007199254740993\n',
    )
    expect(await rows('select a.c from web_logs a(b, c, d, x) where d = 9007199254740993')).toBe('c\n""\n')
    expect(await rows('describe web_logs')).toContain(
      'price,"ENUM(\'geometry(srid:4326), which cannot be read\')",',
    )
    for (const query of [
      'select * from web_logs',
      'select price from web_logs',
      'select w from web_logs w',
      'select count(price) from web_logs',
      'select id from web_logs where price is null',
      'select 1 from web_logs order by price',
      'select a.id from web_logs a natural join web_logs b',
      'select x from web_logs a(b, c, d, x)',
      'select #4 from web_logs',
      'summarize web_logs',
    ]) {
      const { exit, stdout, stderr } = await sql(query)
      expect([query, exit, stdout]).toEqual([query, 3, ''])
      expect(stderr.trim().split('\n').length).toBe(1)
      expect(stderr).toMatch(
        /table default\.web_logs: column price has type geometry\(srid:4326\), which cannot be read.*name the columns/,
      )
    }
    clean()
  })

  it('a query that takes too long, and Ctrl-C, end it within a second, whatever it is at', async () => {
    // A single expression that heeds no interruption.
    const endless = 'select list_reduce(range(100000000), lambda x, y: x + y) from range(1000) r(i)'
    const late = await sql(endless, '--timeout', '1s')
    expect(late).toMatchObject({ exit: 1, stdout: '' })
    expect(late.stderr).toMatch(/was not through after 1 s: give it more time, as in --timeout 30m/)

    const { child, ended } = startSql(endless)
    await setTimeout(2500)
    const asked = Date.now()
    child.kill('SIGINT')
    expect(await ended).toMatchObject({ exit: 130, stdout: '' })
    expect(Date.now() - asked).toBeLessThan(3000)
    clean()
  })

  it('a reader that goes ends it well', async () => {
    const { child, ended } = startSql('select * from range(30000000)', '--csv')
    child.stdout!.once('data', () => child.stdout!.destroy())
    expect(await ended).toMatchObject({ exit: 0 })
    clean()
  })

  it('the logs, the counts of their days and the weekly results', async () => {
    const input = join(place.cwd, 'data/crud/input')
    expect(await run(['generate', input, '2024-09-10', '7', '10', '200'], options())).toMatchObject({
      exit: 0,
    })
    writeFileSync(
      join(input, '2024-09-16.csv'),
      '"a""b,\nc",READ,2024-09-16 00:00:01\r\nbad line\nx@y,CREATE,0001-02-28 23:59:59\n"é",DELETE,2024-09-16 10:00:00',
    )
    expect(await run(['aggregate', '2024-09-16', '--max-rejects', '5'], options())).toMatchObject({ exit: 0 })
    const logs = await sql("select * from crud_logs where day = '2024-09-16'", '--json')
    expect(JSON.parse(logs.stdout)).toEqual([
      { day: '2024-09-16', email: 'a"b,\nc', action: 'READ', timestamp: '2024-09-16 00:00:01' },
      { day: '2024-09-16', email: 'x@y', action: 'CREATE', timestamp: '0001-02-28 23:59:59' },
      { day: '2024-09-16', email: 'é', action: 'DELETE', timestamp: '2024-09-16 10:00:00' },
    ])
    expect(logs.stderr).toContain('crud_logs: 1 line is no row;')
    for (const flag of ['--as-of=2024-09-16T07:00Z', '--snapshot=5', '--branch=old']) {
      const then = await sql('select count(*) from crud_logs a join crud_daily b using (day)', flag)
      expect([flag, then.exit, then.stdout]).toEqual([flag, 2, ''])
      expect(then.stderr).toMatch(/there are no snapshots of crud_logs, crud_daily: leave out --as-of/)
    }
    const compared = await sql(
      `with counted as (select email, count(*) filter (action = 'CREATE') as c, count(*) filter (action = 'READ') as r,
                               count(*) filter (action = 'UPDATE') as u, count(*) filter (action = 'DELETE') as d
                          from crud_logs group by email),
            daily as (select email, sum(create_count), sum(read_count), sum(update_count), sum(delete_count) from crud_daily group by email),
            weekly as (select * exclude (day) from crud_weekly where day = '2024-09-16')
       select (select count(*) from weekly), (select count(*) from (from weekly except from daily)),
              (select count(*) from (from daily except from counted)), (select count(*) from (from counted except from weekly))`,
      '--csv',
    )
    expect(compared.stdout.split('\n')[1]).toMatch(/^1\d,0,0,0$/)
    const plan = await sql("explain select * from crud_daily where day between '2024-09-11' and '2024-09-12'")
    expect(plan.stdout).toMatch(/^crud_daily: days read: 2 of 7\n/)
    clean()
  })
})
