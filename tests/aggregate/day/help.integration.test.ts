import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, run, summaryOf, type Ran } from '../../support/cli.ts'

const day = '2024-09-16'
const row = (i: number): string =>
  `user${String(i % 70_001).padStart(7, '0')}@x.example,UPDATE,${day} 12:00:00\n`
const block = Buffer.from(Array.from({ length: 1_000_000 }, (_, i) => row(i)).join(''))
const rows = 4_000_000

/** Sound rows, enough to be worth a thread, with what is no row behind them. */
const logOf = (special: string): Buffer =>
  Buffer.concat([block, block, block, block, Buffer.from(`${special}${row(1)}no row\n`)])

describe('threads that help with the one day that is counted', () => {
  let cwd: string
  beforeAll(async () => {
    build()
    cwd = await mkdtemp(join(tmpdir(), 'lakejobs-help-'))
    await mkdir(join(cwd, 'logs'))
  })
  afterAll(() => rm(cwd, { recursive: true, force: true }))

  const counted = async (threads: string): Promise<Ran & { files: string[] }> => {
    const places = ['--cache', `cache-${threads}`, '--rejects', `rejects-${threads}`, '--refresh']
    const ran = await run(
      ['aggregate', 'logs', `out-${threads}`, day, '--days', '1', ...places, '--threads', threads],
      { cwd, env: { LAKEJOBS_LOG_LEVEL: 'debug' } },
    )
    expect(summaryOf(ran)).toMatchObject({ exit: 0, rows: rows + 2, rejects: 1 })
    const files = [`out-${threads}/${day}.1d.csv`, `rejects-${threads}/${day}.csv`]
    return { ...ran, files: await Promise.all(files.map((file) => readFile(join(cwd, file), 'latin1'))) }
  }
  const helped = 'another thread helps with a day'

  it.each([
    ['a plain row', row(5)],
    ['a quoted line feed', `"two\nlines",CREATE,${day} 01:00:00\r\n`],
  ])('find what one thread finds: %s', async (_, special) => {
    await writeFile(join(cwd, `logs/${day}.csv`), logOf(special))
    const alone = await counted('1')
    const together = await counted('3')
    expect([alone, together].map(({ stderr }) => stderr.includes(helped))).toEqual([false, true])
    expect(together.files[0] === alone.files[0]).toBe(true)
    expect(together.files[1]).toBe(alone.files[1])
    const line = rows + 2 + special.split('\n').length - 1
    expect(together.files[1]).toContain(`${day}.csv,${line},wrong field count,no row`)
  })

  it('read it once more, alone, where a quoted field lies across the blocks of two of them', async () => {
    // Wherever a block ends from the second mebibyte on, it ends in this one field's record or beside another such.
    const quoted = `"${`${'x'.repeat(60)}\n`.repeat(15_000)}",CREATE,${day} 01:00:00\n`
    await writeFile(join(cwd, `logs/${day}.csv`), logOf(quoted.repeat(4)))
    const alone = summaryOf(
      await run(['aggregate', 'logs', 'out-a', day, '--days', '1', '--cache', 'a', '--threads', '1'], {
        cwd,
      }),
    )
    const ran = await run(
      [
        'aggregate',
        'logs',
        'out-b',
        day,
        '--days',
        '1',
        '--cache',
        'b',
        '--threads',
        '2',
        '--log-level',
        'debug',
      ],
      { cwd },
    )
    expect(ran.stderr).toContain(helped)
    expect(summaryOf(ran)).toMatchObject({ rows: alone.rows, rejects: alone.rejects, exit: 0 })
    const [a, b] = await Promise.all(
      ['a', 'b'].map((name) => readFile(join(cwd, `out-${name}/${day}.1d.csv`))),
    )
    expect(a!.equals(b!)).toBe(true)
  })
})
