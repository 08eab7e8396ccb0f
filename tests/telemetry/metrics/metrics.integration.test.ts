import { afterEach, expect, it } from '@jest/globals'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { eachWithDatabase } from '../../commands/each-with-database.ts'
import { run, start, summaryOf, type Ran } from '../../support/cli.ts'
import { freePort } from '../../support/free-port.ts'

const { place } = eachWithDatabase()
const lake = { WAREHOUSE: './lake/iceberg', PARQUET_LOCATION: './lake/parquet' }
const inFile = { LAKEJOBS_METRICS_FILE: './metrics/lakejobs.prom' }
const lakejobs = (words: readonly string[], more: Readonly<Record<string, string>> = inFile): Promise<Ran> =>
  run(words, { cwd: place.cwd, env: { ...place.env, ...lake, ...more } })
const generate = ['generate', 'logs', '2024-09-16', '1', '2', '10']

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})
async function serve(listener: RequestListener): Promise<string> {
  server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const files = async (): Promise<string[]> =>
  (await readdir(join(place.cwd, 'metrics')).catch(() => [])).sort()
const text = (name: string): Promise<string> => readFile(join(place.cwd, 'metrics', name), 'utf8')
/** Name and labels to value. */
const valuesOf = (metrics: string): Record<string, number> =>
  Object.fromEntries(
    metrics
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )
const warnings = ({ stderr }: Ran): number => stderr.match(/"level":"warn"/g)?.length ?? 0

it('an export leaves a file for itself and one for each table, with what its summary and the lake say', async () => {
  // More than the summary lists.
  const names = Array.from({ length: 22 }, (_, at) => `t${String(at + 10)}`)
  for (const name of names)
    await place.query(`CREATE TABLE ${name} AS SELECT i FROM generate_series(1, ${name.slice(1)}) AS i`)
  expect((await lakejobs(['init'])).exit).toBe(0)
  expect((await lakejobs(['export', '--table', 'public.t*', '--dry-run'])).exit).toBe(0)
  expect(await files()).toEqual([])
  const summary = summaryOf(await lakejobs(['export', '--table', 'public.t*']))
  const { startedAt, seconds, stages = {}, rows, bytes, tables } = summary
  const stem = tables![0]!.table.replace(/t\d\d$/, '')
  expect(await files()).toEqual(
    ['lakejobs.export.prom', ...names.map((name) => `lakejobs.export.${stem}${name}.prom`)].sort(),
  )
  const ended = Date.parse(startedAt) / 1000 + seconds
  expect(valuesOf(await text('lakejobs.export.prom'))).toEqual({
    'lakejobs_last_success_timestamp_seconds{command="export"}': ended,
    'lakejobs_last_run_rows{command="export"}': rows,
    'lakejobs_last_run_bytes{command="export"}': bytes,
    'lakejobs_last_run_seconds{command="export",stage="run"}': seconds,
    'lakejobs_last_run_seconds{command="export",stage="plan"}': stages['plan'],
    'lakejobs_last_run_seconds{command="export",stage="read"}': stages['read'],
    'lakejobs_last_run_seconds{command="export",stage="commit"}': stages['commit'],
  })
  expect(Object.keys(stages)).toEqual(['plan', 'read', 'commit'])
  expect(Object.values(stages).every((of) => of > 0)).toBe(true)
  // One table is read while another one is committed; what is at one stage at once counts once.
  expect(Math.max(...Object.values(stages))).toBeLessThan(seconds + 0.003)
  const labels = `{command="export",table="${stem}t12"}`
  const data = (await readdir(join(place.cwd, 'lake/iceberg'), { recursive: true })).filter((name) =>
    /t12\/data\/.*\.parquet$/.test(name),
  )
  const sizes = await Promise.all(
    data.map(async (name) => (await readFile(join(place.cwd, 'lake/iceberg', name))).length),
  )
  expect(valuesOf(await text(`lakejobs.export.${stem}t12.prom`))).toEqual({
    [`lakejobs_last_success_timestamp_seconds${labels}`]: ended,
    [`lakejobs_last_run_rows${labels}`]: 12,
    [`lakejobs_last_run_bytes${labels}`]: tables!.find(({ table }) => table === `${stem}t12`)!.bytes,
    [`lakejobs_lake_rows${labels}`]: 12,
    [`lakejobs_lake_bytes${labels}`]: sizes.reduce((sum, size) => sum + size, 0),
  })
  // Of one table the stages follow each other; what is rounded up aside.
  const { stages: ofOne = {}, seconds: one } = summaryOf(
    await lakejobs(['export', '--table', 'public.t12', '--force']),
  )
  expect(Object.keys(ofOne)).toEqual(['plan', 'read', 'commit'])
  expect(Object.values(ofOne).reduce((sum, of) => sum + of, 0)).toBeLessThan(one + 0.003)
})

it('its flags may stand before the command, as those of the log', async () => {
  const { exit } = summaryOf(await lakejobs(['--metrics-file', 'metrics/own.prom', ...generate], {}))
  expect([exit, await files()]).toEqual([0, ['own.generate.prom']])
})

it('tables of which the file says dry-run are none that were exported', async () => {
  await place.query('CREATE TABLE a AS SELECT 1 AS i; CREATE TABLE b AS SELECT 1 AS i')
  expect((await lakejobs(['init'])).exit).toBe(0)
  const write = (tables: string): Promise<void> =>
    writeFile(join(place.cwd, 'lakejobs.yaml'), `version: 1\ntables: { ${tables} }\n`)
  await write('a: { dry-run: true }')
  expect((await lakejobs(['export'])).exit).toBe(0)
  expect(await files()).toEqual([])
  expect((await lakejobs(['runs'])).stdout).toContain('no run since')
  await write('a: { dry-run: true }, b: {}')
  expect((await lakejobs(['export'])).exit).toBe(0)
  expect(await files()).toEqual(['lakejobs.export.default.b.prom', 'lakejobs.export.prom'])
})

it('verify, maintain all and aggregate tell how long they were at what', async () => {
  await place.query('CREATE TABLE t AS SELECT 1 AS i')
  expect((await lakejobs(['init'])).exit).toBe(0)
  for (const words of [['export', '--table', 'public.t'], generate]) summaryOf(await lakejobs(words))
  const stagesOf = async (...words: readonly string[]): Promise<string[]> => {
    const { job, exit } = summaryOf(await lakejobs(words))
    expect(exit).toBe(0)
    const of = `lakejobs_last_run_seconds{command="${job}",stage="`
    const names = Object.keys(valuesOf(await text(`lakejobs.${job}.prom`)))
    return names.flatMap((name) => (name.startsWith(of) ? name.slice(of.length, -'"}'.length) : []))
  }
  expect(await stagesOf('verify')).toEqual(['run', 'plan', 'source', 'lake'])
  expect(await stagesOf('verify', '--against', 'written')).toEqual(['run', 'plan', 'lake'])
  expect(await stagesOf('maintain', 'all')).toEqual(['run', 'compact', 'expire', 'orphans'])
  const aggregate = ['aggregate', 'logs', 'out', '2024-09-16', '--missing-days', 'ignore']
  expect(await stagesOf(...aggregate)).toEqual(['run', 'count', 'publish'])
})

it('a table that fails leaves its last good file, another gets a new one; so does the run', async () => {
  await place.query('CREATE TABLE a AS SELECT 1 AS i')
  await place.query('CREATE TABLE b AS SELECT 1 AS i')
  const words = ['export', '--table', 'public.a,public.b']
  expect((await lakejobs(['init'])).exit).toBe(0)
  const stem = summaryOf(await lakejobs(words)).tables![0]!.table.slice(0, -1)
  const name = (of: string): string => `lakejobs.export.${of === '' ? '' : `${stem}${of}.`}prom`
  const [whole, a, b] = [await text(name('')), await text(name('a')), await text(name('b'))]
  await place.query('DELETE FROM a')
  await place.query('INSERT INTO b VALUES (2)')
  expect(summaryOf(await lakejobs(words))).toMatchObject({ status: 'failed' })
  expect([await text(name('')), await text(name('a'))]).toEqual([whole, a])
  expect(await text(name('b'))).not.toBe(b)
  expect(valuesOf(await text(name('b')))).toMatchObject({
    [`lakejobs_lake_rows{command="export",table="${stem}b"}`]: 2,
  })
})

it.each(['SIGTERM', 'SIGKILL'] as const)('%s leaves the last good file', async (signal) => {
  summaryOf(await lakejobs(generate))
  const good = await text('lakejobs.generate.prom')
  expect(good).toContain('lakejobs_last_success_timestamp_seconds{command="generate"} ')
  const long = ['generate', 'more', '2024-09-10', '1000', '10', '1000000']
  const running = start(long, { cwd: place.cwd, env: { ...place.env, ...lake, ...inFile } })
  while ((await readdir(join(place.cwd, 'more')).catch(() => [])).length === 0) await sleep(10)
  running.child.kill(signal)
  await running.ended
  expect(await text('lakejobs.generate.prom')).toBe(good)
  expect(await files()).toEqual(['lakejobs.generate.prom'])
})

it('a Pushgateway gets the group of the command, with user and password', async () => {
  const asked: Pick<IncomingMessage, 'method' | 'url' | 'headers'>[] = []
  let body = ''
  const host = await serve((request, response) => {
    asked.push(request)
    request.setEncoding('utf8').on('data', (part: string) => (body += part))
    request.on('end', () => response.writeHead(200).end())
  })
  const ran = await lakejobs(generate, { LAKEJOBS_METRICS_PUSH: `http://me:p%40ss@${host}/gate/` })
  const { startedAt, seconds } = summaryOf(ran)
  expect(asked).toHaveLength(1)
  expect(asked[0]).toMatchObject({
    method: 'PUT',
    url: '/gate/metrics/job/lakejobs/command@base64/Z2VuZXJhdGU',
    headers: { authorization: `Basic ${Buffer.from('me:p@ss').toString('base64')}` },
  })
  expect(valuesOf(body)).toMatchObject({
    'lakejobs_last_success_timestamp_seconds{command="generate"}': Date.parse(startedAt) / 1000 + seconds,
  })
  expect(warnings(ran)).toBe(0)
})

it.each([
  ['dead', undefined, 'ECONNREFUSED'],
  ['slow', () => undefined, 'it takes too long'],
  ['broken', (_, response) => response.writeHead(500).end('no canary'), 'it answered 500 no canary'],
] satisfies [string, RequestListener | undefined, string][])(
  'a gateway that is %s is one warning and 2 s at most',
  async (_, listener, reason) => {
    const host = listener === undefined ? `127.0.0.1:${await freePort()}` : await serve(listener)
    const ran = await lakejobs(generate, {
      ...inFile,
      LAKEJOBS_METRICS_PUSH: `http://me:canary-password@${host}`,
    })
    const { exit, startedAt, seconds } = summaryOf(ran)
    // Half a second for a busy machine.
    expect(Date.now() - Date.parse(startedAt) - seconds * 1000).toBeLessThan(2500)
    expect([exit, warnings(ran)]).toEqual([0, 1])
    expect(ran.stderr).toContain(reason)
    expect(ran.stderr + ran.stdout).not.toContain('canary-password')
    expect(await files()).toEqual(['lakejobs.generate.prom'])
  },
)

it.each([
  [{ LAKEJOBS_METRICS_FILE: './file/lakejobs.prom' }, 'metrics could not be written to ./file/lakejobs.prom'],
  [{ LAKEJOBS_METRICS_PUSH: 'pushgateway:9091' }, 'LAKEJOBS_METRICS_PUSH is no http or https address'],
])('a place that is none is one warning: %j', async (env, said) => {
  await writeFile(join(place.cwd, 'file'), '')
  const ran = await lakejobs(generate, env)
  expect([summaryOf(ran).exit, warnings(ran)]).toEqual([0, 1])
  expect(ran.stderr).toContain(said)
})
