import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { FileIO } from '../../jobs/storage/file-io.ts'
import { s3FileIO } from '../../jobs/storage/s3/s3.ts'
import { build, run, summaryOf, type Ran } from '../support/cli.ts'
import { startMinio, storeEnvironment, type Minio } from '../support/minio.ts'

const day = '2024-09-16'
const days = [10, 11, 12, 13, 14, 15, 16].map((date) => `2024-09-${date}`)
const real = join(import.meta.dirname, '../../../shared/data/crud-logs')

describe('aggregate over a real object store', () => {
  let minio: Minio
  let io: FileIO
  let cwd: string
  let env: Record<string, string>
  let input: string
  let expected: string
  let round = 0

  beforeAll(async () => {
    build()
    minio = await startMinio()
    io = s3FileIO({ ...minio, region: 'us-east-1' })
    cwd = await mkdtemp(join(tmpdir(), 'lakejobs-s3-'))
    env = {
      ...storeEnvironment(minio),
      S3_CREATE_BUCKET: 'true',
    }
    input = join(real, 'input')
    // A user's clone has no ../shared: a generated week does as well, held against the local run.
    if (!existsSync(real)) {
      input = join(cwd, 'week')
      summaryOf(await run(['generate', 'week', '2024-09-10', '7'], { cwd }))
    }
    const local = await run(['aggregate', input, 'local', day, '--cache', 'cache'], { cwd })
    expect(summaryOf(local).exit).toBe(0)
    const results = existsSync(real) ? join(real, 'expected') : join(cwd, 'local')
    expected = await readFile(join(results, `${day}.csv`), 'utf8')
  }, 300_000)
  afterAll(async () => {
    await minio.stop()
    await rm(cwd, { recursive: true, force: true })
  })
  beforeEach(() => {
    round++
  })

  const at = (name: string): string => `s3://lake/${round}/${name}`
  const upload = async (ending: '.csv' | '.csv.gz'): Promise<void> => {
    for (const date of days) {
      const bytes = await readFile(join(input, `${date}.csv`))
      await io.write(`${at('logs')}/${date}${ending}`, ending === '.csv' ? bytes : gzipSync(bytes))
    }
  }
  const aggregate = (...args: string[]): Promise<Ran> => run(['aggregate', ...args], { cwd, env })

  it('makes the bucket that it may make', async () => {
    const ran = await run(['generate', 's3://fresh/logs', day], { cwd, env })
    expect(summaryOf(ran)).toMatchObject({ exit: 0, outputs: [`s3://fresh/logs/${day}.csv`] })
    const other = await run(['generate', 's3://forbidden/logs', day], {
      cwd,
      env: { ...env, S3_CREATE_BUCKET: '' },
    })
    expect(summaryOf(other)).toMatchObject({ exit: 2, error: { message: 'no such bucket: forbidden' } })
    await run(['generate', 's3://lake/x', day], { cwd, env })
  })

  it.each(['.csv', '.csv.gz'] as const)(
    'reads %s, writes and caches there: cold, warm and after damage',
    async (ending) => {
      await upload(ending)
      const args = [at('logs'), at('out'), day, '--cache', at('cache')]
      const cold = summaryOf(await aggregate(...args))
      expect(cold).toMatchObject({
        exit: 0,
        scannedDays: 7,
        cachedDays: 0,
        outputs: [`${at('out')}/${day}.csv`],
      })
      const result = async (): Promise<string> => (await io.read(`${at('out')}/${day}.csv`)).toString()
      expect(await result()).toBe(expected)
      expect(summaryOf(await aggregate(...args))).toMatchObject({ exit: 0, scannedDays: 0, cachedDays: 7 })
      expect(await result()).toBe(expected)

      // Every object of the cache but the last is damaged, in turn.
      for await (const { location } of io.list(at('cache'))) {
        if (!location.includes(day)) await io.write(location, (await io.read(location)).subarray(1))
      }
      await io.delete(`${at('out')}/${day}.csv`)
      expect(summaryOf(await aggregate(...args)).exit).toBe(0)
      expect(await result()).toBe(expected)
    },
  )

  it('only fetches what changed', async () => {
    await upload('.csv')
    const args = [at('logs'), join(cwd, `out${round}`), day, '--cache', at('cache')]
    expect(summaryOf(await aggregate(...args))).toMatchObject({ scannedDays: 7 })
    await io.write(`${at('logs')}/${day}.csv`, Buffer.from(`a,READ,${day} 00:00:00\nbad\n`))
    expect(summaryOf(await aggregate(...args))).toMatchObject({ scannedDays: 1, cachedDays: 6, rejects: 1 })
    expect(await readdir(join(cwd, `out${round}`))).toEqual(['.lakejobs', `${day}.csv`])
  })

  it('has no folder there', async () => {
    const ran = await aggregate(at('nowhere'), at('out'), day)
    expect(summaryOf(ran)).toMatchObject({ exit: 3, error: { code: 'data' } })
  })
})
