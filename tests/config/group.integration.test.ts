import { beforeEach, describe, expect, it } from '@jest/globals'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eachWithDatabase } from '../commands/each-with-database.ts'
import { run, summaryOf, type Ran } from '../support/cli.ts'

const { place } = eachWithDatabase()

beforeEach(async () => {
  await place.query(`
    CREATE SCHEMA shop;
    CREATE TABLE shop.orders (id int); INSERT INTO shop.orders VALUES (1), (2);
    CREATE TABLE shop.items (id int); INSERT INTO shop.items VALUES (1);
    CREATE TABLE shop.sessions (id int)`)
  await writeFile(
    join(place.cwd, 'lakejobs.yaml'),
    `version: 1
sources: { crm: { env: CRM }, far: { env: FAR } }
groups: { hourly: { schedule: "5 * * * *" }, weekly: {} }
tables:
  shop.*: { mode: full }
  shop.orders: { group: hourly }
  shop.sessions: { enabled: false }
  crm/public.*: { namespace: crm }
  crm/public.log_*: { group: hourly }
  far/public.*: { group: weekly, lookbak: 3 }
`,
  )
})

/** No server listens there. */
const away = { CRM_HOST: '127.0.0.1', CRM_PORT: '1', CRM_DB: 'crm', CRM_USER: 'a', CRM_PASSWORD: 'b' }
const called = (args: readonly string[]): Promise<Ran> =>
  run(args, { cwd: place.cwd, env: { ...place.env, ...away } })
const listed = async (group: string): Promise<unknown> => {
  const { exit, stdout, stderr } = await called(['config', '--group', group, '--json'])
  if (exit !== 0) throw new Error(stderr)
  const { groups } = JSON.parse(stdout) as {
    readonly groups: readonly [{ readonly tables: readonly Listed[] }]
  }
  return groups[0].tables.map(({ table, line, isPattern, exclude }) => ({
    table,
    line,
    ...(isPattern && { exclude }),
  }))
}
interface Listed {
  readonly table: string
  readonly line: number
  readonly isPattern: boolean
  readonly exclude?: readonly string[]
}

describe('config --group', () => {
  it('names the tables of patterns; those of a source that is away stay one, without what has keys of its own', async () => {
    expect(await listed('daily')).toEqual([
      { table: 'shop.items', line: 5 },
      {
        table: 'crm/public.*',
        line: 8,
        exclude: ['shop.*', 'shop.orders', 'shop.sessions', 'crm/public.log_*', 'far/public.*'],
      },
    ])
    const { stderr } = await called(['config', '--group', 'daily', '--json'])
    expect(stderr).toContain('not known yet which tables these are: ')
  })

  it('what is wrong with another group is a warning with its line, and neither is its source asked', async () => {
    // FAR_HOST is not set: to ask that source would be exit 2.
    const { exit, stderr } = await called(['config', '--group', 'daily'])
    expect(exit).toBe(0)
    expect(stderr).toContain('lakejobs.yaml:10:34 tables.far/public.*.lookbak: ')
    expect(stderr).toContain('did you mean lookback?); group daily goes on')
    const own = await called(['config', '--group', 'weekly'])
    expect(own).toMatchObject({ exit: 2, stdout: '' })
    expect(own.stderr).toContain('lakejobs.yaml:10:34')
    expect((await called(['config'])).exit).toBe(2)
  })

  it('export --group does the same, and --table picks some of the group', async () => {
    const both = ['export', '--group', 'daily', '--connections', '1']
    const ran = await called([...both, '--table', 'shop.items,shop.orders'])
    expect(ran.exit).toBe(0)
    expect(summaryOf(ran).tables?.map(({ table, rows }) => [table, rows])).toEqual([['shop.items', 1]])
    const all = await called(both)
    expect(all.exit).toBe(1)
    expect(summaryOf(all).tables?.map(({ table, status }) => [table, status])).toEqual([
      ['crm/public.*', 'failed'],
      ['shop.items', 'ok'],
    ])
  })

  it('a table that no key of the file names is of no group', async () => {
    await place.query('CREATE TABLE users (password text)')
    const daily = ['export', '--group', 'daily', '--connections', '1']
    const ran = await called([...daily, '--table', 'shop.items,users'])
    expect(summaryOf(ran).tables?.map(({ table }) => table)).toEqual(['shop.items'])
    expect(ran.stderr).toContain('--table public.users: it is not of the group daily, and is left out')
    const alone = await called([...daily, '--table', 'users'])
    expect(summaryOf(alone)).toMatchObject({ exit: 2, error: { message: 'there is no table to export' } })
  })

  it('--exclude refuses a name that leaves out nothing', async () => {
    await writeFile(
      join(place.cwd, 'lakejobs.yaml'),
      'version: 1\ngroups: { hourly: {} }\ntables: { shop.*: {}, shop.gone: {}, crm/public.*: { group: hourly } }\nsources: { crm: { env: CRM } }\n',
    )
    const daily = ['export', '--group', 'daily', '--dry-run']
    const misspelt = summaryOf(await called([...daily, '--exclude', 'shop.gone,shop.session']))
    expect(misspelt).toMatchObject({ exit: 2, error: { field: '--exclude' } })
    expect(misspelt.error?.message).toBe('--exclude shop.session: no table of this run is called so')
    const others = ['--exclude', 'shop.gone,shop.sessions,shop.tmp_*,crm/public.log']
    const ran = summaryOf(await called([...daily, ...others]))
    expect([ran.exit, ran.tables?.map(({ table }) => table).sort()]).toEqual([
      0,
      ['shop.items', 'shop.orders'],
    ])
  })

  it('--table of a --group is no name that takes back what is said of new tables of a pattern', async () => {
    await writeFile(
      join(place.cwd, 'lakejobs.yaml'),
      'version: 1\ntables: { shop.*: { new-tables: fail } }\n',
    )
    const one = ['export', '--table', 'shop.items', '--connections', '1']
    expect((await called([...one, '--group', 'daily'])).exit).toBe(3)
    expect((await called(one)).exit).toBe(0)
  })

  it('a group without a table is empty', async () => {
    await writeFile(join(place.cwd, 'lakejobs.yaml'), 'version: 1\ntables: { nothing.*: {} }\n')
    expect(await listed('daily')).toEqual([])
  })
})
