import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from '@jest/globals'
import { createHash, createSecretKey } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { JobError } from '../../../jobs/errors.ts'
import { current } from '../../support/current.ts'
import { build, run as cli, summaryOf } from '../../support/cli.ts'
import { startPostgres, type TestPostgres } from '../../support/postgres.ts'
import { results } from '../../verify/verify-lake.ts'
import {
  currentSnapshot,
  filesIn,
  load,
  openLake,
  queryFiles,
  queryTable,
  runExport,
  type Flags,
  type TestLake,
} from '../lake.ts'

const secret = 'a key of thirty-two bytes or more, ä'
const hashKey = createSecretKey(Buffer.from(secret))
const otherKey = createSecretKey(Buffer.from('another key, which gives other values'))

let serverLog = ''
let started: TestPostgres
let opened: TestLake
beforeAll(async () => {
  started = await startPostgres({ log_statement: 'all' }, (text) => {
    serverLog += text
  })
}, 120_000)
afterAll(() => started.stop())
const server = current(() => started)
const lake = current(() => opened)
beforeEach(async () => {
  opened = await openLake(server)
  await server.query(`CREATE TABLE t (id int, day date, email text, phone varchar, n int, c char(5), j jsonb,
      at timestamptz, u uuid, x numeric, b bytea, a text[]);
    INSERT INTO t VALUES
      (1, '2024-09-01', 'ann@example.com', '', 7, 'ab', '{"b": 1, "a": [2]}', '2024-09-01 10:00+02',
       'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 1.50, '\\x00ff', '{x,"y z"}'),
      (2, '2024-09-02', repeat('ö', 500), NULL, -1, NULL, 'null', NULL, NULL, NULL, NULL, '{}'),
      (3, '2024-09-02', 'ann@example.com', 'x', NULL, 'ab', NULL, NULL, NULL, 'NaN', '', NULL);
    ANALYZE t`)
})
afterEach(async () => {
  await lake.close()
  await server.query('DROP TABLE t')
})

/** By its definition (RFC 2104), in the place of the library's. */
function hmac(text: string, key = secret): string {
  const bytes = Buffer.from(key)
  const block = Buffer.alloc(64)
  ;(bytes.length > 64 ? createHash('sha256').update(bytes).digest() : bytes).copy(block)
  const pad = (value: number): Buffer => Buffer.from(block.map((byte) => byte ^ value))
  const inner = createHash('sha256').update(pad(0x36)).update(text, 'utf8').digest()
  return createHash('sha256').update(pad(0x5c)).update(inner).digest('hex')
}

const run = (flags: Flags = {}): ReturnType<typeof runExport> =>
  runExport(server, lake, { hashKey, casts: { x: 'text' }, ...flags })
const failure = (flags: Flags): Promise<JobError> =>
  run(flags).then(
    () => {
      throw new Error('it was exported')
    },
    (error: unknown) => error as JobError,
  )
const column = async (name: string): Promise<(string | null)[]> =>
  (await queryTable(await load(lake), `SELECT "${name}" FROM FILES ORDER BY id`)).map(([value]) => value!)

describe('--hash', () => {
  it('is the HMAC of the text that PostgreSQL gives of a value, whatever its type; NULL stays NULL', async () => {
    const names = ['email', 'phone', 'n', 'j', 'at', 'u', 'x', 'b', 'a']
    await run({ hashed: [...names, 'c'], casts: {} })
    for (const name of names) {
      const texts = await server.query(
        `SELECT CASE WHEN '${name}' = 'at' THEN at::timestamptz AT TIME ZONE 'UTC' || '+00' ELSE ${name}::text END AS v FROM t ORDER BY id`,
      )
      expect([name, await column(name)]).toEqual([
        name,
        texts.map(({ v }) => (v === null ? null : hmac(v as string))),
      ])
    }
    // The lake keeps the padding of char(n).
    expect(await column('c')).toEqual([hmac('ab   '), null, hmac('ab   ')])
    expect(await column('id')).toEqual(['1', '2', '3'])
    const { summary } = currentSnapshot(await load(lake))
    expect(JSON.parse(summary['lakejobs.read']!)).toEqual({
      hash: { key: hmac('lakejobs.hash-key').slice(0, 16), columns: [3, 4, 5, 6, 7, 8, 9, 10, 11, 12] },
    })
  })

  it('leaves no plain value in files, metadata, statistics, log or plan, and tells the server no key', async () => {
    const lines: string[] = []
    const flags: Flags = {
      hashed: ['*mail*'],
      formats: ['iceberg', 'parquet'],
      codec: 'none',
      onLog: (line) => lines.push(line),
    }
    const plan = await run({ ...flags, dryRun: true })
    const outcome = await run(flags)
    const verified = await results(server, lake, { hashKey, deep: true })
    expect(verified.code).toBe('ok')
    const files = await filesIn(lake.folder)
    expect(files.length).toBeGreaterThan(4)
    const told = [JSON.stringify([plan, outcome, verified.table]), ...lines]
    for (const file of files) told.push(await readFile(join(lake.folder, file), 'latin1'))
    for (const text of told)
      for (const plain of ['ann@example', '@example.com', secret, 'key of thirty'])
        expect(text.includes(plain)).toBe(false)
    expect(told.some((text) => text.includes(hmac('ann@example.com')))).toBe(true)
    expect(serverLog.includes('key of thirty')).toBe(false)
    const plainFile = join(
      lake.folder,
      files.find((file) => file.endsWith('t/t.parquet') || file.endsWith('t.parquet'))!,
    )
    expect(await queryFiles([plainFile], 'SELECT email FROM FILES WHERE id = 1')).toEqual([
      [hmac('ann@example.com')],
    ])
  })

  it('verify hashes the source alike; without the key, or by another, it names what it did not compare', async () => {
    await run({ hashed: ['email'] })
    expect(await results(server, lake, { hashKey })).toMatchObject({
      code: 'ok',
      found: { all: 'match' },
      table: { verified: { columns: 12 } },
    })
    await server.query(`UPDATE t SET email = 'other@example.com' WHERE id = 1`)
    expect((await results(server, lake, { hashKey })).found).toEqual({ all: 'changed' })
    for (const key of ['none', otherKey] as const) {
      expect(await results(server, lake, { hashKey: key })).toMatchObject({
        code: 'ok',
        found: { all: 'match' },
        table: { verified: { columns: 11, columnsNotCompared: ['email'] } },
      })
      expect((await results(server, lake, { hashKey: key, strict: true })).code).toBe('data')
    }
    expect(await results(server, lake, { against: 'written' })).toMatchObject({
      code: 'ok',
      table: { verified: { columns: 12 } },
    })
  })

  it('another key is a change, and so is hashing from now on; days alone are refused', async () => {
    await run({ hashed: ['email'], partitionBy: ['day(day)'] })
    const again: Flags = { hashed: ['email'], onlyChanged: true }
    expect((await run(again)).tables).toMatchObject([{ status: 'unchanged' }])
    const other = await run({ ...again, hashKey: otherKey })
    expect(other.tables).toMatchObject([
      { status: 'ok', warnings: [expect.stringContaining('email is hashed by another key than before')] },
    ])
    expect((await column('email'))[0]).toBe(hmac('ann@example.com', 'another key, which gives other values'))
    const scope = { mode: 'day', from: '2024-09-02', to: '2024-09-02' } as const
    for (const flags of [{ hashed: ['email'] }, { hashed: ['email', 'phone'], hashKey: otherKey }, {}]) {
      const refused = await failure({ ...flags, scope })
      expect(refused).toMatchObject({ code: 'usage', field: '--hash' })
      expect(refused.fix).toContain('--mode full')
    }
    await run({ hashed: ['email'], hashKey: otherKey, scope })
    const plainly = await run({})
    expect(plainly.tables?.[0]?.warnings?.join()).toContain('email is not hashed any more')
    expect((await column('email'))[0]).toBe('ann@example.com')
  })

  it('refuses what cannot be meant', async () => {
    expect(await failure({ hashed: ['emial'] })).toMatchObject({
      code: 'usage',
      field: '--hash',
      message: '--hash: there is no column emial',
    })
    expect(await failure({ hashed: ['x'] })).toMatchObject({
      message: 'both --hash and --cast name public.t.x',
    })
    expect((await failure({ hashed: ['email'], partitionBy: ['day(email)'] })).code).toBe('usage')
    expect((await run({ hashed: ['email'], excluded: ['email'] })).tables).toMatchObject([{ status: 'ok' }])
  })

  it('of the built jobs: in reader threads too, the key from a file, none is exit 2', async () => {
    build()
    await server.createDatabase('cat')
    await server.query(`CREATE TABLE big AS SELECT i AS id, 'user' || i || '@example.com' AS email,
      repeat('f', 200) AS filler FROM generate_series(1, 120000) i; ANALYZE big`)
    const { host, port, user, password, database } = server
    const settings = { HOST: host, PORT: String(port), USER: user, PASSWORD: password }
    const env = {
      ...Object.fromEntries(
        ['POSTGRES', 'ICEBERG_POSTGRES'].flatMap((prefix) =>
          Object.entries(settings).map(([name, value]) => [`${prefix}_${name}`, value]),
        ),
      ),
      POSTGRES_DB: database,
      ICEBERG_POSTGRES_DB: 'cat',
    }
    const cwd = lake.folder
    await writeFile(join(cwd, 'key'), `${secret}\n`)
    await writeFile(
      join(cwd, 'lakejobs.yaml'),
      'version: 1\ntables: { public.big: { hash: [email], format: parquet } }',
    )
    const missing = summaryOf(await cli(['export'], { cwd, env }))
    expect(missing).toMatchObject({ exit: 2, error: { field: 'LAKEJOBS_HASH_KEY' } })
    const short = summaryOf(await cli(['export'], { cwd, env: { ...env, LAKEJOBS_HASH_KEY: 'short' } }))
    expect(short).toMatchObject({ exit: 2 })
    expect(JSON.stringify(short)).not.toContain('"short"')
    const keyed = { ...env, LAKEJOBS_HASH_KEY_FILE: join(cwd, 'key') }
    const ran = await cli(['export', '--connections', '3'], { cwd, env: keyed })
    const [table] = summaryOf(ran).tables ?? []
    expect(table).toMatchObject({ status: 'ok', rows: 120_000 })
    const rows = await queryFiles(
      [String(table?.parquetLocation)],
      'SELECT id, email FROM FILES WHERE id % 40000 = 7 ORDER BY id',
    )
    expect(rows).toEqual(['7', '40007', '80007'].map((id) => [id, hmac(`user${id}@example.com`)]))
    expect(
      await queryFiles([String(table?.parquetLocation)], 'SELECT count(DISTINCT email) FROM FILES'),
    ).toEqual([['120000']])
  })
})
