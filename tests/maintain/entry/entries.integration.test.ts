import { describe, expect, it } from '@jest/globals'
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { run, summaryOf, type Ran } from '../../support/cli.ts'
import { eachWithDatabase } from '../../commands/each-with-database.ts'

const { place } = eachWithDatabase()

const lakejobs = (...words: string[]): Promise<Ran> => run(words, { cwd: place.cwd, env: place.env })
const maintain = (...words: string[]): Promise<Ran> => lakejobs('maintain', ...words)
const filesIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
        .sort()
    : []

/** Exports table t twice; its newest metadata file. */
async function exported(name = 't'): Promise<string> {
  await place.query(`CREATE TABLE ${name} AS SELECT i AS a FROM generate_series(1, 1000) i; ANALYZE ${name}`)
  for (let time = 0; time < 2; time++)
    expect(await lakejobs('export', '--table', name, '--format', 'iceberg', '--mode', 'full')).toMatchObject({
      exit: 0,
    })
  return pointer(name)
}

async function pointer(name = 't'): Promise<string> {
  const [row] = await place.query(
    `SELECT metadata_location AS at FROM iceberg_tables WHERE table_name = '${name}'`,
  )
  return String(row?.['at']).replace('file://', '')
}

const folderOf = (metadata: string): string => metadata.replace(/\/metadata\/[^/]+$/, '')
const t = ['--table', 'default.t'] as const

describe('an entry', () => {
  it('is forgotten with its files left, and registered again by the newest metadata', async () => {
    const metadata = await exported()
    const folder = folderOf(metadata)
    const before = filesIn(folder)
    expect(summaryOf(await maintain('forget', ...t, '--dry-run'))).toMatchObject({ exit: 0 })
    expect(await pointer()).toBe(metadata)
    const forgotten = await maintain('forget', ...t)
    expect(summaryOf(forgotten)).toMatchObject({ exit: 0, files: 0 })
    expect(await place.query('SELECT FROM iceberg_tables')).toEqual([])
    expect(filesIn(folder)).toEqual(before)
    expect(await maintain('forget', ...t)).toMatchObject({ exit: 3 })
    // What is exported now gets a folder of its own.
    expect(
      await lakejobs(
        'export',
        '--table',
        't=default.u',
        '--table',
        't',
        '--format',
        'iceberg',
        '--mode',
        'full',
      ),
    ).toMatchObject({ exit: 0 })
    expect(folderOf(await pointer())).not.toBe(folder)
    expect(await maintain('drop', ...t, '--purge', '--yes')).toMatchObject({ exit: 0 })
    const dry = await maintain('register', ...t, '--scan', folder, '--dry-run')
    expect(summaryOf(dry)).toMatchObject({ exit: 0 })
    expect(await place.query(`SELECT FROM iceberg_tables WHERE table_name = 't'`)).toEqual([])
    const registered = await maintain('register', ...t, '--scan', folder)
    expect(summaryOf(registered).tables![0]!.changes).toEqual([
      `metadata file://${metadata}`,
      expect.stringMatching(/^snapshot \d+ of /),
      expect.stringMatching(/^checked: \d+ files .* are there/),
    ])
    expect(await pointer()).toBe(metadata)
    expect(await lakejobs('verify', ...t, '--against', 'written', '--strict')).toMatchObject({ exit: 0 })
    // Nothing tells any more that it was forgotten.
    expect(await maintain('orphans', ...t)).toMatchObject({ exit: 0 })
    expect(
      await place.query(`SELECT FROM iceberg_namespace_properties WHERE property_key LIKE 'lakejobs.%'`),
    ).toEqual([])
  }, 120_000)

  it('is had back by the line that forgetting it printed, whatever the folder is called', async () => {
    const WAREHOUSE = join(place.cwd, "it's 100% a%20b")
    const here = (...words: string[]): Promise<Ran> =>
      run(words, { cwd: place.cwd, env: { ...place.env, WAREHOUSE } })
    await place.query('CREATE TABLE t AS SELECT 1 AS a; ANALYZE t')
    await here('export', '--table', 't', '--format', 'iceberg', '--mode', 'full')
    const [, line] = /to have it back: lakejobs (.*)$/.exec(
      summaryOf(await here('maintain', 'forget', ...t)).tables![0]!.changes!.at(-1)!,
    )!
    const words = execFileSync('sh', ['-c', `printf '%s\\0' ${line!}`])
      .toString()
      .split('\0')
      .slice(0, -1)
    expect(await here(...words)).toMatchObject({ exit: 0 })
    expect(await here('verify', ...t, '--against', 'written', '--strict')).toMatchObject({ exit: 0 })
  }, 120_000)

  it('that a catalog of another name takes over is no longer noted as forgotten in the first', async () => {
    const metadata = await exported()
    expect(await maintain('forget', ...t)).toMatchObject({ exit: 0 })
    const env = { ...place.env, ICEBERG_CATALOG_NAME: "prod's" }
    const register = ['maintain', 'register', '--table', 'lake.t', '--metadata', metadata]
    expect(await run(register, { cwd: place.cwd, env })).toMatchObject({ exit: 0 })
    expect(
      await place.query('SELECT catalog_name, namespace, property_key FROM iceberg_namespace_properties'),
    ).toEqual([
      { catalog_name: 'local', namespace: 'default', property_key: 'exists' },
      { catalog_name: "prod's", namespace: 'lake', property_key: 'exists' },
    ])
  }, 120_000)

  it('of a table in a store that cannot be opened is told of by its name, and can be forgotten', async () => {
    await exported('u')
    await place.query(
      `INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location, iceberg_type)
       VALUES ('local', 'default', 't', 'gs://theirs/t/metadata/00000-a.metadata.json', 'TABLE')`,
    )
    expect(summaryOf(await maintain('expire', ...t))).toMatchObject({
      exit: 3,
      error: { field: 'default.t', fix: expect.stringContaining('maintain forget') as unknown },
    })
    expect(await maintain('forget', ...t)).toMatchObject({ exit: 0 })
    expect(await place.query(`SELECT FROM iceberg_tables WHERE table_name = 't'`)).toEqual([])
    expect(await maintain('orphans', '--table', 'default.u')).toMatchObject({ exit: 0 })
  }, 120_000)

  it('is not registered over another, twice, in others’ folders, or without its files', async () => {
    const metadata = await exported()
    const folder = folderOf(metadata)
    const refused = async (...words: string[]): Promise<string> => {
      const ran = await maintain('register', ...words)
      expect([words, ran.exit]).not.toEqual([words, 0])
      expect(
        ran.stderr
          .trim()
          .split('\n')
          .filter((line) => line.includes('"level":50')).length,
      ).toBeLessThan(2)
      return `${summaryOf(ran).exit} ${summaryOf(ran).error?.message}`
    }
    expect(await refused(...t, '--metadata', metadata)).toContain('exists already')
    const u = ['--table', 'default.u'] as const
    expect(await refused(...u, '--metadata', metadata)).toContain('is this table already')
    // Of another catalog name, too.
    const env = { ...place.env, ICEBERG_CATALOG_NAME: 'other' }
    const other = await run(['maintain', 'register', ...u, '--metadata', metadata], { cwd: place.cwd, env })
    expect(summaryOf(other)).toMatchObject({ exit: 3 })
    expect(await refused(...u, '--scan', place.cwd, '--metadata', metadata)).toMatch(/^2 /)
    expect(await refused(...u)).toMatch(/^2 /)
    expect(await refused('--table', 'u', '--metadata', metadata)).toMatch(/^2 /)
    expect(await refused(...u, '--scan', join(place.cwd, 'nowhere'))).toContain('no metadata file')
    const nowhere = await maintain('register', ...u, '--metadata', join(folder, 'nowhere.metadata.json'))
    expect(summaryOf(nowhere)).toMatchObject({
      exit: 3,
      error: {
        message: expect.stringContaining('no such file') as unknown,
        field: '--metadata',
        fix: expect.stringContaining('--scan') as unknown,
      },
    })
    expect(await maintain('forget', ...t)).toMatchObject({ exit: 0 })
    const copy = join(place.cwd, 'copy')
    cpSync(folder, copy, { recursive: true })
    expect(await refused(...u, '--scan', copy)).toContain('it is a copy')
    for (const part of ['/data/', '/metadata/snap-', '-m0.avro']) {
      const lost = filesIn(folder).filter((file) => file.slice(folder.length).includes(part))
      for (const file of lost) renameSync(file, `${file}.gone`)
      expect(await refused(...u, '--metadata', metadata)).toMatch(
        /^3 table default.u is not whole: .*\.(parquet|avro)/,
      )
      for (const file of lost) renameSync(`${file}.gone`, file)
    }
    expect(await place.query('SELECT FROM iceberg_tables')).toEqual([])
    expect(await maintain('register', ...u, '--metadata', metadata)).toMatchObject({ exit: 0 })
  }, 120_000)

  it('is dropped with its files by name and --yes alone, and without --purge they stay', async () => {
    const metadata = await exported()
    const folder = folderOf(metadata)
    const before = filesIn(folder)
    for (const words of [
      ['--purge', '--yes'],
      [...t, '--purge'],
      ['--table', 't', '--yes'],
      [...t, '--yes', '--delete'],
    ])
      expect([words, (await maintain('drop', ...words)).exit]).toEqual([words, 2])
    expect(filesIn(folder)).toEqual(before)
    expect(summaryOf(await maintain('drop', ...t, '--yes'))).toMatchObject({ exit: 0, files: 0 })
    expect(filesIn(folder)).toEqual(before)
    expect(await maintain('register', ...t, '--metadata', metadata)).toMatchObject({ exit: 0 })
    const dry = summaryOf(await maintain('drop', ...t, '--purge', '--dry-run'))
    expect(filesIn(folder)).toEqual(before)
    const done = summaryOf(await maintain('drop', ...t, '--purge', '--yes'))
    expect(done).toMatchObject({ exit: 0, files: before.length })
    expect(done.files).toBe(dry.files)
    expect(done.bytes).toBe(dry.bytes)
    expect(filesIn(folder)).toEqual([])
    expect(await place.query('SELECT FROM iceberg_tables')).toEqual([])
    expect(
      await place.query(`SELECT FROM iceberg_namespace_properties WHERE property_key LIKE 'lakejobs.%'`),
    ).toEqual([])
    expect(await maintain('drop', ...t, '--purge', '--yes')).toMatchObject({ exit: 3 })
    rmSync(place.cwd, { recursive: true, force: true })
  }, 120_000)
})
