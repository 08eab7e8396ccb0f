import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { build, run, start, summaryOf, type Ran } from '../support/cli.ts'

const day = '2024-09-16'
let week: string
let expected: Buffer
/** How long a whole run takes here. */
let wholeMs: number
let cwd: string

const argsWith = (scratch: string, ...more: string[]): string[] => [
  ...['aggregate', join(week, 'logs'), 'out', day],
  ...['--cache', 'cache', '--scratch', scratch],
  ...more,
]
const args = (...more: string[]): string[] => argsWith(cwd, ...more)

/** Seven days that keep a run busy for a second or more: one of them with a reject, one large. */
beforeAll(async () => {
  build()
  week = await mkdtemp(join(tmpdir(), 'lakejobs-faults-'))
  summaryOf(await run(['generate', 'logs', '2024-09-10', '7', '70000', '120000'], { cwd: week }))
  summaryOf(await run(['generate', 'logs', '2024-09-16', '1', '300000', '4000000'], { cwd: week }))
  const log = join(week, 'logs/2024-09-15.csv')
  await writeFile(log, (await readFile(log, 'latin1')).replaceAll('\n', '\r\n') + '\r\nbad\r\n', 'latin1')
  cwd = week
  const begun = performance.now()
  summaryOf(await run(args(), { cwd }))
  wholeMs = performance.now() - begun
  expected = await readFile(join(week, `out/${day}.csv`))
}, 120_000)
afterAll(() => rm(week, { recursive: true, force: true }))

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'lakejobs-faults-'))
})
afterEach(() => rm(cwd, { recursive: true, force: true }))

const files = async (folder = cwd): Promise<string[]> =>
  (await readdir(folder, { recursive: true })).filter((name) => !name.endsWith('jest_0')).sort()
const temporaries = async (): Promise<string[]> => (await files()).filter((name) => name.includes('.tmp'))
const isRight = async (ran: Ran): Promise<void> => {
  summaryOf(ran)
  expect(ran.exit).toBe(0)
  expect((await readFile(join(cwd, `out/${day}.csv`))).equals(expected)).toBe(true)
  expect(await readFile(join(cwd, 'out/.lakejobs/rejects/2024-09-15.csv'), 'utf8')).toBe(
    'file,line,reason,raw\n2024-09-15.csv,120001,wrong field count,bad\n',
  )
  expect(await temporaries()).toEqual([])
}
/** What was published until now is whole. */
const nothingHalf = async (): Promise<void> => {
  const result = await readFile(join(cwd, `out/${day}.csv`)).catch(() => expected)
  expect(result.equals(expected)).toBe(true)
  for (const name of (await files()).filter((file) => file.endsWith('.json'))) {
    JSON.parse(await readFile(join(cwd, name), 'utf8'))
  }
}

/** A run that got the signal so long after its start, or sooner, where it was through by then. */
async function interrupted(signal: NodeJS.Signals, afterMs: number): Promise<Ran> {
  const { child, ended } = start(args(), { cwd })
  await sleep(afterMs)
  child.kill(signal)
  const ran = await ended
  if (ran.exit !== 0) return ran
  await Promise.all((await readdir(cwd)).map((name) => rm(join(cwd, name), { recursive: true })))
  return interrupted(signal, 0.7 * afterMs)
}

describe('signals', () => {
  it.each([
    ['SIGTERM', 143, 0.35],
    ['SIGINT', 130, 0.5],
    ['SIGTERM', 143, 0.65],
    ['SIGTERM', 143, 0.8],
  ] as const)('%s is exit %d after cleaning up (at %d of its time)', async (signal, exit, share) => {
    const ran = await interrupted(signal, share * wholeMs)
    expect(summaryOf(ran)).toMatchObject({
      status: 'failed',
      exit,
      error: { code: 'interrupted', message: `stopped by ${signal}` },
    })
    expect(ran.signal).toBeNull()
    expect(await temporaries()).toEqual([])
    await nothingHalf()
    await isRight(await run(args(), { cwd }))
  })

  it('the second one does not wait', async () => {
    const { child, ended } = start(args(), { cwd })
    await sleep(400)
    child.kill('SIGINT')
    child.kill('SIGINT')
    expect((await ended).exit).toBe(130)
  })

  it('stops generating, and leaves whole days only', async () => {
    const { child, ended } = start(['generate', 'logs', day, '30', '10', '1000000'], { cwd })
    while (!(await files()).some((name) => name.endsWith('.csv'))) await sleep(20)
    child.kill('SIGTERM')
    expect(summaryOf(await ended)).toMatchObject({ job: 'generate', exit: 143 })
    const sizes = await Promise.all(
      (await readdir(join(cwd, 'logs'))).map((name) => stat(join(cwd, 'logs', name))),
    )
    expect(new Set(sizes.map(({ size }) => Math.round(size / 1e5))).size).toBeLessThanOrEqual(1)
    expect(await temporaries()).toEqual([])
  })

  it.each([250, 450, 600, 750, 900, 1100, 1400])('SIGKILL after %d ms, then a rerun', async (after) => {
    const { child, ended } = start(args(), { cwd })
    await sleep(after)
    child.kill('SIGKILL')
    await ended
    await nothingHalf()
    await isRight(await run(args(), { cwd }))
  })
})

it('two aggregates of the same window at once', async () => {
  for (let round = 0; round < 4; round++) {
    const delayed = async (ms: number): Promise<Ran> => {
      await sleep(ms)
      return run(args(), { cwd })
    }
    const runs = await Promise.all([delayed(0), delayed(round * 60)])
    for (const ran of runs) await isRight(ran)
    if (round % 2 === 1) await rm(join(cwd, 'cache'), { recursive: true })
  }
})

describe('an unwritable output', () => {
  it('below a regular file', async () => {
    await writeFile(join(cwd, 'out'), 'a file')
    const ran = await run(args(), { cwd })
    expect(summaryOf(ran)).toMatchObject({
      exit: 1,
      error: { message: expect.stringMatching(/cannot write .*out.*not a folder/), fix: expect.any(String) },
    })
    expect(await readFile(join(cwd, 'out'), 'utf8')).toBe('a file')
    expect(await temporaries()).toEqual([])
  })

  // Only root can become another user, and needs setpriv for it.
  const asOther = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
  const isRoot = process.getuid?.() === 0 && spawnSync('setpriv', ['--version']).status === 0
  ;(isRoot ? it : it.skip)('that belongs to somebody else', async () => {
    await chmod(cwd, 0o755)
    await chmod(week, 0o755)
    await mkdir(join(cwd, 'out'))
    const own = await mkdtemp(join(tmpdir(), 'lakejobs-other-'))
    await chmod(own, 0o777)
    try {
      const others = [
        'aggregate',
        join(week, 'logs'),
        'out',
        day,
        '--cache',
        join(own, 'cache'),
        '--scratch',
        own,
      ]
      const ran = await run(others, { cwd, through: asOther })
      expect(summaryOf(ran)).toMatchObject({
        exit: 1,
        error: {
          message: expect.stringContaining('permission denied'),
          field: expect.stringContaining(`${cwd}/out`),
        },
      })
      expect((await files(own)).filter((name) => name.includes('.tmp'))).toEqual([])
      expect(await files(join(cwd, 'out'))).toEqual([])
    } finally {
      await rm(own, { recursive: true })
    }
  })
})

// Mounting needs Linux and root (operations-spec §5.2).
const mounts = process.platform === 'linux' && spawnSync('unshare', ['-m', 'true']).status === 0
;(mounts ? describe : describe.skip)('a full disk', () => {
  it.each([
    ['out', 1],
    ['cache', 2],
    ['scratch', 2],
  ])('at %s', async (full, megabytes) => {
    const folder = join(cwd, full)
    await mkdir(folder)
    const mount = `mount -t tmpfs -o size=${megabytes}m tmpfs '${folder}' && "$@"; status=$?; find '${folder}' -name '*.tmp*' >&2; exit $status`
    const at = argsWith(full === 'scratch' ? folder : cwd)
    const ran = await run(at, { cwd, through: ['unshare', '-m', 'sh', '-c', mount, 'sh'] })
    expect(summaryOf(ran)).toMatchObject({
      exit: 1,
      error: { message: expect.stringMatching(/no space left/i), fix: expect.any(String) },
    })
    expect(ran.stderr).not.toContain('.tmp\n')
    expect(await temporaries()).toEqual([])
    if (full !== 'out') expect(await readdir(join(cwd, 'out')).catch(() => [])).not.toContain(`${day}.csv`)
  })
})

it('a log that changed after caching, with the same size and the same mtime', async () => {
  const log = join(cwd, `logs/${day}.csv`)
  const old = new Date('2024-09-17T00:00:00Z')
  const at = ['aggregate', 'logs', 'out', day, '--cache', 'cache']
  await mkdir(join(cwd, 'logs'))
  await writeFile(log, `a,READ,${day} 00:00:00\n`)
  await utimes(log, old, old)
  await sleep(2_100)
  summaryOf(await run(at, { cwd }))
  const { size, mtimeNs } = await stat(log, { bigint: true })
  await writeFile(log, `b,READ,${day} 00:00:00\n`)
  await utimes(log, old, old)
  const changed = await stat(log, { bigint: true })
  expect([changed.size, changed.mtimeNs]).toEqual([size, mtimeNs])
  expect(summaryOf(await run(at, { cwd }))).toMatchObject({ scannedDays: 1, cachedDays: 0 })
  expect(await readFile(join(cwd, `out/${day}.csv`), 'utf8')).toMatch(/\nb,0,1,0,0\n$/)
})
