import { daysBetween } from '../../jobs/calendar.ts'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { addDays } from '../../jobs/calendar.ts'
import { copyRange } from '../../jobs/postgres/copy-range.ts'
import { createDecoder, type RowGroup } from '../../jobs/postgres/copy/decoder.ts'
import { LockUnavailable } from '../../jobs/postgres/errors.ts'
import { parseTableName } from '../../jobs/postgres/identifiers.ts'
import { lockForReading, openReader } from '../../jobs/postgres/snapshot.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { columnOf, open, readAll, readTable, rowCount } from './read-source.ts'

let server: TestPostgres
const clients: pg.Client[] = []
beforeAll(async () => {
  server = await startPostgres({ autovacuum: 'off' })
}, 30_000)
afterAll(async () => {
  for (const client of clients) await client.end()
  await server.stop()
})

async function session(): Promise<pg.Client> {
  const { host, port, user, password, database } = server
  const client = new pg.Client({ host, port, user, password, database })
  client.on('error', () => undefined)
  await client.connect()
  clients.push(client)
  return client
}

const ints = (groups: Parameters<typeof columnOf>[0], index = 0): (number | null)[] =>
  columnOf(groups, index, (value) => value.readInt32LE())
const sum = (values: (number | null)[]): number =>
  values.reduce<number>((total, value) => total + (value ?? 0), 0)

/** Resolves once `count` sessions wait for a lock. */
async function waiting(count: number): Promise<void> {
  const held = `SELECT count(*)::int AS n FROM pg_locks WHERE NOT granted`
  while (Number((await server.query(held))[0]?.['n']) < count) await sleep(20)
}

describe('tables of every shape', () => {
  it('keeps order, generated columns and NOT NULL; drops dropped ones', async () => {
    await server.query(`CREATE SCHEMA "My ""Schema"; CREATE TABLE "My ""Schema"."select" (
        "from" int NOT NULL, gone int, "Ünï.Code" text, stored int GENERATED ALWAYS AS ("from" * 2) STORED,
        virtual int GENERATED ALWAYS AS ("from" * 3) VIRTUAL);
      ALTER TABLE "My ""Schema"."select" DROP COLUMN gone;
      ALTER TABLE "My ""Schema"."select" ADD CONSTRAINT later NOT NULL stored NOT VALID;
      COMMENT ON TABLE "My ""Schema"."select" IS 'hello';
      INSERT INTO "My ""Schema"."select" VALUES (5, 'x')`)
    const { plan, groups } = await readTable(server, '"My ""Schema"."select"')
    expect(plan.columns.map(({ name, required }) => [name, required])).toEqual([
      ['from', true],
      ['Ünï.Code', false],
      ['stored', false],
      ['virtual', false],
    ])
    expect(plan).toMatchObject({
      comment: 'hello',
      kind: 'table',
      table: { schema: 'My "Schema', name: 'select' },
    })
    expect([ints(groups, 0), ints(groups, 2), ints(groups, 3)]).toEqual([[5], [10], [15]])
  })

  it('chooses and orders columns, and web_logs has the contract’s order', async () => {
    await server.query(`CREATE TABLE web_logs (user_id int NOT NULL, url text NOT NULL, extra int,
      response_time int NOT NULL, status_code int NOT NULL, timestamp timestamptz NOT NULL)`)
    const contract = await open(server, 'public.web_logs')
    expect(contract.plan.columns.map(({ name }) => name).join()).toBe(
      'timestamp,user_id,url,response_time,status_code,extra',
    )
    await contract.source.close()
    const request = { table: parseTableName('web_logs'), columns: ['url', 'user_id'] }
    const chosen = await open(server, request)
    expect(chosen.plan.columns.map(({ name }) => name)).toEqual(['url', 'user_id'])
    await chosen.source.close()
    await expect(open(server, { ...request, columns: ['URL'] })).rejects.toMatchObject({ code: 'usage' })
    await expect(open(server, { ...request, casts: { nope: 'text' } })).rejects.toMatchObject({
      field: '--cast',
    })
    await expect(open(server, { ...request, casts: { url: 'regclass' } })).rejects.toMatchObject({
      field: '--cast',
    })
    const none = await readTable(server, { ...request, columns: [] })
    expect(rowCount(none.groups)).toBe(0)
  })

  it('reads views, materialized views, partitioned and inherited tables', async () => {
    await server.query(`CREATE TABLE part (n int NOT NULL, k text) PARTITION BY RANGE (n);
      CREATE TABLE part_low PARTITION OF part FOR VALUES FROM (0) TO (10);
      CREATE TABLE part_high (k text, dropped int, n int NOT NULL); ALTER TABLE part_high DROP COLUMN dropped;
      ALTER TABLE part ATTACH PARTITION part_high FOR VALUES FROM (10) TO (20);
      INSERT INTO part SELECT i, 'k' || i FROM generate_series(0, 19) i;
      CREATE VIEW part_view AS SELECT n, k FROM part WHERE n % 2 = 0;
      CREATE MATERIALIZED VIEW part_copy AS SELECT n FROM part;
      CREATE TABLE parent (n int); CREATE TABLE child (more int) INHERITS (parent);
      INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2, 3)`)
    const read = async (table: string): Promise<[string, number, number[], boolean]> => {
      const { plan, groups } = await readTable(server, table)
      const values = ints(groups).map(Number)
      return [plan.kind, plan.ranges.length, values.sort((a, b) => a - b), plan.columns[0]!.required]
    }
    const all = Array.from({ length: 20 }, (_, i) => i)
    expect(await read('part')).toEqual(['partitioned', 2, all, true])
    expect(await read('part_view')).toEqual(['view', 1, all.filter((i) => i % 2 === 0), false])
    expect(await read('part_copy')).toEqual(['materialized view', 1, all, false])
    expect(await read('parent')).toEqual(['table', 2, [1, 2], false])
    const refused = open(server, 'part_copy_is_not_there')
    await expect(refused).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('no table') as unknown,
    })
    await expect(open(server, 'PUBLIC."PART"')).rejects.toMatchObject({
      fix: "did you mean --table 'public.part'?",
    })
  })
})

describe('one instant', () => {
  beforeEach(async () => {
    await server.query(`DROP TABLE IF EXISTS account; CREATE TABLE account (id int, balance int, filler text);
      INSERT INTO account SELECT i, 100, repeat('x', 500) FROM generate_series(1, 20000) i; CREATE INDEX ON account (id); ANALYZE account`)
  })

  it('is what every range sees while others write', async () => {
    const clock = async (): Promise<number> =>
      Number(
        (await server.query('SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::text AS ms'))[0]?.[
          'ms'
        ],
      )
    const before = await clock()
    const { source, plan } = await open(server, 'account')
    expect(plan.ranges.length).toBeGreaterThan(4)
    expect(plan.estimatedRows).toBe(20_000)
    expect(Date.parse(source.sourceTime)).toBeGreaterThanOrEqual(before)
    expect(Date.parse(source.sourceTime)).toBeLessThanOrEqual(await clock())
    const writer = await session()
    const write = async (from: number, to: number): Promise<void> => {
      for (let i = from; i < to; i++) {
        await writer.query(`UPDATE account SET balance = balance + CASE id WHEN ${1 + i} THEN -7 ELSE 7 END
                            WHERE id IN (${1 + i}, ${10_001 + i})`)
        if (i % 5 === 0) await writer.query(`INSERT INTO account VALUES (0, 1, '')`)
        if (i % 7 === 0) await writer.query(`DELETE FROM account WHERE id = ${20_000 - i}`)
      }
    }
    await write(0, 50)
    const writing = write(50, 200)
    const groups = await readAll(source, plan)
    await writing
    await source.close()
    expect([rowCount(groups), sum(ints(groups, 1))]).toEqual([20_000, 2_000_000])
    const [now] = await server.query('SELECT count(*)::int AS n FROM account')
    expect(now?.['n']).not.toBe(20_000)
  })

  it('is read by the same settings in every range, whatever a function sets', async () => {
    await server.query(`
      CREATE OR REPLACE FUNCTION sets(id int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
        IF id = 1 THEN PERFORM set_config('IntervalStyle', 'postgres_verbose', false); END IF;
        RETURN true; END $$;
      ALTER TABLE account ADD span interval; UPDATE account SET span = '1 day'`)
    const { plan, groups } = await readTable(server, {
      table: parseTableName('account'),
      columns: ['id', 'span'],
      where: 'sets(id)',
    })
    expect(plan.ranges.length).toBeGreaterThan(1)
    const last = columnOf(groups, 1, String).at(-1)
    expect([rowCount(groups), last]).toEqual([20_000, 'P1D'])
  })

  it('a TRUNCATE that is queued before the lock is waited for, never read as an empty snapshot', async () => {
    const other = await session()
    await other.query('BEGIN')
    await other.query('TRUNCATE account')
    const opening = open(server, 'account')
    await waiting(1)
    await other.query(`INSERT INTO account VALUES (1, 42, '')`)
    await other.query('COMMIT')
    const { source, plan } = await opening
    expect(sum(ints(await readAll(source, plan), 1))).toBe(42)
    await source.close()
  })

  it('an ALTER before the lock changes the plan', async () => {
    const other = await session()
    await other.query('BEGIN')
    await other.query('ALTER TABLE account ALTER balance TYPE bigint, DROP COLUMN filler')
    const opening = open(server, 'account')
    await waiting(1)
    await other.query('COMMIT')
    const { source, plan } = await opening
    expect(plan.columns.map(({ type }) => type.kind)).toEqual(['int', 'long'])
    expect(rowCount(await readAll(source, plan))).toBe(20_000)
    await source.close()
  })

  it('a lock that is not had in time is an error with its table', async () => {
    const other = await session()
    await other.query('BEGIN; LOCK TABLE account')
    await expect(open(server, 'account', { lockTimeoutMs: 100 })).rejects.toMatchObject({
      name: 'JobError',
      field: 'public.account',
      message: 'public.account is locked by another transaction',
    })
    await other.query('ROLLBACK')
  })

  it('a reader behind a queued TRUNCATE does not wait; one that has the lock reads on', async () => {
    const { source, plan } = await open(server, 'account')
    const early = await openReader(source.access)
    await lockForReading(early, plan)
    const other = await session()
    const truncated = other.query('TRUNCATE account')
    await waiting(1)
    const late = await openReader(source.access)
    await expect(lockForReading(late, plan)).rejects.toBeInstanceOf(LockUnavailable)
    expect(await early.query('SELECT count(*)::int AS n FROM account')).toEqual([{ n: 20_000 }])
    expect(await late.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
    await late.close()
    await early.close()
    await source.close()
    await truncated
  })

  it('every statement runs in UTC with fixed formats', async () => {
    await server.query(
      `DROP TABLE IF EXISTS zoned; CREATE TABLE zoned (v timestamptz); INSERT INTO zoned VALUES ('2024-09-24 00:30:00+00')`,
    )
    const { groups } = await readTable(server, { table: parseTableName('zoned'), casts: { v: 'text' } })
    expect(columnOf(groups, 0, String)).toEqual(['2024-09-24 00:30:00+00'])
  })
})

describe('a slow sink', () => {
  it('gets one row group after the other, also those of the last bytes', async () => {
    await server.query('CREATE TABLE many AS SELECT i FROM generate_series(1, 10_000) i')
    const { source, plan } = await open(server, 'public.many')
    const reader = await openReader(source.access)
    try {
      await lockForReading(reader, plan)
      const decoder = createDecoder({ ...plan, groupRows: 100, groupBytes: 2 ** 20, maxRowBytes: 2 ** 20 })
      let [rows, atOnce, most] = [0, 0, 0]
      const sink = async (group: RowGroup): Promise<void> => {
        most = Math.max(most, ++atOnce)
        await nextTurn()
        atOnce--
        rows += group.rows
      }
      for (const range of plan.ranges) await copyRange(reader, source.access, plan, range, decoder, sink)
      expect([rows + (decoder.take(true)?.rows ?? 0), most]).toEqual([10_000, 1])
    } finally {
      await reader.close()
      await source.close()
    }
  })
})

describe('row-level security', () => {
  it('is refused unless it is allowed', async () => {
    await server.query(`CREATE TABLE secret (owner text, n int); INSERT INTO secret VALUES ('reader', 1), ('other', 2);
      ALTER TABLE secret ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON secret USING (owner = current_user);
      CREATE ROLE reader LOGIN PASSWORD 'r'; GRANT SELECT ON secret TO reader; CREATE TABLE denied (n int)`)
    const reader = { ...server, user: 'reader', password: 'r' }
    await expect(open(reader, 'secret')).rejects.toMatchObject({
      code: 'usage',
      fix: expect.stringContaining('--row-security') as unknown,
    })
    const { source, plan } = await open(reader, 'secret', { rowSecurity: true })
    expect(ints(await readAll(source, plan), 1)).toEqual([1])
    await source.close()
    expect(ints((await readTable(server, 'secret')).groups, 1)).toEqual([1, 2])
    await expect(open(reader, 'denied')).rejects.toMatchObject({ code: 'usage', field: 'public.denied' })
  })
})

describe('day mode', () => {
  const days = ['2024-09-10', '2024-09-12', '2024-09-13']
  it.each([
    ['timestamptz', true],
    ['timestamptz', false],
    ['timestamp', true],
    ['date', true],
    ['date', false],
  ])('reads [D, D+1) UTC of a %s column, indexed: %s', async (type, indexed) => {
    await server.query(`DROP TABLE IF EXISTS dated; CREATE TABLE dated (n int, at ${type});
      SET timezone = 'UTC'; INSERT INTO dated SELECT i, '2024-09-08'::timestamp + i * interval '1 hour'
      FROM generate_series(0, 239) i; INSERT INTO dated VALUES (-1, NULL);
      ${indexed ? 'CREATE INDEX ON dated (at)' : ''}`)
    const { plan, groups } = await readTable(server, {
      table: parseTableName('dated'),
      days: { column: 'at', days },
    })
    const expected = days.flatMap((day) => {
      const first = (Date.parse(day) - Date.parse('2024-09-08')) / 3_600_000
      return Array.from({ length: 24 }, (_, hour) => first + hour)
    })
    expect(ints(groups).sort((a, b) => a! - b!)).toEqual(expected)
    expect(plan.ranges.length > 1).toBe(indexed)
  })

  it('reads a thousand years of days', async () => {
    await server.query(`DROP TABLE IF EXISTS dated; CREATE TABLE dated (n int, at date);
      INSERT INTO dated SELECT i, '2024-09-08'::date + i FROM generate_series(0, 9) i; CREATE INDEX ON dated (at)`)
    const { plan, groups } = await readTable(server, {
      table: parseTableName('dated'),
      days: { column: 'at', days: daysBetween('1024-09-01', '2024-09-16') },
    })
    expect(rowCount(groups)).toBe(9)
    expect(plan.ranges.length).toBeLessThanOrEqual(366)
  })

  it('knows the last day there is', async () => {
    await server.query(
      `CREATE TABLE ends (n int, at timestamptz); INSERT INTO ends VALUES (1, '9999-12-31 23:59:59+00')`,
    )
    const request = { table: parseTableName('ends'), days: { column: 'at', days: ['9999-12-31'] } }
    expect(ints((await readTable(server, request)).groups)).toEqual([1])
    expect(addDays('9999-12-30', 1)).toBe('9999-12-31')
    await expect(open(server, { ...request, days: { column: 'n', days } })).rejects.toMatchObject({
      field: '--day-column',
    })
  })
})
