import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, run, summaryOf } from '../../support/cli.ts'
import { metricGroups, metricsText } from '../../../jobs/telemetry/metrics/gauges.ts'

const root = join(import.meta.dirname, '../../..')
let promtool: string
let cwd: string
beforeAll(async () => {
  build()
  promtool = execFileSync(join(root, 'scripts/lib/obtain/promtool'), { encoding: 'utf8' }).trim()
  cwd = await mkdtemp(join(tmpdir(), 'lakejobs-promtool-'))
}, 180_000)
afterAll(() => rm(cwd, { recursive: true, force: true }))

/** Exit and complaints. */
function tool(words: readonly string[], input = ''): [number | null, string] {
  const { status, stderr } = spawnSync(promtool, words, {
    cwd: join(root, 'docker/prometheus'),
    input,
    encoding: 'utf8',
  })
  return [status, stderr]
}

it('promtool takes what a run leaves', async () => {
  const env = { LAKEJOBS_METRICS_FILE: './lakejobs.prom' }
  summaryOf(await run(['generate', 'logs', '2024-09-16', '1', '2', '10'], { cwd, env }))
  expect(tool(['check', 'metrics'], await readFile(join(cwd, 'lakejobs.generate.prom'), 'utf8'))).toEqual([
    0,
    '',
  ])
})

it('promtool takes every gauge, of a table with any name', () => {
  const run = {
    job: 'export',
    status: 'ok',
    exit: 0,
    runId: 'r',
    startedAt: '2024-09-16T00:00:00Z',
    seconds: 1,
    stages: { read: 0.5, commit: 0.25 },
  } as const
  const table = 'a"b\\c\nd é'
  const amounts = { rows: 1e15, bytes: 0 }
  const groups = metricGroups(
    { ...run, ...amounts, rejects: 0 },
    [{ table, status: 'ok', ...amounts }],
    new Map([[table, amounts]]),
  )
  expect(groups.map(({ gauges }) => gauges.length)).toEqual([7, 5])
  for (const group of groups) expect(tool(['check', 'metrics'], metricsText(group))).toEqual([0, ''])
  expect(tool(['check', 'metrics'], 'lakejobs_rows_total{table="a"b"} 1\n')[0]).not.toBe(0)
})

it('the alert rules are well-formed, and each fires when it should and not before', () => {
  expect(tool(['check', 'rules', 'lakejobs.rules.yml'])[0]).toBe(0)
  expect(tool(['test', 'rules', 'lakejobs.rules.test.yml'])).toEqual([0, ''])
})
