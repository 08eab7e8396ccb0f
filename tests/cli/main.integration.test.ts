import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { spawnSync, type SpawnSyncReturns } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Summary } from '../../jobs/summary.ts'

/** The compiled CLI (`npm run build`) as a process, in a folder of its own. */
const entry = join(import.meta.dirname, '../../dist/main.js')
let folder = ''

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakejobs-cli-'))
})
afterAll(() => rm(folder, { recursive: true }))

const lakejobs = (...words: string[]): SpawnSyncReturns<string> =>
  spawnSync(process.execPath, [entry, ...words], {
    cwd: folder,
    env: { PATH: process.env['PATH'] },
    encoding: 'utf8',
  })

describe('a reader thread', () => {
  it('loads no HTTP client: that takes 20 ms', () => {
    const worker = join(import.meta.dirname, '../../dist/export-read-worker.js')
    const script = `import(${JSON.stringify(worker)}).then(() => console.log(process.moduleLoadList.join()))`
    const { stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' })
    expect(stdout).toContain('NativeModule net')
    expect(stdout).not.toContain('undici/undici')
  })
})

describe('lakejobs', () => {
  it('reads no parser of YAML where there is no lakejobs.yaml: it is a quarter of a megabyte', () => {
    const server = (prefix: string): Record<string, string> => ({
      [`${prefix}HOST`]: '127.0.0.1',
      [`${prefix}PORT`]: '1',
      [`${prefix}USER`]: 'a',
      [`${prefix}PASSWORD`]: 'b',
    })
    const servers = { ...server('POSTGRES_'), ...server('ICEBERG_POSTGRES_') }
    const { stdout, stderr } = spawnSync(process.execPath, [entry, 'export'], {
      cwd: folder,
      // Node tells of each module.
      env: { PATH: process.env['PATH'], NODE_DEBUG: 'esm', ...servers },
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    })
    // As far as the connection.
    expect(stdout).toContain('nothing listens at 127.0.0.1:1')
    const read = [...stderr.matchAll(/Translating StandardModule (file:\S+\.js)/g)].map(([, url]) =>
      readFileSync(new URL(url!), 'utf8'),
    )
    expect(read.filter((text) => text.includes('node_modules/pg/'))).not.toEqual([])
    expect(read.filter((text) => text.includes('node_modules/yaml/'))).toEqual([])
  })

  it('generates a week and aggregates it from the default folders, the second time from the cache', async () => {
    expect(lakejobs('generate', 'data/crud/input', '2024-09-10', '7', '5', '1000').status).toBe(0)
    const first = lakejobs('aggregate', '2024-09-16')
    const second = lakejobs('aggregate', '2024-09-16')
    const [cold, warm] = [first, second].map(({ stdout }) => JSON.parse(stdout) as Summary)
    expect(cold).toMatchObject({ job: 'aggregate', status: 'ok', rows: 7000, scannedDays: 7, cachedDays: 0 })
    expect(warm).toMatchObject({ rows: 7000, scannedDays: 0, cachedDays: 7 })
    const lines = (await readFile(join(folder, 'data/crud/output/2024-09-16.csv'), 'utf8')).split('\n')
    expect(lines[0]).toBe('email,create_count,read_count,update_count,delete_count')
    const events = lines.slice(1, -1).flatMap((line) => line.split(',').slice(1).map(Number))
    expect(events.reduce((sum, count) => sum + count, 0)).toBe(7000)
  })

  it.each([
    { words: ['aggregate', 'nowhere', 'out', '2024-09-16'], exit: 2 },
    { words: ['aggregate', '2024-02-30'], exit: 2 },
    { words: ['aggregate', '--unheard-of'], exit: 2 },
    { words: ['unheard-of'], exit: 2 },
    { words: ['unheard-of', 'aggregate'], exit: 2 },
    { words: ['--log-level', 'silent', 'aggregate', 'nowhere'], exit: 2 },
    { words: [], exit: 2 },
  ])('$words ends with $exit and says so in one line of JSON', ({ words, exit }) => {
    const { status, stdout, stderr } = lakejobs(...words)
    expect(status).toBe(exit)
    expect(stdout).toMatch(/^\{.*\}\n$/)
    expect(JSON.parse(stdout)).toMatchObject({ status: 'failed', exit })
    expect(stderr).not.toContain('    at ')
  })

  it.each([[['--help']], [['aggregate', '--help']]])('%s prints help and nothing else', (words) => {
    const { status, stdout, stderr } = lakejobs(...words)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^lakejobs .*\n/)
  })
})

describe('standard output', () => {
  const shell = (line: string): SpawnSyncReturns<string> =>
    spawnSync(
      'sh',
      ['-c', `lakejobs() { '${process.execPath}' '${entry}' "$@"; echo $? >status; }; ${line}`],
      {
        cwd: folder,
        env: { PATH: process.env['PATH'] },
        encoding: 'utf8',
      },
    )

  it.each([
    ['generate piped 2024-09-10', '0'],
    ['generate --help', '0'],
    ['--version', '0'],
    ['generate piped 2024-09-31', '2'],
  ])('whose reader is gone is no failure: %s', (words, status) => {
    const ran = shell(`lakejobs ${words} | true; cat status`)
    expect(ran.stdout).toBe(`${status}\n`)
    expect(ran.stderr).not.toMatch(/EPIPE| at /)
    // Both streams: nobody is left to complain to, either.
    const both = shell(`lakejobs ${words.replace('piped', 'both')} 2>&1 | true; cat status`)
    expect(both).toMatchObject({ stdout: `${status}\n`, stderr: '' })
  })

  // Linux has that device.
  const hasFull = existsSync('/dev/full')
  ;(hasFull ? it : it.skip)('that is full is one, told in a line', () => {
    const ran = shell('lakejobs generate full 2024-09-10 2>err >/dev/full; cat status err')
    expect(ran.stdout).toMatch(/^1\nstandard output cannot be written: ENOSPC.*\n$/)
    expect(shell('lakejobs generate full 2024-09-31 2>/dev/null >/dev/full; cat status').stdout).toBe('2\n')
  })
})
