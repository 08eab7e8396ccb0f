import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run, summaryOf, build, type Ran } from '../support/cli.ts'

const day = '2024-09-16'
let cwd: string
beforeAll(build)
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'lakejobs-cli-'))
})
afterEach(() => rm(cwd, { recursive: true, force: true }))

const lakejobs = (...args: string[]): Promise<Ran> => run(args, { cwd })
const log = async (name: string, content: string): Promise<void> => {
  await mkdir(join(cwd, 'logs'), { recursive: true })
  await writeFile(join(cwd, 'logs', name), content)
}
const row = (email: string): string => `${email},READ,${day} 12:26:57\n`

describe('help', () => {
  it('lists the commands', async () => {
    const { exit, stdout, stderr } = await lakejobs('--help')
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' })
    expect(stdout).toContain('lakejobs aggregate')
    expect(stdout).toContain('lakejobs generate')
    expect(stdout).toContain('UTC')
  })

  it.each([
    [
      'aggregate',
      [
        'aggregate [input] [output] [date]',
        'CRUD_INPUT',
        'CRUD_CACHE',
        '--missing-days',
        'UTC',
        '2024-09-16',
      ],
    ],
    ['generate', ['generate [dir] [first-date] [days] [emails] [events]', '--seed', 'Examples:']],
  ])('explains %s with examples', async (command, parts) => {
    const { exit, stdout } = await lakejobs(command, '--help')
    expect(exit).toBe(0)
    for (const part of parts) expect(stdout).toContain(part)
  })

  it('tells the version', async () => {
    expect((await lakejobs('--version')).stdout).toBe('0.1.0\n')
  })
})

describe('usage: exit 2, one line that names field, value and fix', () => {
  it.each([
    [[], 'lakejobs', undefined, 'no command given'],
    [['nope'], 'lakejobs', undefined, 'Unknown command: nope'],
    [['--nope', 'aggregate'], 'aggregate', undefined, 'nope'],
    [['--group', 'verify', 'export'], 'verify', 'export', 'the command is not the first word'],
    [['aggregate', '--nope'], 'aggregate', undefined, 'nope'],
    [['export', '--from', day, '--to', day, '--lookback', '2'], 'export', '--lookback', 'without --date'],
    [['aggregate', 'logs', 'out', '2024-02-30'], 'aggregate', '--date', '"2024-02-30"'],
    [['aggregate', '2024-02-30'], 'aggregate', '--date', '"2024-02-30"'],
    [['aggregate', '2024-9-1'], 'aggregate', '--date', '"2024-9-1"'],
    [['aggregate', '--date', 'yesterday'], 'aggregate', '--date', '"yesterday"'],
    [['aggregate', '--date', day, '--date', day], 'aggregate', '--date', '2 times'],
    [['aggregate', day, '--date', day], 'aggregate', '--date', 'given twice'],
    [['aggregate', 'logs', 'out', day, '--input', 'x'], 'aggregate', '--input', 'given twice'],
    [['aggregate', 'a', 'b', day, 'c'], 'aggregate', 'c', 'one argument too many'],
    [['aggregate', day, '--from', day, '--to', day], 'aggregate', '--date', 'from and to'],
    [['aggregate', '--from', day], 'aggregate', '--to', 'missing'],
    [['aggregate', '--from', day, '--to', '2024-09-15'], 'aggregate', '--to', 'before'],
    [['aggregate', '--days', '0'], 'aggregate', '--days', '"0"'],
    [['aggregate', '--days', '100000'], 'aggregate', '--days', '100000'],
    [['aggregate', '--threads', '1.5'], 'aggregate', '--threads', '"1.5"'],
    [['aggregate', '--memory-limit', 'much'], 'aggregate', '--memory-limit', '"much"'],
    [['aggregate', '--max-rejects', '101%'], 'aggregate', '--max-rejects', '"101%"'],
    [['aggregate', '--missing-days', 'never'], 'aggregate', '--missing-days', '"never"'],
    [['aggregate', '--engine', 'spark4'], 'aggregate', '--engine', '"spark4"'],
    [['aggregate', 'ftp://x', 'out', day], 'aggregate', '--input', 'ftp'],
    [['aggregate', 's3://', 'out', day], 'aggregate', '--input', 'bucket'],
    [['aggregate', 'logs', './logs/', day], 'aggregate', '--output', 'same folder'],
    [['aggregate', '--log-level', 'loud'], 'aggregate', '--log-level', '"loud"'],
    [['aggregate', '--refresh=maybe'], 'aggregate', '--refresh', '"maybe"'],
    [['generate', 'logs', day, '--if-missing', '--no-if-missing'], 'generate', '--if-missing', '2 times'],
    [['--help=maybe', 'aggregate'], 'aggregate', '--help', '"maybe"'],
    [['export', '--max-shrink', '50'], 'export', '--max-shrink', '"50"'],
    [['generate', 'logs'], 'generate', '--first-date', 'missing'],
    [['generate', 'logs', '2023-02-29'], 'generate', '--first-date', '"2023-02-29"'],
    [['generate', 'logs', day, '1', '0'], 'generate', '--emails', '"0"'],
  ])('%j', async (args, job, field, message) => {
    const ran = await lakejobs(...args)
    const summary = summaryOf(ran)
    expect(summary).toMatchObject({ job, status: 'failed', exit: 2, error: { code: 'usage' } })
    expect(summary.error?.message).toContain(message)
    expect(summary.error?.field).toBe(field)
    expect(summary.error?.fix ?? '').not.toBe('')
    expect(ran.stderr.trimEnd().split('\n')).toHaveLength(1)
    expect(ran.stderr).not.toContain('    at ')
    expect(await readdir(cwd)).toEqual([])
  })
})

describe('settings', () => {
  it('come from flags before the environment before .env before defaults', async () => {
    await log(`${day}.csv`, row('a'))
    await writeFile(
      join(cwd, '.env'),
      'CRUD_INPUT=./nowhere\nCRUD_OUTPUT=from-file\nLAKEJOBS_DAYS=3\nCRUD_CACHE="kept here"\n',
    )
    const ran = await run(['aggregate', '--date', day], {
      cwd,
      env: { CRUD_INPUT: 'logs', LAKEJOBS_DAYS: '' },
    })
    expect(summaryOf(ran)).toMatchObject({ status: 'ok', from: '2024-09-14', to: day, rows: 1 })
    expect((await readdir(cwd)).sort()).toEqual(['.env', 'from-file', 'kept here', 'logs'])
    const flags = await run(['aggregate', 'logs', 'flag', day, '--days', '1'], {
      cwd,
      env: { CRUD_INPUT: 'nowhere' },
    })
    expect(summaryOf(flags)).toMatchObject({ status: 'ok', from: day })
  })

  it('name the environment variable or the file that is wrong', async () => {
    const wrong = await run(['aggregate'], { cwd, env: { LAKEJOBS_DAYS: 'x' } })
    expect(summaryOf(wrong)).toMatchObject({ exit: 2, error: { field: 'LAKEJOBS_DAYS' } })
    const endpoint = await run(['aggregate', 's3://b', 'out', day], {
      cwd,
      env: { S3_ENDPOINT: 'localhost:9000' },
    })
    expect(summaryOf(endpoint)).toMatchObject({ exit: 2, error: { field: 'S3_ENDPOINT' } })
    await writeFile(join(cwd, '.env'), Buffer.from('X=1\nNAME=café\n', 'latin1'))
    expect(summaryOf(await run(['generate', 'logs'], { cwd }))).toMatchObject({
      exit: 2,
      error: { field: '.env', message: '.env cannot be read: line 2 is not UTF-8' },
    })
    await writeFile(join(cwd, '.env'), 'X=1\nwhat is this\n')
    expect(summaryOf(await lakejobs('aggregate'))).toMatchObject({
      exit: 2,
      error: { field: '.env', message: expect.stringContaining('line 2') },
    })
  })

  it('stand before or after the command, and choose the form of the logs', async () => {
    await mkdir(join(cwd, 'data/crud/input'), { recursive: true })
    for (const args of [
      ['--log-level', 'debug', 'aggregate', day],
      ['aggregate', day, '--log-level', 'debug'],
    ]) {
      const { exit, stderr } = await lakejobs(...args)
      expect(exit).toBe(3)
      const lines = stderr
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { level: string })
      expect(lines.map(({ level }) => level)).toEqual(['error', 'debug'])
    }
    const pretty = await lakejobs('aggregate', day, '--log-format', 'pretty')
    expect(pretty.stderr).toMatch(/ERROR: no log of any day/)
    expect((await lakejobs('aggregate', day, '--log-level', 'silent')).stderr).toBe('')
  })
})

describe('exit codes', () => {
  it('0: done; yesterday (UTC) is the default, a lone day is the date', async () => {
    await log(`${day}.csv`, row('a') + 'bad\n')
    const env = { CRUD_INPUT: 'logs', CRUD_OUTPUT: 'out', CRUD_CACHE: 'cache' }
    const ran = await run(['aggregate', day], { cwd, env })
    expect(summaryOf(ran)).toMatchObject({
      job: 'aggregate',
      status: 'ok',
      exit: 0,
      rows: 1,
      rejects: 1,
      files: 1,
      outputs: [`file://${cwd}/out/${day}.csv`],
    })
    // Midnight may come in between.
    const yesterday = () => new Date(Date.now() - 86_400_000).toISOString().slice(0, 10)
    const before = yesterday()
    const summary = summaryOf(await run(['aggregate'], { cwd, env }))
    expect(summary).toMatchObject({ exit: 3 })
    expect([before, yesterday()]).toContain(summary.to)
  })

  it('3: the data', async () => {
    await mkdir(join(cwd, 'logs'))
    expect(summaryOf(await lakejobs('aggregate', 'logs', 'out', day))).toMatchObject({
      exit: 3,
      error: { code: 'data' },
    })
    await log(`${day}.csv`, 'bad\n'.repeat(11))
    expect(summaryOf(await lakejobs('aggregate', 'logs', 'out', day))).toMatchObject({ exit: 3, rejects: 11 })
    expect(await readdir(join(cwd, 'out'))).toEqual(['.lakejobs'])
  })

  it('5: not yet', async () => {
    await log('2024-09-15.csv', row('a'))
    const ran = await lakejobs('aggregate', 'logs', 'out', day, '--missing-days', 'latest')
    expect(summaryOf(ran)).toMatchObject({ exit: 5, error: { code: 'notYet' } })
    expect(existsSync(join(cwd, 'out'))).toBe(false)
  })

  it('1: the object store is away', async () => {
    const env = {
      S3_ENDPOINT: 'http://127.0.0.1:1',
      MINIO_ROOT_USER: 'canary-user',
      MINIO_ROOT_PASSWORD: 'canary-password',
    }
    const ran = await run(['aggregate', 's3://logs/x', 'out', day], { cwd, env })
    expect(summaryOf(ran)).toMatchObject({
      exit: 1,
      error: { message: expect.stringContaining('http://127.0.0.1:1') },
    })
    expect(ran.stdout + ran.stderr).not.toContain('canary-password')
  })
})

const real = join(import.meta.dirname, '../../../shared/data/crud-logs')
// A user's clone has no ../shared (operations-spec §5.1).
;(existsSync(real) ? describe : describe.skip)('the real logs', () => {
  it('become the expected result, cold and warm', async () => {
    const expected = await readFile(join(real, 'expected', `${day}.csv`))
    for (const cachedDays of [0, 7]) {
      const ran = await lakejobs('aggregate', join(real, 'input'), 'out', day)
      expect(summaryOf(ran)).toMatchObject({ exit: 0, cachedDays, rows: 14_000, rejects: 0 })
      expect((await readFile(join(cwd, 'out', `${day}.csv`))).equals(expected)).toBe(true)
    }
  })
})

describe('a generated week', () => {
  let week: string
  beforeAll(async () => {
    week = await mkdtemp(join(tmpdir(), 'lakejobs-week-'))
    summaryOf(await run(['generate', 'logs', '2024-09-15', '2', '100000', '250000'], { cwd: week }))
  }, 60_000)
  afterAll(() => rm(week, { recursive: true, force: true }))

  it('of 100,000 users is the same bytes from the engine and from the scanner', async () => {
    const results: Buffer[] = []
    // CRLF is left to the scanner, and its parts to the merge.
    const text = await readFile(join(week, `logs/${day}.csv`), 'latin1')
    await mkdir(join(cwd, 'crlf'))
    await writeFile(join(cwd, `crlf/${day}.csv`), text.replaceAll('\n', '\r\n'), 'latin1')
    await writeFile(join(cwd, 'crlf/2024-09-15.csv'), await readFile(join(week, 'logs/2024-09-15.csv')))
    for (const input of [join(week, 'logs'), 'crlf']) {
      for (const [cache, threads] of [
        ['1', '1'],
        ['2', '2'],
        ['2', '4'],
      ] as const) {
        const ran = await lakejobs(
          'aggregate',
          input,
          'out',
          day,
          '--cache',
          `${input.length}-${cache}`,
          '--threads',
          threads,
        )
        expect(summaryOf(ran)).toMatchObject({ rows: 500_000, rejects: 0 })
        results.push(await readFile(join(cwd, `out/${day}.csv`)))
      }
    }
    expect(results.every((result) => result.equals(results[0]!))).toBe(true)
    const totals = results[0]!
      .toString()
      .trimEnd()
      .split('\n')
      .slice(1)
      .flatMap((line) => line.split(',').slice(1))
    expect(totals.reduce((sum, count) => sum + Number(count), 0)).toBe(500_000)
  })
})
