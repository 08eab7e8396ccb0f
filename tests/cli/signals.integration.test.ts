import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtemp, open, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { build, start, summaryOf, type Running } from '../support/cli.ts'

let cwd: string
beforeAll(build)
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'lakejobs-signals-'))
})
afterEach(() => rm(cwd, { recursive: true, force: true }))

/** A job that would write for minutes. */
const args = ['generate', 'logs', '2024-09-10', '1000', '10', '1000000']

/** As PID 1 a process gets only the signals that it listens to. Making one needs Linux and root. */
const asFirst = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child']
const canUnshare =
  process.platform === 'linux' && spawnSync(asFirst[0]!, [...asFirst.slice(1), 'true']).status === 0

/** The process that `unshare` forked, by its number outside. */
async function forked(pid: number): Promise<number> {
  for (;;) {
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')
    if (children.trim() !== '') return Number(children.trim().split(' ')[0])
    await sleep(5)
  }
}

const ways: readonly (readonly [
  string,
  boolean,
  readonly string[],
  (running: Running) => Promise<number>,
])[] = [
  ['a process', true, [], ({ child }) => Promise.resolve(child.pid!)],
  ['PID 1 of a container', canUnshare, asFirst, ({ child }) => forked(child.pid!)],
]

for (const [what, can, through, pidOf] of ways) {
  // Only Linux and root can make a PID 1.
  const asThis = can ? describe : describe.skip
  asThis(`SIGTERM to ${what}`, () => {
    it.each([
      ['SIGTERM', 143],
      ['SIGINT', 130],
    ] as const)('%s at work is exit %i, and nothing half-done stays', async (signal, exit) => {
      const running = start(args, { cwd, through })
      const pid = await pidOf(running)
      while (!(await readdir(join(cwd, 'logs')).catch(() => [])).some((name) => name.endsWith('.csv')))
        await sleep(10)
      process.kill(pid, signal)
      const ran = await running.ended
      expect(summaryOf(ran)).toMatchObject({ exit, status: 'failed', error: { code: 'interrupted' } })
      for (const name of await readdir(join(cwd, 'logs'))) expect(name).toMatch(/^2024-.*\.csv$/)
    })

    it('before the job is loaded is kept for it', async () => {
      // Its settings keep it waiting: the pipe opens for writing when it reads.
      execFileSync('mkfifo', [join(cwd, '.env')])
      const running = start(args, { cwd, through })
      const pipe = await open(join(cwd, '.env'), 'w')
      process.kill(await pidOf(running), 'SIGTERM')
      await sleep(50)
      await pipe.close()
      expect(summaryOf(await running.ended)).toMatchObject({ exit: 143, error: { code: 'interrupted' } })
      expect(
        (await readdir(join(cwd, 'logs')).catch(() => [])).filter((name) => name.endsWith('.csv')),
      ).toEqual([])
    })

    it('at the first line of the program is kept for the job', async () => {
      // Loaded before it: sends the signal as soon as somebody listens.
      const preload = `const on = process.on
        process.on = function (name, listener) {
          on.call(process, name, listener)
          if (name === 'SIGTERM') { process.on = on; process.kill(process.pid, name) }
          return process
        }`
      await writeFile(join(cwd, 'preload.cjs'), preload)
      const env = { NODE_OPTIONS: `--require ${join(cwd, 'preload.cjs')}` }
      expect(summaryOf(await start(args, { cwd, through, env }).ended)).toMatchObject({ exit: 143 })
      const help = await start(['--help'], { cwd, through, env }).ended
      expect(help.exit).toBe(143)
      expect(await readdir(cwd)).toEqual(['preload.cjs'])
    })
  })
}
