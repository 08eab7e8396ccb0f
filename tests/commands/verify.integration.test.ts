import { describe, expect, it } from '@jest/globals'
import { mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { run, start, summaryOf, type Ran } from '../support/cli.ts'
import { eachWithDatabase } from './each-with-database.ts'

const { place } = eachWithDatabase()

const lakejobs = (...words: string[]): Promise<Ran> => run(words, { cwd: place.cwd, env: place.env })

describe('lakejobs verify', () => {
  it('takes a table with a comma in its name in quotes, as its message says', async () => {
    await place.query('CREATE SCHEMA shop; CREATE TABLE shop."a,b" AS SELECT 1 AS i')
    expect((await lakejobs('export', '--table', 'shop."a,b"', '--format', 'iceberg')).exit).toBe(0)
    const { error } = summaryOf(await lakejobs('verify', '--table', 'shop.a,b'))
    expect(error?.fix).toBe('did you mean "shop.a,b"?')
    expect(summaryOf(await lakejobs('verify', '--table', '"shop.a,b"'))).toMatchObject({ exit: 0, rows: 1 })
  })

  it('proves an export, tells a source that changed since, and fails for what is wrong', async () => {
    await place.query(`
      CREATE TABLE web_logs (timestamp timestamptz, user_id int, url text, response_time int, status_code int);
      INSERT INTO web_logs SELECT timestamptz '2024-09-15 00:00+00' + i * interval '2 minutes', i % 50, '/page/' || i % 7, i % 900, 200
                           FROM generate_series(0, 1439) i;
      ANALYZE web_logs`)
    expect(await lakejobs('export', '--format', 'iceberg', '--partition-by', 'day(timestamp)')).toMatchObject(
      { exit: 0 },
    )
    const proven = await lakejobs('verify', '--log-format', 'pretty')
    expect(proven).toMatchObject({ exit: 0 })
    expect(proven.stderr).toMatch(/^ {2}2024-09-15 {2}match {2}720 rows$/m)
    expect(summaryOf(proven)).toMatchObject({ rows: 1440, tables: [{ verified: { match: 2, columns: 5 } }] })
    expect(summaryOf(await lakejobs('verify', '--counts', '--date', '2024-09-16'))).toMatchObject({
      rows: 720,
    })

    expect(await lakejobs('export', '--format', 'parquet', '--date', '2024-09-16')).toMatchObject({ exit: 0 })
    const named = await lakejobs('verify', '--table', 'default.web_logs', '--log-format', 'pretty')
    expect(summaryOf(named).tables).toMatchObject([
      { rows: 1440, verified: { against: 'source', match: 2 } },
      {
        rows: 720,
        parquetLocation: expect.stringContaining('web_logs_by_day') as unknown,
        verified: { match: 1 },
      },
    ])

    await place.query('DELETE FROM web_logs WHERE user_id = 7')
    const changed = await lakejobs('verify', '--log-format', 'pretty')
    expect(changed).toMatchObject({ exit: 0 })
    expect(changed.stderr).toMatch(/2024-09-15 {2}changed since {2}720 rows, 705 in the source/)
    expect(await lakejobs('verify', '--strict')).toMatchObject({ exit: 3 })
    const deep = await lakejobs(
      'verify',
      '--date',
      '2024-09-16',
      '--deep',
      '--key',
      'timestamp',
      '--log-format',
      'pretty',
    )
    expect(deep.stderr).toMatch(
      /^ {2}2024-09-16 {2}in the lake alone {2}timestamp 2024-09-16T\d\d:\d\d:00\.000000Z$/m,
    )
    expect(await lakejobs('verify', '--deep', '--against', 'written')).toMatchObject({ exit: 2 })

    const [row] = await place.query('SELECT metadata_location AS at FROM iceberg_tables')
    const folder = String(row?.['at']).replace(/^file:\/\/|\/metadata\/.*/g, '')
    rmSync(`${folder}/data/timestamp_day=2024-09-16`, { recursive: true })
    const wrong = await lakejobs(
      'verify',
      '--table',
      'web_logs',
      '--against',
      'written',
      '--log-format',
      'pretty',
    )
    expect(wrong).toMatchObject({ exit: 3 })
    expect(wrong.stderr).toMatch(/2024-09-16 {2}WRONG {2}0 rows, 720 written/)
    expect(summaryOf(wrong)).toMatchObject({
      status: 'failed',
      error: { code: 'data', fix: expect.stringContaining('--date 2024-09-16') as unknown },
      tables: [
        { table: 'default.web_logs', status: 'failed', verified: { match: 1, incomplete: 1 } },
        { table: 'default.web_logs', status: 'ok', verified: { match: 1 } },
      ],
    })
  })

  it('tells a table that is not there, and wrong days, without making anything', async () => {
    expect(await lakejobs('verify', '--table', 'nowhere')).toMatchObject({ exit: 3 })
    expect(await lakejobs('verify', '--from', '2024-09-16')).toMatchObject({ exit: 2 })
  })

  /** A table of so many rows of one day; its metadata file. */
  const exported = async (rows: number): Promise<string> => {
    await place.query(`
      CREATE TABLE web_logs AS SELECT i AS id, timestamptz '2024-09-15 00:00+00' AS timestamp, 'page ' || i AS url
                               FROM generate_series(1, ${rows}) i;
      ANALYZE web_logs`)
    expect(await lakejobs('export', '--format', 'iceberg')).toMatchObject({ exit: 0 })
    const [row] = await place.query('SELECT metadata_location AS at FROM iceberg_tables')
    return String(row?.['at']).replace('file://', '')
  }

  it('one line with the fix for what is not there, damaged, newer or away, and no file left', async () => {
    const metadata = await exported(100)
    const temporary = join(place.cwd, 'tmp')
    mkdirSync(temporary)
    const says = async (
      exit: number,
      message: RegExp,
      flags: readonly string[] = [],
      env = {},
    ): Promise<void> => {
      const ran = await run(['verify', '--format', 'iceberg', ...flags], {
        cwd: place.cwd,
        env: { ...place.env, TMPDIR: temporary, ...env },
      })
      expect([flags, ran.exit]).toEqual([flags, exit])
      const errors = ran.stderr.split('\n').filter((line) => line.includes('"level":"error"'))
      expect(errors).toEqual([expect.stringMatching(message)])
      expect(summaryOf(ran)).toMatchObject({ status: 'failed', exit })
      expect(readdirSync(temporary).filter((name) => !name.startsWith('node-'))).toEqual([])
    }
    await says(3, /no such table in the catalog: default\.web_lgs: did you mean (default\.)?web_logs/, [
      '--table',
      'web_lgs',
    ])
    await says(1, /nothing listens at 127\.0\.0\.1:1.*ICEBERG_POSTGRES_HOST/, [], {
      ICEBERG_POSTGRES_PORT: '1',
    })
    await says(1, /nothing listens at 127\.0\.0\.1:1.* POSTGRES_HOST/, [], { POSTGRES_PORT: '1' })

    const text = readFileSync(metadata, 'utf8')
    writeFileSync(metadata, text.replace('"format-version":2', '"format-version":4'))
    await says(3, /format version 4.*use a newer lakejobs/)
    writeFileSync(metadata, text.slice(0, 99))
    await says(3, /metadata\.json/)
    writeFileSync(metadata, text)

    const folder = join(metadata, '../../data')
    const path = join(
      folder,
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((name) => name.endsWith('.parquet'))!,
    )
    truncateSync(path, 100)
    const again =
      /lakejobs export --table '?public\.web_logs=default\.web_logs'? --format iceberg --mode full --force/
    await says(3, new RegExp(`incomplete: .*it has 100 bytes, the manifest says.*${again.source}`))
    rmSync(path)
    await says(3, new RegExp(`incomplete: .*no such file.*${again.source}`), ['--counts'])
    // Followed, it mends the table.
    const fix = [
      'export',
      '--table',
      'public.web_logs=default.web_logs',
      '--format',
      'iceberg',
      '--mode',
      'full',
      '--force',
    ]
    expect(await lakejobs(...fix)).toMatchObject({ exit: 0 })
    expect(await lakejobs('verify', '--strict')).toMatchObject({ exit: 0 })
  })

  it.each([
    ['verify', '--deep'],
    ['verify', '--against', 'written'],
    ['inspect', '--table', 'web_logs', '--storage', '--tree'],
  ])('Ctrl-C in the middle of %s %s ends it, and leaves no file but its own summary', async (...words) => {
    await exported(200_000)
    await place.query('UPDATE web_logs SET url = NULL WHERE id = 7')
    const temporary = join(place.cwd, 'tmp')
    mkdirSync(temporary)
    const before = readdirSync(place.cwd, { recursive: true }).sort()
    let interrupted = 0
    for (const delay of [150, 300, 450, 600, 900, 1500]) {
      const { child, ended } = start(words, { cwd: place.cwd, env: { ...place.env, TMPDIR: temporary } })
      await setTimeout(delay)
      const asked = Date.now()
      child.kill('SIGINT')
      const { exit, stderr } = await ended
      expect(Date.now() - asked).toBeLessThan(3000)
      if (exit === 0) break
      // Before it listens to signals the system ends it.
      if (exit === null) continue
      const errors = stderr.split('\n').filter((line) => line.includes('"level":"error"'))
      expect([delay, exit, errors.length > 1, /\n +at /.test(stderr)]).toEqual([delay, 130, false, false])
      interrupted++
      const left = readdirSync(place.cwd, { recursive: true, encoding: 'utf8' }).filter(
        // What a run says of itself is no work left behind.
        (name) => !name.includes('tmp/node-') && !name.includes('lake/runs/verify'),
      )
      expect(left.sort()).toEqual(before)
    }
    expect(interrupted).toBeGreaterThan(0)
  })
})
