import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, run, summaryOf, type Ran } from '../../support/cli.ts'

const days = ['2024-09-14', '2024-09-15', '2024-09-16'] as const
const last = days[2]
/** Of each day; two days have more than what is worth a thread. */
const emails = 130_000
const mergedAhead = 'days that were merged ahead'

describe('days that a free thread merges while the last one is counted', () => {
  let cwd: string
  let expected: Buffer
  beforeAll(async () => {
    build()
    cwd = await mkdtemp(join(tmpdir(), 'lakejobs-ahead-'))
    await mkdir(join(cwd, 'logs'))
    const email = (number: number): string => `user${String(number).padStart(6, '0')}@x`
    const counts = new Map<string, number>()
    for (const [index, day] of days.entries()) {
      // Each day has emails that another one has not, and some that all have.
      const own = Array.from({ length: emails }, (_, i) => email(i + index * 40_000))
      for (const of of own) counts.set(of, (counts.get(of) ?? 0) + 1)
      await writeFile(
        join(cwd, `logs/${day}.csv`),
        own.map((of) => `${of},UPDATE,${day} 12:00:00\n`).join(''),
      )
    }
    const rows = [...counts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([of, count]) => `${of},0,0,${count},0\n`)
    expected = Buffer.from(`email,create_count,read_count,update_count,delete_count\n${rows.join('')}`)
  }, 120_000)
  afterAll(() => rm(cwd, { recursive: true, force: true }))

  const counted = async (threads: string): Promise<Ran> => {
    const ran = await run(
      ['aggregate', 'logs', 'out', last, '--cache', 'cache', '--threads', threads, '--log-level', 'debug'],
      { cwd },
    )
    expect(summaryOf(ran)).toMatchObject({ rows: 3 * emails, rejects: 0 })
    expect((await readFile(join(cwd, `out/${last}.csv`))).equals(expected)).toBe(true)
    return ran
  }
  const forget = async (...names: string[]): Promise<void> => {
    for (const name of names) await rm(join(cwd, 'cache', name), { recursive: true, force: true })
  }

  it('come to the bytes that the window without them comes to: cold, and with one new day', async () => {
    expect((await counted('1')).stderr).not.toContain(mergedAhead)
    await forget('.')
    expect((await counted('2')).stderr).toContain(mergedAhead)
    await forget(last, 'windows')
    expect((await counted('2')).stderr).toContain(mergedAhead)
  }, 120_000)

  it('are merged without one whose list is damaged, and with a warning', async () => {
    const folder = join(cwd, 'cache', days[0])
    const list = (await readdir(folder)).find((name) => name.endsWith('.list'))!
    const bytes = await readFile(join(folder, list))
    // The last count of the last email: nothing else could tell.
    bytes[bytes.length - 1]! ^= 1
    await writeFile(join(folder, list), bytes)
    await forget(last, 'windows')
    const { stderr } = await counted('2')
    expect(stderr).not.toContain(mergedAhead)
    expect(stderr).toContain('cached file is missing or damaged')
  }, 120_000)
})
