import { expect, it } from '@jest/globals'
import { link, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Summary, TableSummary } from '../../../jobs/summary.ts'
import { metricGroups, metricsText } from '../../../jobs/telemetry/metrics/gauges.ts'
import { metricsFile, writeMetrics } from '../../../jobs/telemetry/metrics/write-file.ts'

const summary: Summary = {
  ...{
    job: 'export',
    status: 'ok',
    exit: 0,
    runId: 'r',
    startedAt: '2024-09-16T00:00:00.000Z',
    seconds: 1.5,
  },
  ...{ stages: { read: 1.25, commit: 0 }, rows: 3, bytes: 0, rejects: 2 },
}
const group = (table: string | undefined) => ({ command: 'export', table, gauges: [] })

it('tells of the run and of the tables that are as they should be', () => {
  const statuses = ['ok', 'unchanged', 'superseded', 'skipped', 'failed'] as const
  const tables = statuses.map((status): TableSummary => ({ table: status, status }))
  const told = (of: Summary): (string | undefined)[] =>
    metricGroups(of, tables, new Map()).map(({ table }) => table)
  expect(told(summary)).toEqual([undefined, 'ok', 'unchanged'])
  expect(told({ ...summary, status: 'failed', exit: 1 })).toEqual(['ok', 'unchanged'])
  expect(told({ ...summary, status: 'skipped', exit: 99 })).toEqual(['ok', 'unchanged'])
})

it('writes each value, zero too, and none for what is not known', () => {
  const [whole, table] = metricGroups(summary, [{ table: 'a"b\\c\nd', status: 'ok' }], new Map())
  const lines = (text: string): string[] => text.split('\n').filter((line) => !line.startsWith('#'))
  expect(lines(metricsText(whole!))).toEqual([
    'lakejobs_last_success_timestamp_seconds{command="export"} 1726444801.5',
    'lakejobs_last_run_rows{command="export"} 3',
    'lakejobs_last_run_bytes{command="export"} 0',
    'lakejobs_last_run_seconds{command="export",stage="run"} 1.5',
    'lakejobs_last_run_seconds{command="export",stage="read"} 1.25',
    'lakejobs_last_run_seconds{command="export",stage="commit"} 0',
    'lakejobs_last_run_rejects{command="export"} 2',
    '',
  ])
  expect(lines(metricsText(table!))).toEqual([
    String.raw`lakejobs_last_success_timestamp_seconds{command="export",table="a\"b\\c\nd"} 1726444801.5`,
    '',
  ])
})

it('has a file of its own for each command and table, in the folder of the path', () => {
  const long = 'é'.repeat(200)
  const tables = [undefined, 'a', 'a.b', 'a/b', '../a', 'a%2Fb', 'A "x"', long, `${long}2`]
  const names = tables.map((table) => metricsFile('m/lake.prom', group(table)))
  expect(names.slice(0, 4)).toEqual([
    ...['m/lake.export.prom', 'm/lake.export.a.prom', 'm/lake.export.a.b.prom', 'm/lake.export.a%2Fb.prom'],
  ])
  expect(new Set(names).size).toBe(names.length)
  for (const name of names) {
    expect(name).toMatch(/^m\/[^/]+\.prom$/)
    expect(Buffer.byteLength(name)).toBeLessThan(220)
  }
  expect(metricsFile('m/lake', group('a'))).toBe('m/lake.export.a.prom')
})

it('replaces a file, whole: who has the old one open reads the old one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lakejobs-metrics-'))
  const path = join(folder, 'new/lake.prom')
  const [before, after] = [1, 2].map((rows) => metricGroups({ ...summary, rows }, [], new Map())[0]!)
  await writeMetrics(path, before!)
  await link(metricsFile(path, before!), join(folder, 'old'))
  await writeMetrics(path, after!)
  expect(await readFile(join(folder, 'old'), 'utf8')).toBe(metricsText(before!))
  expect(await readFile(metricsFile(path, after!), 'utf8')).toBe(metricsText(after!))
  expect(await readdir(join(folder, 'new'))).toEqual(['lake.export.prom'])
  await rm(folder, { recursive: true })
})
