import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { eachWithDatabase } from '../commands/each-with-database.ts'
import { freePort } from '../support/free-port.ts'
import { run, start, summaryOf, type Ran } from '../support/cli.ts'
import { receiver, type Receiver } from './support/receiver.ts'
import { validEvent, type RunEvent } from './support/valid.ts'

const { place } = eachWithDatabase()
let endpoint: Receiver
beforeEach(async () => {
  endpoint = await receiver()
})
afterEach(() => {
  endpoint.close()
})

const lakejobs = (words: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Ran> =>
  run(words, { cwd: place.cwd, env: { ...place.env, OPENLINEAGE_URL: endpoint.url, ...more } })
const events = (from = endpoint): RunEvent[] => from.received.map(({ body }) => validEvent(body))
const typesOf = (all: readonly RunEvent[]): string[] => all.map(({ eventType }) => eventType)
const generate = ['generate', 'logs', '2024-09-16', '1', '2', '10']

const parent = '0193a2f0-0000-7000-8000-000000000001'
const root = '0193a2f0-0000-7000-8000-000000000000'

it('an export and a verify send START and COMPLETE, once each, with the tables, their version and the parent run', async () => {
  await place.query('CREATE TABLE t (id int primary key, at timestamptz); INSERT INTO t VALUES (1), (2), (3)')
  const of = { OPENLINEAGE_PARENT_ID: `http://airflow/ns/d.t/${parent}`, OPENLINEAGE_NAMESPACE: 'lake' }
  const ran = await lakejobs(['export', '--table', 'public.t'], {
    ...of,
    OPENLINEAGE_ROOT_PARENT_ID: `ns/d/${root}`,
  })
  const summary = summaryOf(ran)
  const [table] = summary.tables!
  const [started, completed, ...others] = events()
  expect([started?.eventType, completed?.eventType, others]).toEqual(['START', 'COMPLETE', []])
  expect([started?.run.runId, completed?.run.runId]).toEqual([summary.runId, summary.runId])
  expect(completed?.job).toMatchObject({ namespace: 'lake', name: 'lakejobs.export.public.t' })
  expect(started?.job).toEqual(completed?.job)
  for (const event of [started, completed])
    expect(event?.run.facets['parent']).toMatchObject({
      run: { runId: parent },
      job: { namespace: 'http://airflow/ns', name: 'd.t' },
      root: { run: { runId: root }, job: { namespace: 'ns', name: 'd' } },
    })
  const { POSTGRES_PORT: port = '', POSTGRES_DB: database = '' } = place.env
  expect(completed?.inputs).toMatchObject([
    { namespace: `postgres://127.0.0.1:${port}`, name: `${database}.public.t` },
  ])
  const warehouse = join(place.cwd, 'data/lake/iceberg')
  expect(completed?.outputs).toMatchObject([
    {
      namespace: 'file',
      name: table!.metadataLocation!.replace(/^file:\/\/|\/metadata\/.*/g, ''),
      facets: {
        schema: {
          fields: [
            { name: 'id', type: 'int' },
            { name: 'at', type: 'timestamptz' },
          ],
        },
        version: { datasetVersion: table!.snapshotId },
        catalog: { framework: 'iceberg', name: 'local', warehouseUri: `file://${warehouse}` },
        symlinks: { identifiers: [{ namespace: `file/${warehouse}`, name: 'default.t', type: 'TABLE' }] },
      },
      outputFacets: { outputStatistics: { rowCount: 3 } },
    },
    { name: join(place.cwd, 'data/lake/parquet/t'), outputFacets: { outputStatistics: { rowCount: 3 } } },
  ])
  // Two formats: no size is that of one of them.
  expect(completed?.outputs[0]?.outputFacets?.['outputStatistics']).not.toHaveProperty('size')

  endpoint.received.length = 0
  summaryOf(await lakejobs(['verify', '--format', 'iceberg']))
  const [, verified] = events()
  expect(typesOf(events())).toEqual(['START', 'COMPLETE'])
  expect(verified?.run.facets).not.toHaveProperty('parent')
  expect(verified?.inputs).toMatchObject([
    { name: completed!.outputs[0]!.name, facets: { version: { datasetVersion: table!.snapshotId } } },
  ])
  expect(verified?.outputs).toEqual([])

  endpoint.received.length = 0
  summaryOf(await lakejobs(['export', '--table', 'public.t', '--format', 'iceberg']))
  const [output] = events()[1]!.outputs
  expect(output?.outputFacets?.['outputStatistics']).toMatchObject({ rowCount: 3, fileCount: 1 })
})

it('an aggregate tells its folders; what looks, dry runs and help tell nothing', async () => {
  summaryOf(await lakejobs(generate, { OPENLINEAGE_DISABLED: 'True' }))
  expect(endpoint.received).toEqual([])
  const context = {
    parent: {
      run: { runId: parent },
      job: { namespace: 'n', name: 'd.t' },
      root: { run: { runId: root }, job: { namespace: 'n', name: 'd' } },
    },
  }
  const ran = await lakejobs(['aggregate', 'logs', 'out', '2024-09-16', '--missing-days', 'ignore'], {
    OPENLINEAGE_CONTEXT: JSON.stringify(context),
    OPENLINEAGE_PARENT_ID: `other/d/${root}`,
    OPENLINEAGE_API_KEY: 'canary-key',
    OPENLINEAGE_ENDPOINT: 'other/lineage',
  })
  summaryOf(ran)
  const [, completed] = events()
  expect(typesOf(events())).toEqual(['START', 'COMPLETE'])
  expect(completed?.run.facets['parent']).toMatchObject(context.parent)
  expect(completed?.inputs).toMatchObject([{ namespace: 'file', name: join(place.cwd, 'logs') }])
  expect(completed?.outputs).toMatchObject([{ namespace: 'file', name: join(place.cwd, 'out') }])
  for (const { path, headers } of endpoint.received)
    expect([path, headers.authorization]).toEqual(['POST /other/lineage', 'Bearer canary-key'])

  endpoint.received.length = 0
  for (const words of [
    ['--help'],
    ['export', '--help'],
    ['runs'],
    ['export', '--dry-run'],
    ['sql', 'select 1'],
  ])
    await lakejobs(words)
  expect(endpoint.received).toEqual([])
})

it('seed and generate tell what they write, maintain which tables it reads and writes', async () => {
  const told = async (...words: readonly string[]): Promise<RunEvent> => {
    endpoint.received.length = 0
    const { exit, error } = summaryOf(await lakejobs(words, { DEMO_DATA: 'true' }))
    expect({ exit, error }).toEqual({ exit: 0, error: undefined })
    expect(typesOf(events())).toEqual(['START', 'COMPLETE'])
    return events()[1]!
  }
  const { POSTGRES_PORT: port = '', POSTGRES_DB: database = '' } = place.env
  const server = `postgres://127.0.0.1:${port}`
  const seeded = await told('seed', '--rows', '10', '--days', '1', '--date', '2024-09-16')
  expect([seeded.inputs, seeded.outputs]).toMatchObject([
    [],
    [{ namespace: server, name: `${database}.public.web_logs`, facets: { dataSource: { uri: server } } }],
  ])
  const demo = await told('seed', '--demo', '--append', '--rows', '10', '--days', '1', '--date', '2024-09-17')
  expect(demo.outputs.map((one) => one.name)).toEqual(
    ['public.web_logs', 'shop.customers', 'shop.orders', 'shop.order_items'].map(
      (one) => `${database}.${one}`,
    ),
  )
  const generated = await told(...generate)
  expect([generated.inputs, generated.outputs]).toMatchObject([
    [],
    [{ namespace: 'file', name: join(place.cwd, 'logs') }],
  ])
  const exported = await told('export', '--format', 'iceberg')
  const { name } = exported.outputs[0]!
  const table = {
    namespace: 'file',
    name,
    facets: { symlinks: { identifiers: [{ name: 'default.web_logs' }] } },
  }
  const all = await told('maintain', 'all')
  expect([all.inputs, all.outputs]).toMatchObject([[table], [table]])
  const compacted = await told('maintain', 'compact')
  expect([compacted.inputs, compacted.outputs]).toMatchObject([[table], [table]])
  const expired = await told('maintain', 'expire')
  expect([expired.inputs, expired.outputs]).toMatchObject([[], [table]])
  // Nothing was written: no facet says how much.
  expect(expired.outputs[0]).not.toHaveProperty('outputFacets')
  const orphans = await told('maintain', 'orphans')
  expect([orphans.inputs, orphans.outputs]).toMatchObject([[table], []])
})

it('a job that fails, or is stopped, sends FAIL once, without a secret', async () => {
  const secret = 'canary-of-a-password'
  const failed = await lakejobs(['export', '--table', 'public.none'], {
    POSTGRES_PORT: secret,
    POSTGRES_PASSWORD: secret,
  })
  expect(failed.exit).toBe(2)
  expect(typesOf(events())).toEqual(['START', 'FAIL'])
  const message = 'POSTGRES_PORT: "…" is not valid: give a port number from 1 to 65535'
  expect(events()[1]?.run.facets['errorMessage']).toMatchObject({ message })
  expect(JSON.stringify(endpoint.received)).not.toContain(secret)

  endpoint.received.length = 0
  const running = start(['generate', 'logs', '2024-09-10', '1000', '10', '1000000'], {
    cwd: place.cwd,
    env: { OPENLINEAGE_URL: endpoint.url },
  })
  while (endpoint.received.length === 0) await sleep(10)
  running.child.kill('SIGTERM')
  expect((await running.ended).exit).toBe(143)
  expect(typesOf(events())).toEqual(['START', 'FAIL'])
})

it('what is malformed is a warning each, and the events are sent without it', async () => {
  const ran = await lakejobs(generate, {
    OPENLINEAGE_CONTEXT: '{"parent":{}}',
    OPENLINEAGE_PARENT_ID: 'ns/d/7',
  })
  expect(summaryOf(ran).exit).toBe(0)
  expect(ran.stderr).toContain('OPENLINEAGE_CONTEXT is not')
  expect(ran.stderr).toContain('OPENLINEAGE_PARENT_ID: \\"ns/d/7\\" is not namespace/job/run')
  expect(typesOf(events())).toEqual(['START', 'COMPLETE'])
  for (const { run: of } of events()) expect(of.facets).not.toHaveProperty('parent')
  const wrong = await lakejobs([...generate, '--replace'], { OPENLINEAGE_URL: 'marquez:canary@host' })
  expect(summaryOf(wrong).exit).toBe(0)
  expect(wrong.stderr).toContain('OPENLINEAGE_URL is no http or https address')
  expect(wrong.stderr).not.toContain('canary')
})

describe('an endpoint that does not take it', () => {
  it.each([
    ['answers 500', 500, 2],
    ['never answers', 'never', 2],
    ['is not there', undefined, 0],
  ] as const)('%s: at most 2 s, one warning, and the exit status is the job’s', async (_, answer, times) => {
    const at = answer === undefined ? undefined : await receiver(answer)
    const url = at?.url ?? `http://127.0.0.1:${await freePort()}`
    const before = performance.now()
    summaryOf(await lakejobs(generate, { OPENLINEAGE_DISABLED: 'true' }))
    const plain = performance.now() - before
    const begun = performance.now()
    const ran = await lakejobs([...generate, '--replace'], { OPENLINEAGE_URL: url })
    const cost = performance.now() - begun - plain
    const failing = await lakejobs(generate, { OPENLINEAGE_URL: url })
    at?.close()
    expect(summaryOf(ran)).toMatchObject({ exit: 0, status: 'ok' })
    expect(summaryOf(failing)).toMatchObject({ exit: 2 })
    expect(ran.stderr.match(/OpenLineage: an event could not be sent/g)).toHaveLength(1)
    // Both events of both runs, none twice.
    expect(at?.received.length ?? 0).toBe(2 * times)
    // Beside a busy machine's own differences.
    expect(cost).toBeLessThan(2_500)
  })
})

describe('the file transport', () => {
  const path = 'lineage/events'
  const file = (append: string): Readonly<Record<string, string>> => ({
    OPENLINEAGE__TRANSPORT__TYPE: 'file',
    OPENLINEAGE__TRANSPORT__LOG_FILE_PATH: path,
    OPENLINEAGE__TRANSPORT__APPEND: append,
  })

  it('is a line an event, or a file each', async () => {
    const folder = join(place.cwd, 'lineage')
    mkdirSync(folder)
    summaryOf(await lakejobs(generate, file('true')))
    const lines = readFileSync(join(place.cwd, path), 'utf8').trimEnd().split('\n')
    expect(typesOf(lines.map(validEvent))).toEqual(['START', 'COMPLETE'])
    rmSync(join(place.cwd, path))
    summaryOf(await lakejobs([...generate, '--replace'], file('false')))
    const names = readdirSync(folder).sort()
    expect(names).toHaveLength(2)
    expect(typesOf(names.map((name) => validEvent(readFileSync(join(folder, name), 'utf8'))))).toEqual([
      'START',
      'COMPLETE',
    ])
    expect(endpoint.received).toEqual([])
  })
})
