import { beforeEach, describe, expect, it } from '@jest/globals'
import { readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { eachWithDatabase } from '../each-with-database.ts'
import { run, summaryOf, type Ran } from '../../support/cli.ts'

const { place } = eachWithDatabase()

const lakejobs = (...words: string[]): Promise<Ran> => run(words, { cwd: place.cwd, env: place.env })
const warehouse = (): string => join(place.cwd, 'data/lake/iceberg')
const files = (): string[] => readdirSync(warehouse(), { recursive: true, encoding: 'utf8' }).sort()
const entries = (): Promise<unknown> => place.query('SELECT * FROM iceberg_tables ORDER BY 1, 2, 3')

beforeEach(async () => {
  await place.query('CREATE TABLE t AS SELECT i AS a FROM generate_series(1, 100) i; ANALYZE t')
  for (let time = 0; time < 3; time++)
    expect(await lakejobs('export', '--table', 't', '--format', 'iceberg', '--mode', 'full')).toMatchObject({
      exit: 0,
    })
  const stray = join(warehouse(), 'default/t/data/00000-0-3f2504e0-4f89-11d3-9a0c-0305e82c3301-00001.parquet')
  writeFileSync(stray, 'x')
  utimesSync(stray, 1, 1)
}, 120_000)

/** Refused in one line with a fix, and nothing is other than before. */
async function refused(exit: number, ...words: string[]): Promise<string> {
  const before = [files(), await entries()]
  const ran = await lakejobs('maintain', ...words)
  expect([words, ran.exit]).toEqual([words, exit])
  const lines = ran.stderr.split('\n').filter((line) => line.includes('"level":"error"'))
  expect(lines).toHaveLength(1)
  expect([files(), await entries()]).toEqual(before)
  const { message = '', fix = '' } = summaryOf(ran).error ?? {}
  expect(fix).not.toBe('')
  return `${message}: ${fix}`
}

const t = ['--table', 'default.t'] as const
const few = ['--older-than', '0', '--keep', '1', '--keep-before-shrink', '0'] as const

describe('nothing is deleted by', () => {
  it('cut-offs in the future, ages below the floor, tables that are not named, and what is not meant', async () => {
    await refused(2, 'expire', ...t, '--older-than=-1d')
    await refused(2, 'orphans', ...t, '--delete', '--orphan-age=-1d')
    expect(await refused(2, 'orphans', ...t, '--delete', '--orphan-age', '1h')).toContain(
      '--allow-young-orphans',
    )
    await refused(2, 'all', ...t, '--delete', '--orphan-age', '1h')
    for (const operation of ['drop', 'forget', 'register', 'rollback', 'tag', 'retain'])
      expect(await refused(2, operation)).toContain('--table')
    expect(await refused(2, 'drop', ...t, '--purge')).toContain('--yes')
    await refused(2, 'expire', ...t, '--delete')
    await refused(3, 'expire', '--table', 'default.nowhere')
  }, 120_000)

  it('one maintenance while another works on the table', async () => {
    const { env } = place
    const client = new pg.Client({
      host: env['POSTGRES_HOST']!,
      port: Number(env['POSTGRES_PORT']),
      database: env['POSTGRES_DB']!,
      user: env['POSTGRES_USER']!,
      password: env['POSTGRES_PASSWORD']!,
    })
    await client.connect()
    try {
      await client.query("SELECT pg_advisory_lock(hashtextextended('lakejobs maintain local default.t', 0))")
      for (const words of [
        ['compact', ...t],
        ['expire', ...t, ...few],
        ['orphans', ...t, '--delete', '--max-orphans', '100%'],
        ['all', ...t, '--delete'],
        ['forget', ...t],
        ['drop', ...t, '--purge', '--yes'],
      ])
        expect(await refused(4, ...words)).toMatch(/another maintenance works on table default\.t: wait/)
    } finally {
      await client.end()
    }
    expect(await lakejobs('maintain', 'expire', ...t, ...few)).toMatchObject({ exit: 0 })
  }, 120_000)

  it('expire and orphans where another entry has its files in the same folders', async () => {
    await place.query(
      `INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location, iceberg_type)
       SELECT 'other', 'their', 'copy', metadata_location, iceberg_type FROM iceberg_tables`,
    )
    const before = files().filter((name) => name.includes('/data/') && !name.includes('3f2504e0'))
    const expired = summaryOf(await lakejobs('maintain', 'expire', ...t, ...few)).tables![0]!.maintained!
    expect(expired.leftAlone).toMatchObject([
      { reason: expect.stringContaining('their.copy of catalog other') as unknown },
    ])
    expect(await lakejobs('maintain', 'orphans', ...t, '--delete', '--max-orphans', '100%')).toMatchObject({
      exit: 0,
    })
    expect(files().filter((name) => name.includes('/data/'))).toEqual(before)
  }, 120_000)
})
