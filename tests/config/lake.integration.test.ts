import { beforeEach, describe, expect, it } from '@jest/globals'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { eachWithDatabase } from '../commands/each-with-database.ts'
import { run, summaryOf, type Ran } from '../support/cli.ts'

const { server, place } = eachWithDatabase()
let round = 0
let crm: string

/** Two databases, each with a table public.users; the main one's shop, of which a table is in another group. */
beforeEach(async () => {
  crm = `crm_${++round}`
  await server.createDatabase(crm)
  await server.query('CREATE TABLE users (id int); INSERT INTO users VALUES (1), (2), (3)', [], crm)
  await place.query(`
    CREATE TABLE users (id int); INSERT INTO users VALUES (7);
    CREATE SCHEMA shop; CREATE TABLE shop.orders (id int); CREATE TABLE shop.items (id int)`)
  await write()
  const ran = await called(['export', '--connections', '1'])
  if (ran.exit !== 0) throw new Error(ran.stderr)
})

const write = (more = ''): Promise<void> =>
  writeFile(
    join(place.cwd, 'lakejobs.yaml'),
    `version: 1
sources: { crm: { env: CRM } }
groups: { hourly: {} }
tables:
  users: {}
  shop.*: { group: hourly }
  shop.items: { target: store.parts }
  crm/public.*: {}
${more}`,
  )
const called = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> => {
  const { host, port, user, password } = server
  const source = { HOST: host, PORT: String(port), DB: crm, USER: user, PASSWORD: password }
  const its = Object.fromEntries(Object.entries(source).map(([name, value]) => [`CRM_${name}`, value]))
  return run(args, { cwd: place.cwd, env: { ...place.env, ...its, ...env } })
}
/** What a run says that it did something to. */
const names = (ran: Ran): unknown => {
  if (ran.exit !== 0) throw new Error(ran.stderr)
  const { managed, tables } = summaryOf(ran)
  return (managed === undefined ? tables?.map(({ table }) => table) : Object.keys(managed))?.sort()
}
/** An entry that says of itself that it is not ours, as one of another program. */
async function addForeign(namespace: string, name: string): Promise<void> {
  const [row] = await place.query(`SELECT metadata_location FROM iceberg_tables WHERE table_name = 'orders'`)
  const pointer = String(row!['metadata_location'])
  const text = await readFile(fileURLToPath(pointer), 'utf8')
  const metadata = JSON.parse(text) as { readonly properties: object }
  const its = { ...metadata, properties: { ...metadata.properties, 'lakejobs.managed': 'false' } }
  const written = pointer.replace(/[^/]+$/, `00009-${name}.metadata.json`)
  await writeFile(fileURLToPath(written), JSON.stringify(its))
  await place.query(
    `INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location)
      SELECT catalog_name, '${namespace}', '${name}', '${written}' FROM iceberg_tables WHERE table_name = 'orders'`,
  )
}
const found = (ran: Ran): unknown =>
  summaryOf(ran).tables?.map(({ table, status, rows }) => [table, status, rows])
const inspected = async (...args: string[]): Promise<unknown> => {
  const { stdout, stderr } = await called(['inspect', '--json', ...args])
  if (stdout === '') throw new Error(stderr)
  return (JSON.parse(stdout) as { readonly tables: readonly { readonly table: string }[] }).tables.map(
    ({ table }) => table,
  )
}

describe('commands that read the lake know the file', () => {
  it('verify compares each table with its own source', async () => {
    await server.query('DELETE FROM users WHERE id = 3', [], crm)
    const ran = await called(['verify', '--strict', '--connections', '1'])
    expect(ran.exit).toBe(3)
    const verified = Object.fromEntries(
      (summaryOf(ran).tables ?? []).map(({ table, verified: of }) => [table, [of?.match, of?.changed]]),
    )
    expect(verified).toEqual({
      'crm.users': [0, 1],
      'default.users': [1, 0],
      'shop.orders': [0, 0],
      'store.parts': [0, 0],
    })
  })

  it('verify: a source that is away fails its own tables; by the file’s names it is one of them', async () => {
    const away = { CRM_PORT: '1' }
    const all = await called(['verify', '--connections', '1'], away)
    expect(all.exit).toBe(1)
    expect(found(all)).toEqual(
      expect.arrayContaining([
        ['crm.users', 'failed', undefined],
        ['default.users', 'ok', 1],
      ]),
    )
    expect(found(await called(['verify', 'crm/users', '--against', 'written'], away))).toEqual([
      ['crm.users', 'ok', 3],
    ])
    expect(found(await called(['verify', 'shop.items']))).toEqual([['store.parts', 'ok', 0]])
  })

  it('--group names its tables, without asking a source', async () => {
    const nowhere = { POSTGRES_PORT: '1', CRM_PORT: '1' }
    expect(found(await called(['verify', '--group', 'hourly', '--against', 'written'], nowhere))).toEqual([
      ['shop.orders', 'ok', 0],
      ['store.parts', 'ok', 0],
    ])
    expect(await inspected('--group', 'hourly')).toEqual(['shop.orders', 'store.parts'])
    expect(await inspected('--group', 'daily')).toEqual(['crm.users', 'default.users'])
    expect(await inspected('--table', 'crm/users')).toEqual(['crm.users'])
    const listed = await called(['maintain', 'list', '--group', 'daily'])
    expect(summaryOf(listed).managed).toEqual({ 'crm.users': true, 'default.users': true })
    expect((await called(['inspect', '--group', 'daily', '--table', 'users'])).exit).toBe(2)
  })

  it('without --table the file says which, and that is told; --all-tables takes all that exports made', async () => {
    await place.query('CREATE TABLE gone (id int)')
    await write('  gone: {}\n')
    expect((await called(['export', '--table', 'gone', '--connections', '1'])).exit).toBe(0)
    await addForeign('shop', 'foreign')
    await write('  shop.orders: { enabled: false }\n')
    const own = ['crm.users', 'default.users', 'store.parts']
    const all = [...own, 'default.gone', 'shop.orders'].sort()
    for (const words of [
      ['verify', '--against', 'written'],
      ['maintain', 'list'],
    ]) {
      const ran = await called(words)
      expect(names(ran)).toEqual(own)
      expect(ran.stderr).toContain(
        'the tables of lakejobs.yaml; not default.gone, shop.orders, which it does not name',
      )
      const everything = await called([...words, '--all-tables'])
      expect(names(everything)).toEqual(all)
      expect(everything.stderr).not.toContain('the tables of')
      const twice = await called([...words, '--all-tables', '--group', 'daily'])
      expect([twice.exit, twice.stderr]).toEqual([
        2,
        expect.stringContaining('--group and --all-tables both'),
      ])
    }
  })

  it('a pattern does not make another program’s table ours: it is left alone, and named', async () => {
    await addForeign('shop', 'foreign')
    const maintained = await called(['maintain', 'expire', '--dry-run'])
    expect(names(maintained)).toEqual(['crm.users', 'default.users', 'shop.orders', 'store.parts'])
    expect(maintained.stderr).toContain('left alone, as lakejobs did not make them: shop.foreign')
    const ofGroup = await called(['maintain', 'expire', '--dry-run', '--group', 'hourly'])
    expect(names(ofGroup)).toEqual(['shop.orders', 'store.parts'])
    expect(names(await called(['maintain', 'expire', '--dry-run', '--table', 'shop.foreign']))).toEqual([
      'shop.foreign',
    ])
  })

  it('verify: a table that the file names and the lake has lost is a failure, of a file without tables nothing is verified', async () => {
    await place.query(`DELETE FROM iceberg_tables WHERE table_name = 'parts'`)
    const ran = await called(['verify', '--against', 'written'])
    expect(ran.exit).not.toBe(0)
    expect(found(ran)).toContainEqual(['store.parts', 'failed', undefined])
    await writeFile(join(place.cwd, 'lakejobs.yaml'), 'version: 1\n')
    const none = await called(['verify', '--against', 'written'])
    expect([none.exit, none.stderr]).toEqual([2, expect.stringContaining('or give --all-tables')])
    expect((await called(['verify', '--against', 'written', '--all-tables'])).exit).toBe(0)
  })

  it('verify --group: a table of the group that the lake has lost is a failure', async () => {
    await place.query(`DELETE FROM iceberg_tables WHERE table_name = 'users' AND table_namespace = 'default'`)
    const ran = await called(['verify', '--group', 'daily', '--against', 'written'])
    expect(ran.exit).not.toBe(0)
    expect(found(ran)).toEqual([
      ['crm.users', 'ok', 3],
      ['default.users', 'failed', undefined],
    ])
  })

  it('check shows of each table’s options who said them', async () => {
    await writeFile(
      join(place.cwd, 'lakejobs.yaml'),
      `version: 1
defaults: { codec: zstd, max-shrink: 10%, lookback: 1 }
groups: { daily: { lookback: 2, required: true } }
tables: { users: { lookback: 3, mode: full } }
`,
    )
    await writeFile(join(place.cwd, '.env'), 'LAKEJOBS_MAX_SHRINK=20%\n')
    const { settings } = summaryOf(await called(['check'], { LAKEJOBS_CONNECTIONS: '2' }))
    const ofUsers = Object.entries(settings ?? {}).filter(([name]) => name.startsWith('public.users '))
    expect(Object.fromEntries(ofUsers)).toEqual({
      'public.users mode': { value: 'full', from: 'table' },
      'public.users lookback': { value: '3', from: 'table' },
      'public.users required': { value: 'true', from: 'group' },
      'public.users connections': { value: '2', from: 'environment' },
      'public.users max-shrink': { value: '0.2', from: '.env' },
      'public.users codec': { value: 'zstd', from: 'defaults' },
    })
  })

  it('what is wrong with a table of the file stops nobody who looks at the lake', async () => {
    await write('  shop.odd: { lookbak: 3 }\n')
    expect((await called(['verify', '--table', 'default.users'])).exit).toBe(0)
    expect((await called(['maintain', 'list'])).exit).toBe(0)
    expect((await called(['export'])).exit).toBe(2)
  })
})
