import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, run, summaryOf, type Ran } from '../support/cli.ts'

/** Kind: a flag whose value was read as its opposite did what it was to prevent, with exit 0. */
const day = '2024-09-16'
let cwd: string
beforeAll(build)
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'lakejobs-flags-'))
  await writeFile(join(cwd, `${day}.csv`), `somebody@example.com,READ,${day} 12:00:00\n`)
})
afterEach(() => rm(cwd, { recursive: true, force: true }))

const generate = (words: readonly string[], env = {}): Promise<Ran> =>
  run(['generate', '.', day, '1', '3', '5', ...words], { cwd, env })
const lines = async (): Promise<number> =>
  (await readFile(join(cwd, `${day}.csv`), 'utf8')).trimEnd().split('\n').length

describe('generate --if-missing leaves a log alone', () => {
  it.each(['--if-missing', '--if-missing=1', '--if-missing=yes', '--if-missing=TRUE', '--if-missing on'])(
    '%s',
    async (flag) => {
      expect(summaryOf(await generate(flag.split(' ')))).toMatchObject({ exit: 0, rows: 0 })
      expect(await lines()).toBe(1)
    },
  )

  it.each(['1', 'yes', 'On'])('LAKEJOBS_IF_MISSING=%s', async (value) => {
    expect((await generate([], { LAKEJOBS_IF_MISSING: value })).exit).toBe(0)
    expect(await lines()).toBe(1)
  })

  it('a flag beats the environment, whatever the spelling', async () => {
    expect((await generate(['--if-missing=on'], { LAKEJOBS_IF_MISSING: 'no' })).exit).toBe(0)
    expect(await lines()).toBe(1)
  })
})

describe('nothing is done where a value is neither true nor false', () => {
  it.each([
    ['generate', '.', day, '--if-missing=maybe'],
    ['generate', '.', day, '--if-missing='],
    ['generate', '.', day, '--if-missing', '--if-missing=0'],
    ['generate', '.', day, '--demo=2'],
    ['aggregate', '.', 'out', day, '--refresh=maybe'],
    ['aggregate', '.', 'out', day, '--verify-cache.x=1'],
    ['aggregate', '.', 'out', day, '--help=maybe'],
    ['seed', '--replace=ja'],
    ['export', '--dry-run=2'],
    ['export', '--max-shrink=50'],
  ])('%s %s %s %s', async (...words) => {
    const ran = await run(words, { cwd })
    expect(summaryOf(ran)).toMatchObject({ exit: 2, error: { code: 'usage' } })
    expect(await readdir(cwd)).toEqual([`${day}.csv`])
    expect(await lines()).toBe(1)
  })
})
