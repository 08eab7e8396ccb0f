import { describe, expect, it } from '@jest/globals'
import type { JobError } from '../../../jobs/errors.ts'
import { results, threeDays } from '../../verify/verify-lake.ts'
import { eachWithLake } from '../each-with-lake.ts'
import { currentSnapshot, load, queryTable, runExport, type Flags } from '../lake.ts'

const { server, lake } = eachWithLake(threeDays)

const run = (flags: Flags = {}): ReturnType<typeof runExport> => runExport(server, lake, flags)
const day = (from: string, to = from): Flags => ({ scope: { mode: 'day', from, to } })
const byDay: Flags = { partitionBy: ['day(at)'] }
const ids = async (name = 't'): Promise<number[]> =>
  (await queryTable(await load(lake, name), 'SELECT id FROM FILES ORDER BY id')).map(([id]) => Number(id))
const asked = async (clause: string, from = 't'): Promise<number[]> =>
  (await server.query(`SELECT id FROM ${from} WHERE ${clause} ORDER BY id`)).map(({ id }) => Number(id))
const failure = (flags: Flags): Promise<JobError> =>
  run(flags).then(
    () => {
      throw new Error('it was exported')
    },
    (error: unknown) => error as JobError,
  )

describe('--where', () => {
  it.each([
    'id % 3 = 0',
    'id < 5 OR id > 290',
    "url LIKE '%/1' -- a comment; not the end",
    "t.url = $q$ ' ) $q$ OR (t.id = 7) /* ) */",
    'at IS NULL',
    "price > 1.5 AND at < '2024-09-02Z'",
  ])('exports the rows that SELECT … WHERE gives: %s', async (where) => {
    const expected = await asked(`${where}\n`)
    await run({ where })
    expect(await ids()).toEqual(expected)
  })

  it('holds together with days, in ranges of an index and without, and with parts of a large table', async () => {
    const where = 'id < 100 OR id > 250'
    await run({ ...byDay, ...day('2024-09-01', '2024-09-02'), where })
    const days = `at >= '2024-09-01Z' AND at < '2024-09-03Z'`
    const expected = await asked(`(${where}) AND ${days}`)
    expect(await ids()).toEqual(expected)
    await server.query('CREATE INDEX ON t (at); ANALYZE t')
    await run({ ...day('2024-09-01', '2024-09-02'), where, connections: 1 })
    expect(await ids()).toEqual(expected)
    await server.query(`CREATE TABLE u (id int, filler text);
      INSERT INTO u SELECT i, repeat('x', 1000) FROM generate_series(1, 40000) i; ANALYZE u`)
    await run({ tables: ['u'], where: 'id % 1000 = 0 OR id = 1' })
    expect(await ids('u')).toEqual(await asked('id % 1000 = 0 OR id = 1', 'u'))
  })

  it('of a partitioned table and its leaves, by its own name', async () => {
    await server.query(`CREATE SCHEMA shop; CREATE TABLE shop.p (id int, day date) PARTITION BY RANGE (day);
      CREATE TABLE shop.p1 PARTITION OF shop.p FOR VALUES FROM ('2024-01-01') TO ('2024-07-01');
      CREATE TABLE shop.p2 PARTITION OF shop.p FOR VALUES FROM ('2024-07-01') TO ('2025-01-01');
      INSERT INTO shop.p SELECT i, date '2024-01-01' + i FROM generate_series(1, 300) i; ANALYZE`)
    await run({ tables: ['shop.p=default.p'], where: 'p.id > 100 AND p.id < 250' })
    expect(await ids('p')).toEqual(Array.from({ length: 149 }, (_, i) => 101 + i))
  })

  it.each([
    ['id = 1; DROP TABLE t', 'syntax error'],
    ['true) TO STDOUT; DROP TABLE t; --', 'syntax error at or near ")"'],
    ['id = 1) OR (id = 2', 'syntax error at or near ")"'],
    ['true UNION SELECT', 'syntax error at or near "UNION"'],
    ['true LIMIT 1', 'syntax error at or near "LIMIT"'],
    ['true FOR UPDATE', 'read-only'],
    ['true;', 'syntax error'],
    ['true;\n--', 'syntax error'],
    ['true /*', 'unterminated /* comment'],
    [`url = 'a`, 'unterminated quoted string'],
    ['url = $$a', 'unterminated dollar-quoted string'],
    ['id', 'argument of WHERE must be type boolean'],
    ['id, at', 'syntax error at or near ","'],
    ['', 'syntax error'],
    ['-- nothing', 'syntax error'],
    ['nosuch = 1', 'column "nosuch" does not exist'],
    [`at < 'yesterday noon o''clock'`, 'invalid input syntax'],
    ['id = $1', 'requires 1'],
    ['count(*) > 1', 'aggregate functions are not allowed in WHERE'],
    [
      "set_config('transaction_read_only', 'off', true) IS NULL; INSERT INTO t DEFAULT VALUES",
      'syntax error',
    ],
  ])('is no way out of its term: %s', async (where, message) => {
    const error = await failure({ where })
    expect(error).toMatchObject({ code: 'usage', field: '--where' })
    expect(error.message).toContain(`public.t: --where: `)
    expect(error.message).toContain(message)
    expect(await server.query('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 310 }])
  })

  it('says the place of what is wrong, and the table', async () => {
    expect((await failure({ where: `url <> 'ä' AND idd = 1` })).message).toBe(
      'public.t: --where: column "idd" does not exist at character 16: idd = 1',
    )
  })

  it('the shrink guard counts what is left', async () => {
    await run()
    const error = await failure({ where: 'id < 100' })
    expect(error).toMatchObject({ code: 'data', message: 'default.t: 310 rows would be replaced by 99' })
    expect(error.fix).toContain('--where')
    await run({ where: 'id < 100', maxShrink: 1 })
    expect(await ids()).toHaveLength(99)
  })

  it('is remembered: the same rows are unchanged, verify reads them alike, another clause is a change', async () => {
    const where = `id < 200 AND url <> '"'`
    await run({ ...byDay, where })
    expect(currentSnapshot(await load(lake)).summary['lakejobs.read']).toBe(JSON.stringify({ day: 2, where }))
    expect((await run({ where, onlyChanged: true })).tables).toMatchObject([{ status: 'unchanged' }])
    expect(await results(server, lake)).toMatchObject({
      code: 'ok',
      found: { '2024-09-01': 'match', '2024-09-02': 'match', '2024-09-03': 'match' },
    })
    // Rows that the clause leaves out are not the lake's.
    await server.query(`UPDATE t SET price = 0 WHERE id >= 200; ANALYZE t`)
    expect((await run({ where, onlyChanged: true })).tables).toMatchObject([{ status: 'unchanged' }])
    expect((await results(server, lake, { strict: true })).code).toBe('ok')
    const other = await run({ where: `id < 200 AND url IS NOT NULL`, onlyChanged: true })
    expect(other.tables).toMatchObject([{ status: 'ok' }])
    expect((await run({ onlyChanged: true })).tables).toMatchObject([{ status: 'ok', rows: 310 }])
  })

  it('of days that were exported by another clause verify says so', async () => {
    await run({ ...byDay, where: 'id < 200' })
    await run({ ...day('2024-09-02'), where: 'id < 290' })
    const { code, found, table } = await results(server, lake)
    expect([code, found]).toEqual([
      'ok',
      { '2024-09-01': 'changed', '2024-09-02': 'match', '2024-09-03': 'changed' },
    ])
    expect(table.verified?.intervals[0]?.reason).toContain('exported in another way')
  })
})
