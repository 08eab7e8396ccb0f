import { expect } from '@jest/globals'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { build, run, start, summaryOf, type Ran, type Running } from '../support/cli.ts'

/** The days that Spark counts for some seconds, of so many emails that shuffles are of several megabytes. */
const days = ['2024-09-15', '2024-09-16'] as const
const result = `${days[1]}.2d.csv`
const rowsPerDay = 500_000

/** Logs, what the embedded engine makes of them, and jobs by the command line that Spark has to do. */
export interface SparkBench {
  /** A run with an output and a cache of its own, and options more. */
  start(address: string, ...options: readonly string[]): Promise<SparkJob>
  remove(): Promise<void>
}

export interface SparkJob extends Running {
  /** Until Spark writes a day. */
  counting(): Promise<void>
  /** It ends well, with the bytes of the embedded engine, and leaves nothing else. */
  right(): Promise<Ran>
  /** It ends with exit 1 and one line that says why; nothing is published. */
  failedBy(message: RegExp): Promise<Ran>
}

export async function createSparkBench(): Promise<SparkBench> {
  build()
  const folder = await mkdtemp(join(tmpdir(), 'lakejobs-spark-'))
  summaryOf(await run(['generate', 'logs', days[0], '2', '200000', String(rowsPerDay)], { cwd: folder }))
  const embedded = ['--cache', 'embedded/cache', '--days', '2']
  summaryOf(await run(['aggregate', 'logs', 'embedded/out', days[1], ...embedded], { cwd: folder }))
  const expected = await readFile(join(folder, 'embedded/out', result))
  return {
    remove: () => rm(folder, { recursive: true, force: true }),
    async start(address, ...options) {
      const own = await mkdtemp(join(folder, 'run-'))
      const cache = join(own, 'cache')
      const out = join(own, 'out')
      const words = ['--days', '2', '--engine', 'spark', '--cache', cache, ...options]
      const job = start(['aggregate', 'logs', out, days[1], ...words], {
        cwd: folder,
        env: { SPARK_REMOTE: address, TMPDIR: own },
      })
      const temporary = (): Promise<string[]> =>
        readdir(join(cache, 'spark'), { recursive: true }).catch(() => [])
      const isCounting = async (): Promise<boolean> =>
        (await temporary()).some((name) => name.includes('_temporary'))
      return {
        ...job,
        async counting() {
          while (!(await isCounting())) {
            if (job.child.exitCode !== null) throw new Error('the job ended before Spark had begun')
            await sleep(20)
          }
        },
        async right() {
          const ran = await job.ended
          expect({ ...summaryOf(ran), stderr: ran.stderr }).toMatchObject({ exit: 0, rows: 2 * rowsPerDay })
          expect((await readFile(join(out, result))).equals(expected)).toBe(true)
          expect(await temporary()).toEqual([])
          return ran
        },
        async failedBy(message) {
          const ran = await job.ended
          expect(summaryOf(ran)).toMatchObject({
            exit: 1,
            error: { message: expect.stringMatching(message) as unknown },
          })
          expect(ran.stderr.match(/"level":"error"/g)).toHaveLength(1)
          expect((await readdir(out).catch(() => [])).filter((name) => name.endsWith('.csv'))).toEqual([])
          return ran
        },
      }
    },
  }
}
