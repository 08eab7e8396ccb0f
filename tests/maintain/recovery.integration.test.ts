import { describe, expect, it } from '@jest/globals'
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, summaryOf, type Ran } from '../support/cli.ts'
import { eachWithDatabase } from '../commands/each-with-database.ts'

const { place } = eachWithDatabase()

const lakejobs = (...words: string[]): Promise<Ran> => run(words, { cwd: place.cwd, env: place.env })
const guide = readFileSync(join(import.meta.dirname, '../../docs/recovery.md'), 'utf8')

/** The commands of a section of docs/recovery.md. */
const commandsOf = (title: string): string[][] =>
  (new RegExp(`## ${title}\\n[^]*?\`\`\`sh\\n([^]*?)\`\`\``).exec(guide)?.[1] ?? '')
    .trim()
    .split('\n')
    .map((line) => line.split(' ').slice(1))

/** Runs them; their exits. */
async function drill(title: string): Promise<Ran[]> {
  const ran: Ran[] = []
  for (const words of commandsOf(title)) ran.push(await lakejobs(...words))
  return ran
}

const exits = (ran: readonly Ran[]): unknown[] => ran.map(({ exit }) => exit)
const warehouse = (): string => join(place.cwd, 'data/lake/iceberg')

async function seeded(): Promise<void> {
  await place.query(`
    CREATE TABLE web_logs (timestamp timestamptz, user_id int, url text);
    INSERT INTO web_logs SELECT timestamptz '2024-09-15 00:00+00' + i * interval '5 minutes', i % 50, md5(i::text)
                         FROM generate_series(0, 575) i;
    ANALYZE web_logs`)
  await day('2024-09-15')
}

async function day(date: string): Promise<void> {
  const ran = await lakejobs(
    'export',
    '--table',
    'public.web_logs',
    '--format',
    'iceberg',
    '--mode',
    'day',
    '--date',
    date,
  )
  expect(ran).toMatchObject({ exit: 0 })
}

const verified = async (): Promise<number | undefined> => {
  const ran = await lakejobs('verify', '--table', 'default.web_logs', '--against', 'written', '--strict')
  expect(ran).toMatchObject({ exit: 0 })
  return summaryOf(ran).rows
}

async function clock(): Promise<string> {
  const [{ now } = {}] = await place.query(
    `SELECT to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS now`,
  )
  return String(now)
}

const filesOf = (name: RegExp): string[] =>
  readdirSync(warehouse(), { recursive: true })
    .map((one) => join(warehouse(), String(one)))
    .filter((path) => name.test(path))

/** Turns a bit near its beginning, of a file that is younger than that. */
function damagedIfNew(path: string, than: string): boolean {
  if (statSync(path).mtimeMs < Date.parse(than)) return false
  const bytes = readFileSync(path)
  bytes[5]! ^= 128
  writeFileSync(path, bytes)
  return true
}

/** Nothing of what was forgotten keeps maintenance from it. */
async function looksForOrphans(): Promise<void> {
  const ran = await lakejobs('maintain', 'orphans', '--table', 'default.web_logs', '--log-level', 'error')
  expect([ran.exit, ran.stderr]).toEqual([0, ''])
}

const tables = (): Promise<Record<string, unknown>[]> =>
  place.query('SELECT table_name AS name, metadata_location AS at FROM iceberg_tables')

describe('docs/recovery.md', () => {
  it('the catalog is lost', async () => {
    await seeded()
    await day('2024-09-16')
    const before = await tables()
    await place.query('DROP TABLE iceberg_tables, iceberg_namespace_properties')
    expect(exits(await drill('The catalog is lost'))).toEqual([0, 0, 0])
    expect(await tables()).toEqual(before)
    expect(await verified()).toBe(576)
  }, 240_000)

  it('the bucket is lost', async () => {
    await seeded()
    cpSync(warehouse(), join(place.cwd, 'copy'), { recursive: true })
    await day('2024-09-16')
    rmSync(warehouse(), { recursive: true })
    cpSync(join(place.cwd, 'copy'), warehouse(), { recursive: true })
    expect(exits(await drill('The bucket is lost'))).toEqual([3, 0, 0, 0])
    expect(await verified()).toBe(288)
    await looksForOrphans()
  }, 240_000)

  it('a table was dropped', async () => {
    await seeded()
    expect(await lakejobs('maintain', 'drop', '--table', 'default.web_logs', '--yes')).toMatchObject({
      exit: 0,
    })
    expect(await tables()).toEqual([])
    expect(exits(await drill('A table was dropped'))).toEqual([0])
    expect(await verified()).toBe(288)
  }, 240_000)

  it('a wrong day was published', async () => {
    await seeded()
    const now = await clock()
    await place.query(`UPDATE web_logs SET url = 'wrong' WHERE timestamp >= '2024-09-16'`)
    await day('2024-09-16')
    const [dry, back, again] = commandsOf('A wrong day was published').map((words) =>
      words.map((word) => (word === '2024-09-17T00:00Z' ? now : word)),
    )
    expect(summaryOf(await lakejobs(...dry!)).tables![0]!.changes).toContain('rows: 576 → 288')
    expect(await lakejobs(...back!)).toMatchObject({ exit: 0 })
    expect(await verified()).toBe(288)
    await place.query(`UPDATE web_logs SET url = 'right' WHERE timestamp >= '2024-09-16'`)
    expect(await lakejobs(...again!)).toMatchObject({ exit: 0 })
    expect(await verified()).toBe(576)
    expect(await lakejobs('verify', '--table', 'default.web_logs')).toMatchObject({ exit: 0 })
  }, 240_000)

  it('a manifest is damaged: the snapshot before it is there again', async () => {
    await seeded()
    const now = await clock()
    await day('2024-09-16')
    const list = filesOf(/snap-.*avro$/).find((path) => damagedIfNew(path, now))!
    const [dry, back, check, again] = commandsOf('A manifest is damaged').map((words) =>
      words.map((word) => (word === '2024-09-17T00:00Z' ? now : word)),
    )
    expect(await lakejobs(...check!)).toMatchObject({
      exit: 3,
      stderr: expect.stringContaining(`${list} is cut short or damaged`) as unknown,
    })
    const { changes } = summaryOf(await lakejobs(...dry!)).tables![0]!
    expect(changes!.join('\n')).toMatch(
      /main: snapshot \d+ → \d+ .*\nsnapshot \d+ cannot be read: .* damaged/,
    )
    expect(exits([await lakejobs(...back!), await lakejobs(...check!)])).toEqual([0, 0])
    expect(await verified()).toBe(288)
    expect(await lakejobs(...again!)).toMatchObject({ exit: 0 })
    expect(await verified()).toBe(576)
    const ran = await lakejobs('maintain', 'expire', '--table', 'default.web_logs', '--dry-run')
    expect(ran).toMatchObject({ exit: 3 })
  }, 240_000)

  it('a metadata file is damaged: all but the last commit is there again', async () => {
    await seeded()
    const now = await clock()
    await day('2024-09-16')
    expect(filesOf(/\.metadata\.json$/).filter((path) => damagedIfNew(path, now))).toHaveLength(1)
    const ran = await drill('A metadata file is damaged')
    expect(exits(ran)).toEqual([0, 0, 0, 0])
    expect(await verified()).toBe(576)
    await looksForOrphans()
  }, 240_000)

  it('the catalog was restored to yesterday', async () => {
    await seeded()
    const [yesterday] = await tables()
    await day('2024-09-16')
    const [today] = await tables()
    await place.query(`UPDATE iceberg_tables SET metadata_location = '${String(yesterday!['at'])}'`)
    const ran = await drill('The catalog was restored to yesterday')
    expect(exits(ran)).toEqual([0, 0, 0])
    expect(summaryOf(ran[0]!).tables![0]!.maintained!.leftAlone).toContainEqual(
      expect.objectContaining({ reason: expect.stringContaining('restored from a backup') as unknown }),
    )
    expect(await tables()).toEqual([today])
    expect(await verified()).toBe(576)
  }, 240_000)
})
