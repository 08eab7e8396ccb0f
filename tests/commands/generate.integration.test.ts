import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, run, summaryOf, type Ran } from '../support/cli.ts'

let cwd: string
beforeAll(build)
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'lakejobs-demo-'))
})
afterEach(() => rm(cwd, { recursive: true, force: true }))

const days = [10, 11, 12, 13, 14, 15, 16].map((day) => `2024-09-${day}.csv`)
const demo = (value: string, ...words: string[]): Promise<Ran> =>
  run(['generate', '--demo', '--first-date', '2024-09-10', '--days', '7', ...words], {
    cwd,
    env: { DEMO_DATA: value, CRUD_INPUT: 'logs' },
  })
const files = async (): Promise<string[]> => (await readdir(join(cwd, 'logs'))).sort()

describe('lakejobs generate --demo', () => {
  it('is exit 99 and writes nothing unless DEMO_DATA is true', async () => {
    for (const value of ['', 'false', 'False']) {
      expect(summaryOf(await demo(value))).toMatchObject({
        exit: 99,
        status: 'skipped',
        error: { code: 'nothingToDo', field: 'DEMO_DATA', fix: expect.any(String) as unknown },
      })
    }
    expect(await readdir(cwd)).toEqual([])
    expect((await demo('True')).exit).toBe(0)
  })

  it('with --if-missing makes every missing day of the range and no other', async () => {
    expect(summaryOf(await demo('true', '--if-missing'))).toMatchObject({ exit: 0, files: 7 })
    const before = await readFile(join(cwd, 'logs/2024-09-13.csv'), 'utf8')
    await rm(join(cwd, 'logs/2024-09-13.csv'))
    await rm(join(cwd, 'logs/2024-09-16.csv'))
    await writeFile(join(cwd, 'logs/2024-09-15.csv'), 'kept')
    expect(summaryOf(await demo('true', '--if-missing'))).toMatchObject({ exit: 0, files: 2 })
    expect(await files()).toEqual(['.lakejobs-demo', ...days])
    expect(await readFile(join(cwd, 'logs/2024-09-13.csv'), 'utf8')).toBe(before)
    expect(await readFile(join(cwd, 'logs/2024-09-15.csv'), 'utf8')).toBe('kept')
    expect(summaryOf(await demo('true', '--if-missing'))).toMatchObject({ exit: 0, files: 0 })
  })

  it('refuses a folder with files and without lakejobs’ mark; an empty one gets the mark', async () => {
    await mkdir(join(cwd, 'logs'))
    await writeFile(join(cwd, 'logs/2024-09-09.csv.gz'), 'real')
    expect(summaryOf(await demo('true', '--if-missing'))).toMatchObject({
      exit: 2,
      error: { field: '--dir', message: expect.stringContaining('2024-09-09.csv.gz') as unknown },
    })
    expect(await files()).toEqual(['2024-09-09.csv.gz'])
    await rm(join(cwd, 'logs/2024-09-09.csv.gz'))
    expect((await demo('true')).exit).toBe(0)
    expect(await files()).toEqual(['.lakejobs-demo', ...days])
  })

  it('of several at once all end well, with the files of one', async () => {
    const runs = await Promise.all(
      [['--replace'], ['--replace'], ['--if-missing'], ['--if-missing']].map((words) =>
        demo('true', ...words),
      ),
    )
    expect(runs.map(({ exit }) => exit)).toEqual([0, 0, 0, 0])
    expect(await files()).toEqual(['.lakejobs-demo', ...days])
  })
})
