import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { execFile, spawnSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { build, run, summaryOf, type Ran } from '../support/cli.ts'

/** Kind: words that send people the wrong way, or hide what they want to know. */
const day = '2024-09-16'
let cwd: string
beforeAll(build)
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'lakejobs-words-'))
  await chmod(cwd, 0o755)
  await mkdir(join(cwd, 'logs'))
  await writeFile(join(cwd, `logs/${day}.csv`), `a@example.com,READ,${day} 12:00:00\n`)
})
afterEach(() => rm(cwd, { recursive: true, force: true }))

const words = ['aggregate', 'logs', 'out', day, '--missing-days', 'ignore'] as const
const aggregate = (more: readonly string[] = [], env = {}, through: readonly string[] = []): Promise<Ran> =>
  run([...words, ...more], { cwd, env, through })

describe('temporary files', () => {
  it('in a place that is no local folder are refused', async () => {
    for (const scratch of ['s3://x/y', 's3a://x/y']) {
      expect(summaryOf(await aggregate(['--scratch', scratch]))).toMatchObject({
        exit: 2,
        error: { field: '--scratch', fix: 'give a folder on a disk of this machine' },
      })
    }
    expect((await aggregate(['--scratch', `file://${cwd}/scratch`])).exit).toBe(0)
  })

  it.each(['TMPDIR', 'LAKEJOBS_SCRATCH'])(
    'where none can be made, by %s, name the folder and --scratch',
    async (name) => {
      const file = join(cwd, 'file')
      await writeFile(file, '')
      const { error } = summaryOf(await aggregate([], { [name]: file }))
      expect(error).toMatchObject({ code: 'failed', field: '--scratch' })
      expect(error?.message).toBe(
        `temporary files: cannot write ${file}: a part of the path is a file, not a folder (ENOTDIR)`,
      )
      expect(error?.fix).toContain('--scratch (LAKEJOBS_SCRATCH) or TMPDIR names another one')
      expect((await aggregate(['--scratch', 'here'], { TMPDIR: file })).exit).toBe(0)
    },
  )
})

describe('folders', () => {
  it('of links in a circle', async () => {
    await symlink('b', join(cwd, 'a'))
    await symlink('a', join(cwd, 'b'))
    const { error } = summaryOf(await run(['generate', 'a', day], { cwd }))
    expect(error).toMatchObject({
      message: expect.stringContaining('symbolic links lead in a circle') as unknown,
    })
    expect(error?.fix).toMatch(/^Remove or mend the symbolic links/)
  })

  // Only root can become another user, and needs setpriv for it.
  const isRoot = process.getuid?.() === 0 && spawnSync('setpriv', ['--version']).status === 0
  ;(isRoot ? it : it.skip)('that are sticky: whose file it is decides', async () => {
    expect((await aggregate(['--cache', 'ours'])).exit).toBe(0)
    for (const folder of ['out', 'out/.lakejobs']) await chmod(join(cwd, folder), 0o1777)
    await writeFile(join(cwd, `logs/${day}.csv`), `b@example.com,READ,${day} 12:00:00\n`)
    await mkdir(join(cwd, 'cache'))
    await chmod(join(cwd, 'cache'), 0o777)
    const asOther = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
    const { error } = summaryOf(await aggregate(['--cache', 'cache'], {}, asOther))
    expect(error?.message).toContain('the folder is sticky (mode +t)')
    expect(error?.fix).toBe(`Remove ${cwd}/out/${day}.csv as the user who made it, or choose another folder.`)
  })
})

it('a message names 20 of many days', async () => {
  const failed = await run(['aggregate', 'logs', 'out', day, '--days', '3660', '--missing-days', 'fail'], {
    cwd,
  })
  expect(summaryOf(failed).error?.message).toMatch(/, 2014-.* and 3639 more in /)
  expect(failed.stderr.length + failed.stdout.length).toBeLessThan(4_000)
})

// util-linux has it; it gives a command a terminal of its own.
const hasScript = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0
;(hasScript ? describe : describe.skip)('on a terminal', () => {
  const main = join(import.meta.dirname, '../../dist/main.js')
  const onTerminal = async (line: string): Promise<string> => {
    const command = `${process.execPath} ${main} ${line}`
    const { stdout } = await promisify(execFile)('script', ['-qec', command, '/dev/null'], {
      cwd,
      env: { PATH: process.env['PATH'] },
    }).catch((error: unknown) => error as { stdout: string })
    return stdout.replaceAll('\r', '')
  }

  it('a person reads the table with seconds and rows/s, and no line for machines', async () => {
    const shown = await onTerminal(words.join(' '))
    expect(shown).toMatch(/^rows +1$/m)
    expect(shown).toMatch(/^seconds +0\.\d+$/m)
    expect(shown).toMatch(/^rows\/s +\d+$/m)
    expect(shown).not.toContain('{')
  })

  it('a failure is a sentence, once', async () => {
    for (const line of ['aggregate logs out 2020-01-01', 'aggregate --nope', 'aggregate --days x']) {
      const shown = await onTerminal(line)
      expect(shown).toMatch(/ERROR/)
      expect(shown).not.toContain('{')
    }
  })

  it('--log-format json and a redirected part bring the line', async () => {
    expect(await onTerminal(`${words.join(' ')} --log-format json`)).toMatch(
      /^{"job":"aggregate","status":"ok"/m,
    )
    expect(await onTerminal(`${words.join(' ')} 2>err`)).toMatch(/^{"job":"aggregate","status":"ok"/m)
    expect(await onTerminal(`${words.join(' ')} --log-level silent`)).toMatch(
      /^{"job":"aggregate","status":"ok"/m,
    )
  })
})
