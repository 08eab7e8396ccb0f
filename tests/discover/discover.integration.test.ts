import { describe, expect, it } from '@jest/globals'
import { readdirSync, readFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eachWithDatabase } from '../commands/each-with-database.ts'
import { filesIn } from '../export/lake.ts'
import { run, summaryOf, type Ran } from '../support/cli.ts'

const { place } = eachWithDatabase()
const folder = join(import.meta.dirname, 'schemas')
const lakejobs = (...args: string[]): Promise<Ran> => run(args, { cwd: place.cwd, env: place.env })

/** Views, and what has nothing that can be exported. */
const notEnabled: Readonly<Record<string, readonly string[]>> = {
  'northwind.sql': ['public.nothing'],
  'pagila.sql': ['public.film_list', 'public.rental_by_category'],
  'rails.sql': ['public.only_secrets'],
}

describe('what discover writes exports as it is', () => {
  it.each(readdirSync(folder))('%s', async (name) => {
    await place.query(`${readFileSync(join(folder, name), 'utf8')}; ANALYZE`)
    expect((await lakejobs('discover', '--write')).exit).toBe(0)
    const text = await readFile(join(place.cwd, 'lakejobs.yaml'), 'utf8')
    expect((await lakejobs('config')).exit).toBe(0)
    const { exit, error, tables = [] } = summaryOf(await lakejobs('export', '--connections', '1'))
    expect([exit, error]).toEqual([0, undefined])
    const counts = await place.query(
      `SELECT n.nspname AS schema, c.relname AS name, format('%I.%I', n.nspname, c.relname) AS quoted
       FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^(pg_|information)' AND c.relname NOT LIKE 'iceberg%'`,
    )
    const left = [...text.matchAll(/^ {2}(\S.*):\n {4}enabled: false/gm)].map(([, key]) => key)
    const exported = Object.fromEntries(tables.map(({ table, rows }) => [table, rows]))
    const expected: [string, unknown][] = []
    for (const { schema, name: table, quoted } of counts) {
      if (['nothing', 'only_secrets'].includes(String(table))) continue
      const [counted] = await place.query(`SELECT count(*)::int AS rows FROM ${String(quoted)}`)
      const namespace = schema === 'public' ? 'default' : String(schema)
      expected.push([`${namespace}.${String(table)}`, counted?.['rows']])
    }
    expect(exported).toEqual(Object.fromEntries(expected))
    // Views and what cannot be exported are there to be seen.
    expect([name, left]).toEqual([name, notEnabled[name] ?? []])
    const everything = [text]
    for (const file of await filesIn(place.cwd))
      everything.push(await readFile(join(place.cwd, file), 'latin1'))
    expect(everything.some((one) => one.includes('geheim-'))).toBe(false)
  })
})

describe('discover', () => {
  it('says of each table what somebody wants to know', async () => {
    await place.query(`${readFileSync(join(folder, 'rails.sql'), 'utf8')}; ANALYZE`)
    const { stdout, exit } = await lakejobs('discover')
    expect(exit).toBe(0)
    const users = stdout.split('\n\n').find((part) => part.includes('  public.users:'))
    expect(users?.trimEnd()).toBe(
      `  # about 50 rows, 8.19 kB; primary key id
  # by day: mode: day, day-column: created_at, partition-by: ["day(created_at)"] (NOT NULL, indexed)
  # not exported, as they look like secrets: encrypted_password, reset_password_token, reset_password_sent_at, api_key, otp_secret, iban
  # as text, as the lake has no such type: email, current_sign_in_ip
  # numeric without precision: a value that the decimal cannot hold is exit 3; cast: text takes all
  public.users:
    exclude-columns: [encrypted_password, reset_password_token, reset_password_sent_at, api_key, otp_secret, iban]
    decimal: { balance: "38,9" }`,
    )
    expect(stdout).toContain('  new-columns: warn\n  new-tables: warn\n')
    expect(stdout).toMatch(/An export of all tables reads about \S+ \w?B: 1 s at 50 MB\/s/)
  })

  it('tells of tables and columns that come later, and never writes over a file', async () => {
    await place.query(
      `CREATE TABLE a (id int); INSERT INTO a VALUES (1); CREATE SCHEMA s; CREATE TABLE s.b (id int); ANALYZE`,
    )
    expect((await lakejobs('discover', '--schema', 'public', '--write')).exit).toBe(0)
    const text = await readFile(join(place.cwd, 'lakejobs.yaml'), 'utf8')
    expect(text).not.toContain('s.b')
    expect((await lakejobs('export')).exit).toBe(0)
    await place.query(
      `CREATE TABLE later (password text); ALTER TABLE a ADD token text DEFAULT 'geheim'; ANALYZE`,
    )
    const again = await lakejobs('export')
    const { exit, tables } = summaryOf(again)
    expect([exit, tables?.filter(({ table }) => !table.includes('iceberg'))]).toMatchObject([
      0,
      [
        { table: 'default.a', status: 'ok', warnings: [expect.stringContaining('column token is new')] },
        {
          table: 'default.later',
          status: 'skipped',
          warnings: [expect.stringContaining('public.later is new')],
        },
      ],
    ])
    const refused = await lakejobs('discover', '--write')
    expect([refused.exit, refused.stdout]).toEqual([2, ''])
    expect(refused.stderr).toContain('lakejobs.yaml is there already')
    expect(await readFile(join(place.cwd, 'lakejobs.yaml'), 'utf8')).toBe(text)
    expect((await lakejobs('discover', '--schema', 'nope')).exit).toBe(2)
  })

  it('of another source, named by the file or by its prefix', async () => {
    await place.query(`CREATE TABLE a (id int); INSERT INTO a VALUES (1); ANALYZE`)
    const env = Object.fromEntries(
      Object.entries(place.env).map(([name, value]) => [name.replace(/^POSTGRES_/, 'CRM_'), value]),
    )
    const printed = await run(['discover', '--source', 'crm'], { cwd: place.cwd, env })
    expect(printed.stdout).toContain('sources:\n  crm: { env: CRM }\n')
    await writeFile(join(place.cwd, 'lakejobs.yaml'), printed.stdout)
    expect(summaryOf(await run(['export'], { cwd: place.cwd, env }))).toMatchObject({
      exit: 0,
      tables: [{ table: 'crm.a', rows: 1 }],
    })
  })

  it('of a source whose database the file says, says it too', async () => {
    await place.query('CREATE TABLE a (id int); ANALYZE')
    const file = join(place.cwd, 'lakejobs.yaml')
    const database = place.env['POSTGRES_DB']!
    await writeFile(file, `version: 1\nsources: { acme: { env: POSTGRES, database: ${database} } }\n`)
    const env = { ...place.env, POSTGRES_DB: 'postgres' }
    const { stdout, exit } = await run(['discover', '--source', 'acme'], { cwd: place.cwd, env })
    expect([exit, stdout]).toEqual([0, expect.stringContaining('acme/public.a: {}')])
    await writeFile(file, stdout)
    expect(summaryOf(await run(['export'], { cwd: place.cwd, env }))).toMatchObject({
      exit: 0,
      tables: [{ table: 'acme.a', rows: 0 }],
    })
    const refused = await run(['discover', '--source', 'acme.eu'], { cwd: place.cwd, env })
    expect([refused.exit, refused.stderr]).toEqual([2, expect.stringContaining("cannot be a source's name")])
  })
})

it('what cannot be written whole is not there', async () => {
  for (let n = 0; n < 20; n++) await place.query(`CREATE TABLE table_${n} (id int)`)
  // Larger files than 1 KiB are refused (EFBIG), as a full disk refuses them.
  const through = ['bash', '-c', 'ulimit -f 1; exec "$@"', 'bash']
  const { exit, stderr } = await run(['discover', '--write'], { cwd: place.cwd, env: place.env, through })
  expect([exit, stderr]).toEqual([1, expect.stringContaining(`cannot write ${place.cwd}/lakejobs.yaml`)])
  expect(readdirSync(place.cwd)).toEqual([])
  expect(await lakejobs('discover', '--write')).toMatchObject({ exit: 0 })
  expect(readFileSync(join(place.cwd, 'lakejobs.yaml')).length).toBeGreaterThan(1024)
})
