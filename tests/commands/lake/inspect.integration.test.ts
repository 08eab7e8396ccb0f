import { describe, expect, it } from '@jest/globals'
import { execFile, spawnSync } from 'node:child_process'
import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify, stripVTControlCharacters } from 'node:util'
import * as v from 'valibot'
import { inspectSchema, type InspectReport, type TableReport } from '../../../jobs/inspect/report-schema.ts'
import { run, type Ran } from '../../support/cli.ts'
import { eachWithDatabase } from '../each-with-database.ts'

const { place } = eachWithDatabase()

const lakejobs = (...words: string[]): Promise<Ran> => run(words, { cwd: place.cwd, env: place.env })
const inspect = (...words: string[]): Promise<Ran> => lakejobs('inspect', ...words)

// util-linux has it; it gives a command a terminal of its own, of which nobody has said how wide it is.
const hasScript = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0

/** What `--json` printed, held against its schema. */
const reportOf = ({ stdout }: Ran): InspectReport => v.parse(inspectSchema, JSON.parse(stdout))

/** Two tables: `default.web_logs`, partitioned by day, of two commits, and `default.users`. */
async function exported(): Promise<{ readonly metadata: string; readonly folder: string }> {
  await place.query(`
    CREATE TABLE web_logs (timestamp timestamptz, user_id int, url text);
    INSERT INTO web_logs SELECT timestamptz '2024-09-15 00:00+00' + i * interval '2 minutes', i % 50, '/page/' || i % 7
                         FROM generate_series(0, 1439) i;
    CREATE TABLE users (id int, "at" time);
    INSERT INTO users SELECT generate_series(1, 10);
    ANALYZE`)
  const byDay = ['--format', 'iceberg', '--partition-by', 'day(timestamp)']
  expect(await lakejobs('export', '--table', 'web_logs', ...byDay)).toMatchObject({ exit: 0 })
  expect(await lakejobs('export', '--table', 'users', '--format', 'iceberg')).toMatchObject({ exit: 0 })
  expect(await lakejobs('export', '--date', '2024-09-16', '--format', 'iceberg')).toMatchObject({ exit: 0 })
  const [row] = await place.query(
    "SELECT metadata_location AS at FROM iceberg_tables WHERE table_name = 'web_logs'",
  )
  const metadata = String(row?.['at']).replace('file://', '')
  return { metadata, folder: metadata.replace(/\/metadata\/.*/, '') }
}

describe('lakejobs inspect', () => {
  it('shows a table on one screen, all of them a line each, and lists', async () => {
    const { folder } = await exported()
    const one = await inspect('--table', 'web_logs')
    expect(one).toMatchObject({ exit: 0, stderr: '' })
    expect(one.stdout.split('\n').length).toBeLessThan(40)
    for (const line of [
      /^default\.web_logs$/m,
      /^location {4}file:\/\/.*\/data\/lake\/iceberg\/default\/web_logs$/m,
      /^holds {7}1,440 rows in 2 files, [\d.]+ kB \([\d,]+ bytes\)$/m,
      /^last commit just now \(.* UTC\), overwrite by lakejobs, run [0-9a-f-]+, snapshot \d+$/m,
      /^partitions {2}2, timestamp 2024-09-15 to 2024-09-16, no day missing$/m,
      /^ {12}\d+ +\d\d-\d\d \d\d:\d\d {2}overwrite {2}\(main\) {2}\+720 -720$/m,
      /^to do {7}nothing$/m,
    ])
      expect(one.stdout).toMatch(line)
    const all = await inspect()
    expect(all.stdout).toMatch(/^default\.users +10 +1 .*\ndefault\.web_logs +1,440 +2 /m)
    const lists = await inspect('--table', 'default.web_logs', '--snapshots', '--partitions', '--files')
    expect(lists.stdout).toMatch(/^\* \d+ .* append +\+1,440 +lakejobs, run/m)
    expect(lists.stdout).toMatch(/^timestamp_day=2024-09-16 +1 +720 +[\d,]+$/m)
    for (const file of readdirSync(`${folder}/data/timestamp_day=2024-09-15`))
      expect(lists.stdout).toContain(`  data/timestamp_day=2024-09-15/${file}\n`)
    const spark = await inspect('--table', 'users')
    expect(spark.stdout).toMatch(/^readers {5}Spark cannot load the table: column at has the type time/m)
  })

  /** What a terminal of so many columns, or of none that it knows, is sent. */
  const onTerminal = async (columns: number | undefined, ...words: string[]): Promise<string[]> => {
    const main = join(import.meta.dirname, '../../../dist/main.js')
    const size = columns === undefined ? '' : `stty cols ${columns}; `
    const command = `${size}${process.execPath} ${main} inspect ${words.join(' ')}`
    const env = { PATH: process.env['PATH'], ...place.env }
    const { stdout } = await promisify(execFile)('script', ['-qec', command, '/dev/null'], {
      cwd: place.cwd,
      env,
    })
    return stripVTControlCharacters(stdout).split('\r\n')
  }
  // util-linux has `script`; it gives a command a terminal of its own.
  const withTerminal = hasScript ? it : it.skip

  withTerminal('takes a terminal that does not know its width for one of 80 columns', async () => {
    await exported()
    const lines = await onTerminal(undefined, '--table', 'web_logs')
    const widths = lines.map(({ length }) => length)
    expect(Math.max(...widths)).toBeGreaterThan(60)
    expect(Math.max(...widths)).toBeLessThanOrEqual(80)
  })

  withTerminal(
    'shows both trees side by side where the terminal has room, else below one another',
    async () => {
      await exported()
      expect(await lakejobs('export', '--format', 'parquet')).toMatchObject({ exit: 0 })
      const wide = await onTerminal(180, '--table', 'web_logs', '--tree')
      expect(wide[0]).toMatch(/^the Parquet export +the Iceberg table default\.web_logs$/)
      expect(wide[2]).toMatch(/^└── web_logs\.parquet +[\d,]+ {2}.* rows of public\.web_logs +├── data\/$/)
      expect(Math.max(...wide.map(({ length }) => length))).toBeLessThanOrEqual(180)
      const narrow = await onTerminal(100, '--table', 'web_logs', '--tree')
      expect(narrow[0]).toMatch(/^file:.*\/$/)
      expect(narrow.join('\n')).toMatch(/the Iceberg table default\.web_logs\n[^]*the Parquet export\n/)
    },
  )

  it('splits what the folders hold to the byte, shows every object, and fails where one is gone', async () => {
    const { folder } = await exported()
    writeFileSync(`${folder}/data/nobodys.parquet`, 'x'.repeat(77))
    const started = `${folder}/data/.lakejobs-0-0-1-0-0123456789abcdef.tmp`
    writeFileSync(started, 'y'.repeat(55))
    const files = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.endsWith('.tmp'))
      .map((entry) => join(entry.parentPath, entry.name))
    const bytes = files.reduce((total, path) => total + statSync(path).size, 0)
    const [report] = reportOf(await inspect('--table', 'web_logs', '--storage', '--tree', '--json')).tables
    const { storage, tree, verdicts } = report as TableReport
    expect(storage).toMatchObject({
      files: files.length,
      bytes,
      unreferenced: { files: 1, bytes: 77, foreign: { files: 1 } },
      unfinished: { files: 1, bytes: 55 },
      missingFiles: 0,
    })
    expect(storage!.live.bytes + storage!.kept.bytes + 77).toBe(bytes)
    // Both are left alone: one for its name, one as it is young.
    expect(verdicts).toEqual([])
    const told = tree!.objects.filter(({ part }) => part === 'iceberg').map(({ location }) => location)
    expect(told.sort()).toEqual([...files, started].map((path) => `file://${path}`).sort())
    const shown = await inspect('--table', 'web_logs', '--tree')
    expect(shown.stdout).toMatch(/nobodys\.parquet +77 {2}- +nothing refers to it$/m)

    rmSync(`${folder}/data/timestamp_day=2024-09-15`, { recursive: true })
    const lost = await inspect('--table', 'web_logs', '--storage')
    expect(lost.exit).toBe(3)
    expect(lost.stdout).toMatch(
      /^to do {7}1 file that the table needs is gone: [^]*^ {14}lakejobs export --table public\.web_logs=default\.web_logs --format iceberg --mode full --force$/m,
    )
    expect(lost.stderr).toMatch(/table default\.web_logs: 1 file that it needs is not there: file:/)
    // Followed, it mends the table: the older snapshot's file alone is lost.
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
    const mended = reportOf(await inspect('--table', 'web_logs', '--storage', '--json'))
    expect(mended.tables).toMatchObject([{ rows: 1440, storage: { missingFiles: 1, missingLive: false } }])
  })

  it('shows the tree that README shows', async () => {
    const readme = readFileSync(join(import.meta.dirname, '../../../README.md'), 'utf8')
    const [, told = ''] = /^\$ npx lakejobs inspect --table web_logs --tree\n([^]*?)\n\n/m.exec(readme) ?? []
    const shape = (tree: string): string[] =>
      tree.split('\n').map((line) =>
        line
          .replace(/^file:.*/, 'the folder')
          .replace(/(?<=snap-)(\d{4})\d+/, '$1…')
          .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, (uuid) => `${uuid.slice(0, 4)}…`)
          .replace(
            /(?<=── (?:00000-0-|00000-|snap-)?)[0-9a-f]{4}(?=…)|(?<=-1-)[0-9a-f]{4}(?=…)| +[\d,]+ +/g,
            ' # ',
          ),
      )
    await place.query('CREATE TABLE web_logs AS SELECT generate_series(1, 10000) AS id; ANALYZE web_logs')
    expect(await lakejobs('export')).toMatchObject({ exit: 0 })
    const { stdout } = await inspect('--table', 'web_logs', '--tree')
    expect(shape(stdout.split('\n\n')[0]!)).toEqual(shape(told))
  })

  it('prints JSON as its schema says, of the state that is asked for', async () => {
    await exported()
    const { tables } = reportOf(await inspect('--json'))
    expect(tables.map(({ table }) => table)).toEqual(['default.users', 'default.web_logs'])
    expect(tables[1]).toMatchObject({ rows: 1440, files: 2, snapshots: { count: 2 } })
    expect(tables[1]).not.toHaveProperty('fileList')
    const [, , at] = /"(oldest)": "(.*)"/.exec(JSON.stringify(tables[1], null, 1)) ?? []
    const older = reportOf(await inspect('--table', 'web_logs', '--json', '--files', '--as-of', at!))
    expect(older.tables).toMatchObject([
      { snapshot: { operation: 'append' }, fileList: [{ sequence: 1 }, {}] },
    ])
  })

  it('says in one line what is wrong and what to do, and prints nothing', async () => {
    const { metadata, folder } = await exported()
    const refused = async (exit: number, message: RegExp, ...words: string[]): Promise<void> => {
      const ran = await inspect(...words)
      expect(ran).toMatchObject({ exit, stdout: '' })
      expect(ran.stderr.trimEnd().split('\n')).toEqual([expect.stringMatching(message)])
    }
    await refused(
      3,
      /no such table in the catalog: weblogs: did you mean default\.web_logs\?/,
      '--table',
      'weblogs',
    )
    await refused(
      3,
      /no snapshot 5: it has expired, or never was: use one of \d+, \d+/,
      '--table',
      'web_logs',
      '--snapshot',
      '5',
    )
    await refused(
      3,
      /no snapshot as of 2024-.*: ask for .* or later/,
      '--table',
      'web_logs',
      '--as-of',
      '2024-09-16 00:00',
    )
    await refused(
      3,
      /has no branch or tag audit: use one of main/,
      '--table',
      'web_logs',
      '--branch',
      'audit',
    )
    await refused(2, /--as-of: .* give a day and a time/, '--as-of', '2024-09-16')
    await refused(2, /Unknown argument: unheard/i, '--unheard')

    const text = readFileSync(metadata, 'utf8')
    writeFileSync(metadata, text.replace('"format-version":2', '"format-version":4'))
    await refused(3, /has format version 4.*: use a newer lakejobs/, '--table', 'web_logs')
    writeFileSync(metadata, text.slice(0, 99))
    await refused(3, /metadata\.json/, '--table', 'web_logs')
    writeFileSync(metadata, text)
    for (const name of readdirSync(`${folder}/metadata`))
      if (name.endsWith('-m0.avro')) rmSync(`${folder}/metadata/${name}`)
    await refused(3, /no such file: file:\/\/.*-m0\.avro/, '--table', 'web_logs')
    rmSync(metadata)
    await refused(3, /the catalog says that default\.web_logs is at/, '--table', 'web_logs')
  })

  it('shows the other tables where one cannot be looked at, and fails all the same', async () => {
    const { metadata } = await exported()
    rmSync(metadata)
    const ran = await inspect('--json')
    expect(ran.exit).toBe(3)
    expect(reportOf(ran).tables).toMatchObject([
      { table: 'default.users', rows: 10 },
      { table: 'default.web_logs', error: { code: 'data', fix: expect.any(String) as unknown } },
    ])
  })

  it('fails where the catalog is away, and makes nothing in one that is empty', async () => {
    const empty = await inspect()
    expect(empty).toMatchObject({ exit: 0, stdout: 'the catalog local has no tables\n' })
    expect(await place.query("SELECT to_regclass('iceberg_tables') AS made")).toEqual([{ made: null }])
    const env = { ...place.env, ICEBERG_POSTGRES_PORT: '1' }
    const away = await run(['inspect'], { cwd: place.cwd, env })
    expect(away).toMatchObject({ exit: 1, stdout: '' })
    expect(away.stderr).toMatch(/ICEBERG_POSTGRES_/)
  })
})
