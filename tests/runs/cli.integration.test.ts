import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { commands } from '../../jobs/commands/index.ts'
import type { ChoiceOption } from '../../jobs/options/options.ts'
import { parseRun, type Run } from '../../jobs/summary.ts'
import { build, run, start, summaryOf, type Ran } from '../support/cli.ts'

let cwd: string
beforeAll(build)
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'lakejobs-runs-'))
})
afterEach(() => rm(cwd, { recursive: true, force: true }))

const env = { WAREHOUSE: './lake/iceberg' }
const lakejobs = (words: readonly string[], more: Readonly<Record<string, string>> = env): Promise<Ran> =>
  run(words, { cwd, env: more })

/** Every run that was left in a folder; a file of another form would be none. */
async function left(folder = 'lake/runs'): Promise<Run[]> {
  const names = await readdir(join(cwd, folder), { recursive: true }).catch(() => [])
  const texts = names
    .filter((name) => name.endsWith('.json'))
    .map((name) => readFile(join(cwd, folder, name), 'utf8'))
  return (await Promise.all(texts)).map((text) => parseRun(JSON.parse(text))!)
}
const generate = ['generate', 'logs', '2024-09-16', '1', '2', '10']

it('a run leaves its summary as it printed it, with the task of Airflow, and `runs` tells it', async () => {
  const airflow = {
    ...{ AIRFLOW_CTX_DAG_ID: 'd', AIRFLOW_CTX_TASK_ID: 't', AIRFLOW_CTX_DAG_RUN_ID: 'manual__1' },
    ...{
      AIRFLOW_CTX_TRY_NUMBER: '2',
      AIRFLOW_CTX_MAP_INDEX: '-1',
      AIRFLOW_CTX_LOG_URL: 'http://a/log?try=2',
    },
  }
  const summary = summaryOf(await lakejobs(generate, { ...env, ...airflow }))
  const { job, runId, startedAt } = summary
  const path = join(cwd, 'lake/runs', job, startedAt.slice(0, 10), `${runId}.json`)
  expect(JSON.parse(await readFile(path, 'utf8'))).toEqual({
    ...summary,
    airflow: { dag: 'd', task: 't', run: 'manual__1', try: 2, log: 'http://a/log?try=2' },
  })
  const { stdout } = await lakejobs(['runs', '--json'])
  expect(JSON.parse(stdout)).toEqual({ runs: [JSON.parse(await readFile(path, 'utf8'))] })
  expect((await lakejobs(['runs'])).stdout).toMatch(
    /^began \(UTC\) .*\n[\d-]+ [\d:]+ {2}generate .* ok .*\n$/,
  )
  expect(await left()).toHaveLength(1)
})

it('a failure leaves its field, message and fix, and no secret', async () => {
  const secret = 'canary-of-a-password'
  const wrong = { ...env, POSTGRES_PASSWORD: secret, POSTGRES_PORT: 'none', LAKEJOBS_MAX_SHRINK: '' }
  const exports = summaryOf(await lakejobs(['export', '--table', 'public.t'], wrong))
  expect(exports).toMatchObject({ exit: 2, error: { field: 'POSTGRES_PORT' } })
  // An option's value that is wrong: the job itself has not begun.
  const typo = summaryOf(await lakejobs(['export', '--max-shrink', secret], wrong))
  expect(typo.error?.message).toContain(secret)
  const runs = await left()
  expect(runs).toHaveLength(2)
  expect(runs).toContainEqual(exports)
  expect(JSON.stringify(runs)).not.toContain(secret)
  expect(runs.map(({ error }) => error?.fix)).not.toContain(undefined)
  const shown = await lakejobs(['runs', '--failed'])
  expect(shown.stdout.match(/failed \(2\)/g)).toHaveLength(2)
  expect(shown.stdout).toContain('POSTGRES_PORT')
})

it('what only looks, a dry run and a command line that is none leave nothing', async () => {
  for (const words of [
    ['--help'],
    ['export', '--help'],
    ['export', '--dry-run'],
    ['export', '--dry-run', '--mode', 'nonsense'],
    ['export', '--no-such-flag'],
    ['maintain', 'expire', '--dry-run'],
    ['sql', 'select 1'],
    ['inspect'],
    ['config'],
    ['runs'],
    ['discover'],
    ['check'],
    ['check', '--fresh', '26h'],
  ])
    await lakejobs(words)
  expect(await left()).toEqual([])
  expect((await lakejobs(['runs'])).stdout).toMatch(/^no run since \d{4}-\d\d-\d\d\n$/)
})

it('verify, maintain and seed leave theirs; init makes the place and leaves none', async () => {
  for (const words of [['verify'], ['maintain', 'expire'], ['maintain', 'list'], ['init'], ['seed']])
    expect((await lakejobs(words, { ...env, ICEBERG_POSTGRES_PORT: '1', POSTGRES_PORT: '1' })).exit).not.toBe(
      0,
    )
  expect((await left()).map(({ job }) => job).sort()).toEqual(['maintain', 'maintain', 'seed', 'verify'])
})

it.each(['SIGTERM', 'SIGINT'] as const)('%s leaves one, SIGKILL none', async (signal) => {
  const long = ['generate', 'logs', '2024-09-10', '1000', '10', '1000000']
  for (const name of [signal, 'SIGKILL'] as const) {
    await rm(join(cwd, 'logs'), { recursive: true, force: true })
    const running = start(long, { cwd, env })
    while (!(await readdir(join(cwd, 'logs')).catch(() => [])).some((file) => file.endsWith('.csv')))
      await sleep(10)
    running.child.kill(name)
    await running.ended
  }
  const error = { code: 'interrupted', message: `stopped by ${signal}` }
  expect(await left()).toEqual([expect.objectContaining({ status: 'failed', error })])
})

describe('without a warehouse', () => {
  const aggregate = ['aggregate', 'logs', 'out', '2024-09-16', '--missing-days', 'ignore']

  it('an aggregate leaves it beside its results, where they are by its own flag or by the setting', async () => {
    await lakejobs(generate)
    summaryOf(await lakejobs(aggregate, {}))
    expect(await left('out/.lakejobs/runs')).toMatchObject([{ job: 'aggregate', exit: 0 }])
    expect((await lakejobs(['runs'], { CRUD_OUTPUT: './out' })).stdout).toMatch(/aggregate .* ok /)
    summaryOf(await lakejobs(aggregate, { WAREHOUSE: './other/iceberg' }))
    expect(await left('other/runs')).toHaveLength(1)
    summaryOf(await lakejobs(aggregate, { LAKEJOBS_RUNS: './said', WAREHOUSE: './other/iceberg' }))
    expect(await left('said')).toHaveLength(1)
    expect(await left('out/.lakejobs/runs')).toHaveLength(1)
  })
})

it('a failure makes no default folder for it, and leaves it where there is one', async () => {
  const wrong = ['aggregate', 'logs', 'out', '2024-02-30']
  expect((await lakejobs(wrong, {})).exit).toBe(2)
  expect(await readdir(cwd)).toEqual([])
  await mkdir(join(cwd, 'out/.lakejobs/runs'), { recursive: true })
  expect((await lakejobs(wrong, {})).exit).toBe(2)
  expect(await left('out/.lakejobs/runs')).toHaveLength(1)
})

describe('a place that does not take it', () => {
  it('is one warning, and the job is as good as ever', async () => {
    await writeFile(join(cwd, 'file'), '')
    const ran = await lakejobs(generate, { LAKEJOBS_RUNS: './file/runs' })
    expect(summaryOf(ran)).toMatchObject({ exit: 0 })
    expect(ran.stderr.match(/"level":"warn"/g)).toHaveLength(1)
    expect(ran.stderr).toContain(`this run's summary could not be left in file://`)
  })

  it('that is no place is one, too', async () => {
    const ran = await lakejobs(generate, { LAKEJOBS_RUNS: 'ftp://x' })
    expect(summaryOf(ran)).toMatchObject({ exit: 0 })
    expect(ran.stderr).toContain('LAKEJOBS_RUNS: ftp://x: unknown scheme')
  })

  it('a store that never answers costs 20 s at most, and 5 s after a signal', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const store = {
      LAKEJOBS_RUNS: 's3://bucket/runs',
      S3_ENDPOINT: `http://127.0.0.1:${(silent.address() as AddressInfo).port}`,
      ...{ AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'canary-secret' },
    }
    const begun = Date.now()
    const running = start(['generate', 'logs', '2024-09-10', '1000', '10', '1000000'], { cwd, env: store })
    while (!(await readdir(join(cwd, 'logs')).catch(() => [])).some((file) => file.endsWith('.csv')))
      await sleep(10)
    const signalled = Date.now()
    running.child.kill('SIGTERM')
    const [stopped, ended] = await Promise.all([running.ended, lakejobs(generate, store)])
    silent.close()
    expect([stopped.exit, ended.exit]).toEqual([143, 0])
    expect(stopped.stderr).toContain('it took longer than 5 s')
    expect(ended.stderr).toContain('it took longer than 20 s')
    expect(signalled - begun).toBeLessThan(60_000)
    expect(Date.now() - signalled).toBeLessThan(40_000)
  }, 120_000)

  const asRoot = process.getuid?.() === 0
  // Root may write anywhere.
  const asOther = asRoot ? it.skip : it
  asOther('a folder of others is one warning', async () => {
    await mkdir(join(cwd, 'lake'))
    await chmod(join(cwd, 'lake'), 0o555)
    const ran = await lakejobs(generate)
    expect([ran.exit, ran.stderr.match(/"level":"warn"/g)?.length]).toEqual([0, 1])
  })
})

it('`runs` refuses a job that there is not, and names files that are no runs', async () => {
  expect(await lakejobs(['runs', 'exprot'])).toMatchObject({ exit: 2, stdout: '' })
  const { startedAt } = summaryOf(await lakejobs(generate))
  const torn = join(
    cwd,
    'lake/runs/export',
    startedAt.slice(0, 10),
    '00000000-0000-0000-0000-000000000000.json',
  )
  await mkdir(join(torn, '..'), { recursive: true })
  await writeFile(torn, '{"torn')
  const ran = await lakejobs(['runs', '--log-format', 'json'])
  expect(ran.exit).toBe(0)
  expect(ran.stdout).toContain('generate')
  expect(ran.stderr).toContain(`${torn} is no summary of a run`)
  expect((await lakejobs(['runs', '--since', '2999-01-01'])).stdout).toBe('no run since 2999-01-01\n')
})

it('`runs` knows every job that leaves one', async () => {
  // One after the other: Jest's loader of ES modules stumbles over two at once.
  const leaving: string[] = []
  for (const { load } of Object.values(commands)) {
    const module = await load()
    if ('runsPlace' in module) leaving.push(module.command.name)
  }
  const { job } = (await commands['runs']!.load()).command.options
  expect([...(job as ChoiceOption).choices].sort()).toEqual(leaving.sort())
})
