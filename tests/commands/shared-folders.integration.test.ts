import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { chmod, mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { build, run, start, summaryOf, type Ran } from '../support/cli.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'

/**
 * Two users of one group with umask 0002, as the DAG's tasks and `docker compose run jobs` may be (operations-spec §4.2).
 */
const isRoot = process.getuid?.() === 0 && spawnSync('setpriv', ['--version']).status === 0
const as = (user: number): string[] => [
  ...['setpriv', `--reuid=${user}`, '--regid=0', '--clear-groups'],
  ...['sh', '-c', 'umask 0002; exec "$@"', 'sh'],
]
const [dag, person] = [50_001, 50_002]
const day = '2024-09-16'

// Only root can become another user, and needs setpriv for it.
const asRoot = isRoot ? describe : describe.skip
asRoot('users of one group', () => {
  let server: TestPostgres
  let cwd: string
  let env: Record<string, string>
  beforeAll(async () => {
    build()
    server = await startPostgres()
    env = {
      POSTGRES_HOST: server.host,
      POSTGRES_PORT: String(server.port),
      POSTGRES_DB: server.database,
      POSTGRES_USER: server.user,
      POSTGRES_PASSWORD: server.password,
      DEMO_DATA: 'true',
    }
    for (const [name, value] of Object.entries(env)) {
      if (name.startsWith('POSTGRES')) env[`ICEBERG_${name}`] = value
    }
  }, 120_000)
  afterAll(() => server.stop())
  afterEach(() => rm(cwd, { recursive: true }))
  beforeEach(async () => {
    cwd = await mkdtemp(join(tmpdir(), 'lakejobs-shared-'))
    await chmod(cwd, 0o755)
    // As a one-shot with another umask than theirs.
    expect(
      (await run(['init'], { cwd, env, through: ['sh', '-c', 'umask 0022; exec "$@"', 'sh'] })).exit,
    ).toBe(0)
  })

  const lakejobs = (user: number, ...words: string[]): Promise<Ran> =>
    run(words, { cwd, env, through: as(user) })
  const generate = async (user: number, ...words: string[]): Promise<void> => {
    const args = ['--demo', '--replace', '--first-date', '2024-09-10', '--days', '7', ...words]
    expect(summaryOf(await lakejobs(user, 'generate', ...args))).toMatchObject({ exit: 0, files: 7 })
  }
  /** What of data/ is not open to its group. */
  const closed = async (): Promise<string[]> => {
    const bad: string[] = []
    for (const entry of await readdir(join(cwd, 'data'), { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name)
      const { mode, gid } = await stat(path)
      const wanted = entry.isDirectory() ? 0o2770 : 0o660
      if (gid !== 0 || (mode & wanted) !== wanted) bad.push(`${path} ${mode.toString(8)} ${gid}`)
    }
    return bad
  }
  const owner = async (name: string): Promise<number> => (await stat(join(cwd, 'data', name))).uid
  const result = (): Promise<string> => readFile(join(cwd, `data/crud/output/${day}.csv`), 'utf8')

  it('take turns on logs, results and cache', async () => {
    await generate(dag)
    expect(summaryOf(await lakejobs(dag, 'aggregate', day))).toMatchObject({ exit: 0, scannedDays: 7 })
    const first = await result()
    expect(await closed()).toEqual([])

    expect(summaryOf(await lakejobs(person, 'aggregate', day))).toMatchObject({ exit: 0, cachedDays: 7 })
    expect(await owner(`crud/output/${day}.csv`)).toBe(person)
    expect(await result()).toBe(first)

    await generate(person, '--seed', '2')
    await writeFile(join(cwd, `data/crud/input/${day}.csv`), 'bad\n', { flag: 'a' })
    expect(summaryOf(await lakejobs(person, 'aggregate', day))).toMatchObject({
      exit: 0,
      scannedDays: 7,
      rejects: 1,
    })
    expect(await result()).not.toBe(first)
    expect(await closed()).toEqual([])

    // The log that was clean again removes the other's rejects.
    await generate(dag)
    expect(summaryOf(await lakejobs(dag, 'aggregate', '--refresh', day))).toMatchObject({
      exit: 0,
      rejects: 0,
    })
    expect(await result()).toBe(first)
    expect(await readdir(join(cwd, 'data/crud/output/.lakejobs/rejects'))).toEqual([])
    expect(await closed()).toEqual([])
    expect((await lakejobs(person, 'init')).exit).toBe(0)
    expect((await lakejobs(person, 'check')).exit).toBe(0)
  })

  it('prune each other’s cache, and clear what a killed run of the other left', async () => {
    await generate(dag)
    await lakejobs(dag, 'aggregate', day)
    const cache = join(cwd, 'data/crud/cache')
    const old = new Date(Date.now() - 91 * 86_400_000)
    const entries = async (): Promise<string[]> =>
      (await readdir(cache, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name))
    const before = await entries()
    for (const path of before) await utimes(path, old, old)
    await generate(person, '--seed', '2')
    expect((await lakejobs(person, 'aggregate', day)).exit).toBe(0)
    const after = new Set(await entries())
    expect(before.filter((path) => after.has(path))).toEqual([])

    const args = ['generate', 'data/crud/input', '2024-09-20', '1', '10', '50000000']
    const killed = start(args, { cwd, env, through: as(dag) })
    const inputs = (): Promise<string[]> => readdir(join(cwd, 'data/crud/input'))
    while (!(await inputs()).some((name) => name.endsWith('.tmp'))) await sleep(20)
    killed.child.kill('SIGKILL')
    await killed.ended
    expect((await inputs()).filter((name) => name.endsWith('.tmp'))).toHaveLength(1)
    await generate(person)
    expect((await inputs()).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  it('export to one local lake in turn', async () => {
    expect((await lakejobs(dag, 'seed', '--demo', '--rows', '1000', '--date', day)).exit).toBe(0)
    for (const user of [dag, person, dag]) {
      const full = summaryOf(await lakejobs(user, 'export', '--partition-by', 'day(timestamp)'))
      expect(full).toMatchObject({ exit: 0, rows: 1000 })
      expect((await lakejobs(user, 'export', '--date', day)).exit).toBe(0)
      expect(await closed()).toEqual([])
    }
    expect(await owner('lake/parquet/web_logs/web_logs.parquet')).toBe(dag)
  })
})
