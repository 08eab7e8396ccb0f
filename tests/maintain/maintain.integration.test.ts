import { describe, expect, it } from '@jest/globals'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { run, summaryOf, type Ran } from '../support/cli.ts'
import { eachWithDatabase } from '../commands/each-with-database.ts'

const { place } = eachWithDatabase()

const lakejobs = (...words: string[]): Promise<Ran> => run(words, { cwd: place.cwd, env: place.env })
const exported = (...words: string[]): Promise<Ran> =>
  lakejobs('export', '--format', 'iceberg', '--mode', 'full', ...words)
const bytesIn = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)

describe('lakejobs maintain', () => {
  it('shrinks a table that was exported again and again to what is live, of tables that are named or ours', async () => {
    await place.query(`
      CREATE TABLE web_logs (timestamp timestamptz, user_id int, url text, response_time int, status_code int);
      INSERT INTO web_logs SELECT timestamptz '2024-09-15 00:00+00' + i * interval '2 minutes', i % 50, md5(i::text), i % 900, 200
                           FROM generate_series(0, 1439) i;
      ANALYZE web_logs`)
    for (let time = 0; time < 4; time++) expect(await exported()).toMatchObject({ exit: 0 })
    const [row] = await place.query('SELECT metadata_location AS at FROM iceberg_tables')
    const folder = String(row?.['at']).replace(/^file:\/\/|\/metadata\/.*/g, '')
    const before = bytesIn(folder)
    const few = ['--older-than', '0', '--keep', '1', '--keep-before-shrink', '0'] as const
    const dry = await lakejobs(
      'maintain',
      'expire',
      '--table',
      'web_logs',
      '--dry-run',
      '--log-format',
      'pretty',
      ...few,
    )
    expect(dry).toMatchObject({ exit: 0 })
    expect(dry.stderr).toMatch(/snapshots +4 → 1/)
    expect(dry.stderr).toMatch(/ {2}data +4 files, [\d,]+ bytes +1 file, [\d,]+ bytes +3 files/)
    expect(bytesIn(folder)).toBe(before)
    // By default nothing is old enough.
    expect(summaryOf(await lakejobs('maintain', 'expire', '--table', 'default.web_logs'))).toMatchObject({
      files: 0,
    })
    const done = await lakejobs('maintain', 'expire', '--table', 'web_logs', ...few)
    expect(done).toMatchObject({ exit: 0 })
    expect(summaryOf(done).files).toBe(summaryOf(dry).files)
    const freed = summaryOf(done).bytes!
    expect(freed).toBe(summaryOf(dry).bytes)
    // The commit itself wrote a metadata file.
    const written = statSync(join(folder, 'metadata', newest(join(folder, 'metadata')))).size
    expect(bytesIn(folder)).toBe(before - freed + written)
    // What was written is still known, though the snapshots that said so are gone.
    expect(await lakejobs('verify', '--against', 'written', '--strict')).toMatchObject({ exit: 0 })
    const verified = await lakejobs('verify', '--against', 'source')
    expect(verified).toMatchObject({ exit: 0 })
    expect(summaryOf(verified)).toMatchObject({ rows: 1440 })
  })

  it('reports what nothing refers to, and removes it when it is told to', async () => {
    await place.query('CREATE TABLE t AS SELECT i AS a FROM generate_series(1, 1000) i; ANALYZE t')
    expect(await exported('--table', 't')).toMatchObject({ exit: 0 })
    const [row] = await place.query('SELECT metadata_location AS at FROM iceberg_tables')
    const folder = String(row?.['at']).replace(/^file:\/\/|\/metadata\/.*/g, '')
    const stray = join(folder, 'data/00000-0-3f2504e0-4f89-11d3-9a0c-0305e82c3301-00001.parquet')
    const upload = join(folder, `data/.lakejobs-${'0'.repeat(32)}-1-1-1-${'0'.repeat(16)}.tmp`)
    const others = join(folder, 'data/notes.txt')
    const old = Date.now() / 1000 - 4 * 86_400
    for (const file of [stray, upload, others]) {
      writeFileSync(file, 'x'.repeat(99))
      utimesSync(file, old, old)
    }
    const report = await lakejobs('maintain', 'orphans', '--log-format', 'pretty')
    expect(report).toMatchObject({ exit: 0 })
    expect(report.stderr).toMatch(/ {2}data +2 files, [\d,]+ bytes +1 file, [\d,]+ bytes +1 file, 99 bytes/)
    expect(existsSync(stray)).toBe(true)
    expect(await lakejobs('maintain', 'orphans', '--delete', '--orphan-age', '1h')).toMatchObject({ exit: 2 })
    expect(await lakejobs('maintain', 'orphans', '--delete', '--keep', '1')).toMatchObject({ exit: 2 })
    const few = await lakejobs('maintain', 'orphans', '--delete', '--max-orphans', '0%')
    expect(summaryOf(few)).toMatchObject({
      exit: 3,
      error: { fix: expect.stringContaining('--max-orphans') as unknown },
    })
    const done = await lakejobs('maintain', 'orphans', '--delete')
    expect(summaryOf(done)).toMatchObject({ exit: 0, files: 2, bytes: 198 })
    expect([stray, upload, others].map((file) => existsSync(file))).toEqual([false, false, true])
    expect(summaryOf(await lakejobs('maintain', 'orphans', '--delete'))).toMatchObject({ exit: 0, files: 0 })
    expect(await lakejobs('verify', '--table', 't')).toMatchObject({ exit: 0 })
  })

  it('tags, rolls back with what is known of the rows, and adopts, each one table by its whole name', async () => {
    await place.query('CREATE TABLE t AS SELECT i AS a FROM generate_series(1, 10) i; ANALYZE t')
    expect(await exported('--table', 't')).toMatchObject({ exit: 0 })
    const t = ['--table', 'default.t'] as const
    expect(await lakejobs('maintain', 'tag', ...t, '--name', 'first')).toMatchObject({ exit: 0 })
    await place.query('INSERT INTO t VALUES (11); ANALYZE t')
    const second = summaryOf(await exported('--table', 't')).tables![0]!.snapshotId!
    const [{ ago } = {}] = await place.query(
      `SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS ago`,
    )
    for (const words of [
      ['rollback', ...t],
      ['rollback', '--to', String(ago)],
      ['rollback', '--table', 't', '--to', String(ago)],
      ['tag', ...t],
      ['adopt'],
    ])
      expect([words, (await lakejobs('maintain', ...words)).exit]).toEqual([words, 2])
    const [{ first } = {}] = await place.query(`SELECT metadata_location AS first FROM iceberg_tables`)
    const metadata = readFileSync(String(first).replace('file://', ''), 'utf8')
    const id =
      /"first":\{"snapshot-id":(\d+)/.exec(metadata)?.[1] ??
      /"first":\{[^}]*"snapshot-id":(\d+)/.exec(metadata)![1]!
    const dry = await lakejobs('maintain', 'rollback', ...t, '--snapshot', id, '--dry-run')
    expect(summaryOf(dry).tables![0]!.changes).toContain('rows: 11 → 10')
    expect(summaryOf(await lakejobs('verify', '--table', 't', '--against', 'written'))).toMatchObject({
      rows: 11,
    })
    expect(await lakejobs('maintain', 'rollback', ...t, '--snapshot', id)).toMatchObject({ exit: 0 })
    const verified = await lakejobs('verify', '--table', 't', '--against', 'written', '--strict')
    expect(summaryOf(verified)).toMatchObject({ exit: 0, rows: 10 })
    expect(await lakejobs('maintain', 'rollback', ...t, '--snapshot', second)).toMatchObject({ exit: 3 })
    expect(await lakejobs('maintain', 'tag', ...t, '--name', 'first', '--drop')).toMatchObject({ exit: 0 })
    expect(await lakejobs('maintain', 'adopt', ...t)).toMatchObject({ exit: 0 })
  }, 120_000)

  it('leaves a table of another catalog name that lies in the same folder by another path', async () => {
    await place.query('CREATE TABLE t AS SELECT i AS a FROM generate_series(1, 100) i; ANALYZE t')
    mkdirSync(join(place.cwd, 'real'))
    symlinkSync('real', join(place.cwd, 'link'))
    const of = (name: 'link' | 'real', ...words: string[]): Promise<Ran> =>
      run(words, {
        cwd: place.cwd,
        env: { ...place.env, WAREHOUSE: join(place.cwd, name), ICEBERG_CATALOG_NAME: name },
      })
    const first = await of('link', 'export', '--table', 't', '--format', 'iceberg', '--mode', 'full')
    expect(first).toMatchObject({ exit: 0 })
    await place.query('INSERT INTO t SELECT i FROM generate_series(101, 50000) i; ANALYZE t')
    for (let time = 0; time < 2; time++) {
      const again = await of('real', 'export', '--table', 't', '--format', 'iceberg', '--mode', 'full')
      expect(again).toMatchObject({ exit: 0 })
    }
    const old = Date.now() / 1000 - 5 * 86_400
    for (const entry of readdirSync(join(place.cwd, 'real'), { recursive: true, withFileTypes: true }))
      if (entry.isFile()) utimesSync(join(entry.parentPath, entry.name), old, old)
    const few = ['--older-than', '0', '--keep', '1', '--keep-before-shrink', '0', '--max-orphans', '100%']
    expect(await of('real', 'maintain', 'all', '--table', 'default.t', '--delete', ...few)).toMatchObject({
      exit: 0,
    })
    for (const [name, rows] of [
      ['link', 100],
      ['real', 50_000],
    ] as const)
      expect(
        summaryOf(await of(name, 'verify', '--table', 'default.t', '--against', 'written', '--strict')),
      ).toMatchObject({ exit: 0, rows })
  }, 120_000)

  it('says that a commit is made only where one is', async () => {
    await place.query('CREATE TABLE t AS SELECT 1 AS a; ANALYZE t')
    for (let time = 0; time < 3; time++) expect(await exported('--table', 't')).toMatchObject({ exit: 0 })
    const [row] = await place.query('SELECT metadata_location AS at FROM iceberg_tables')
    const metadata = readFileSync(String(row?.['at']).replace('file://', ''), 'utf8')
    const [, list] = /"manifest-list":"file:\/\/([^"]+)"/.exec(metadata)!
    rmSync(list!)
    const few = ['--older-than', '0', '--keep', '1', '--keep-before-shrink', '0'] as const
    const expire = (...words: string[]): Promise<Ran> =>
      lakejobs('maintain', 'expire', '--table', 'default.t', ...few, ...words)
    const messageOf = async (ran: Promise<Ran>): Promise<string> => {
      const { exit, error } = summaryOf(await ran)
      expect(exit).toBe(1)
      return error!.message
    }
    const dry = await messageOf(expire('--dry-run'))
    expect(dry).toMatch(/^default\.t: some files are not known: /)
    expect(await messageOf(expire())).toBe(dry.replace('some files', 'the commit is made, but some files'))
  }, 120_000)

  it('leaves tables alone that are not ours, and says what is missing', async () => {
    expect(await lakejobs('maintain')).toMatchObject({ exit: 2 })
    expect(await lakejobs('maintain', 'shrink')).toMatchObject({ exit: 2 })
    expect(await lakejobs('maintain', 'expire', '--older-than=-1d')).toMatchObject({ exit: 2 })
    expect(await lakejobs('maintain', 'expire', '--keep', '0')).toMatchObject({ exit: 2 })
    expect(await lakejobs('maintain', 'expire', '--table', 'nowhere')).toMatchObject({ exit: 3 })
    await place.query('CREATE TABLE t AS SELECT 1 AS a; ANALYZE t')
    for (let time = 0; time < 2; time++) expect(await exported('--table', 't')).toMatchObject({ exit: 0 })
    const [row] = await place.query('SELECT metadata_location AS at FROM iceberg_tables')
    await place.query('CREATE TABLE before AS SELECT * FROM iceberg_tables')
    const few = ['--older-than', '0', '--keep', '1'] as const
    const left = await lakejobs('maintain', 'expire', '--table', 'default.t', '--dry-run', ...few)
    expect(summaryOf(left).tables).toMatchObject([
      { maintained: { dryRun: true, snapshots: { before: 2, after: 1 } } },
    ])
    expect(await place.query('SELECT metadata_location AS at FROM iceberg_tables')).toEqual([row])
  })
})

const newest = (folder: string): string =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.metadata.json'))
    .sort()
    .at(-1)!
