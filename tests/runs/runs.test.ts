import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addDays, dayOf } from '../../jobs/calendar.ts'
import { leaveRun, pruneRuns } from '../../jobs/runs/leave-run.ts'
import { readRuns } from '../../jobs/runs/read-runs.ts'
import type { FileIO } from '../../jobs/storage/file-io.ts'
import { localFileIO } from '../../jobs/storage/local/local.ts'
import { memoryFileIO } from '../../jobs/storage/memory.ts'
import { parseRun, type Run } from '../../jobs/summary.ts'

const now = new Date('2024-09-15T07:00:00.000Z')
const run = (startedAt: string, more: Partial<Run> = {}): Run => ({
  job: 'export',
  status: 'ok',
  exit: 0,
  runId: randomUUID(),
  startedAt,
  seconds: 1,
  ...more,
})

let root: string
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'lakejobs-runs-'))
})
afterEach(() => rm(root, { recursive: true, force: true }))

const stores: readonly (readonly [string, () => { readonly io: FileIO; readonly folder: string }])[] = [
  ['a folder', () => ({ io: localFileIO(), folder: `file://${root}/runs` })],
  ['a store', () => ({ io: memoryFileIO(() => now), folder: 'memory://lake/runs' })],
]

describe.each(stores)('runs in %s', (_, open) => {
  it('are read again, since a day and of a job, oldest first', async () => {
    const { io, folder } = open()
    const runs = [
      run('2024-09-13T08:00:00.000Z'),
      run('2024-09-14T08:00:00.000Z', { job: 'verify' }),
      run('2024-09-15T06:00:00.000Z', { airflow: { dag: 'd', task: 't', run: 'r', try: 2 } }),
      run('2024-09-15T07:00:00.000Z', { status: 'failed', exit: 3, error: { code: 'data', message: 'm' } }),
    ] as const
    for (const one of [...runs].reverse()) await leaveRun(io, folder, one)
    const since = async (day: string, job?: string): Promise<readonly Run[]> =>
      (await readRuns(io, folder, { since: day, job }, parseRun)).runs
    expect(await since('2024-09-13')).toEqual(runs)
    expect(await since('2024-09-14')).toEqual(runs.slice(1))
    expect(await since('2024-01-01', 'verify')).toEqual([runs[1]])
    expect(await since('2024-09-16')).toEqual([])
    expect(await since('2024-01-01', 'aggregate')).toEqual([])
  })

  it('go 90 days after they began, of their own job alone, and nothing that others have there', async () => {
    const { io, folder } = open()
    const [first, last] = [addDays(dayOf(now), -91), addDays(dayOf(now), -90)]
    const old = run(`${first}T23:59:59.000Z`)
    const kept = run(`${last}T00:00:00.000Z`)
    const other = run(`${first}T07:00:00.000Z`, { job: 'verify' })
    for (const one of [old, kept, other]) await leaveRun(io, folder, one)
    await leaveRun(io, folder, run('2023-01-01T07:00:00.000Z'))
    await io.write(`${folder}/export/${first}/notes.json`, Buffer.from('{}'))
    await io.write(`${folder}/export/notes/${randomUUID()}.json`, Buffer.from('{}'))
    await pruneRuns(io, folder, 'export', now)
    expect((await readRuns(io, folder, { since: '0001-01-01' }, parseRun)).runs).toEqual([other, kept])
    expect(await io.stat(`${folder}/export/${first}/notes.json`)).toBeDefined()
    await pruneRuns(io, folder, 'export', now)
  })

  it('that are torn, of another form, in the wrong place or too large are told; foreign names are passed over', async () => {
    const { io, folder } = open()
    const good = run('2024-09-15T06:00:00.000Z')
    await leaveRun(io, folder, good)
    const at = `${folder}/export/2024-09-15`
    const names = Array.from({ length: 4 }, () => `${at}/${randomUUID()}.json`)
    await io.write(names[0]!, Buffer.from('{"torn'))
    await io.write(names[1]!, Buffer.from('{"job":"export"}'))
    await io.write(names[2]!, Buffer.from(JSON.stringify(good)))
    const large = { ...good, runId: names[3]!.slice(-41, -5) }
    await io.write(names[3]!, Buffer.from(JSON.stringify(large).padEnd(5 * 2 ** 20)))
    for (const foreign of ['README.md', 'x.json', '.hidden/y.json', `${randomUUID()}.json.bak`])
      await io.write(`${at}/${foreign}`, Buffer.from('{}'))
    await io.write(`${folder}/index.html`, Buffer.from('<p>'))
    expect(await readRuns(io, folder, { since: '0001-01-01' }, parseRun)).toEqual({
      runs: [good],
      unreadable: [...names].sort(),
    })
  })
})

it('what two leave at once is there whole, and what goes while somebody reads is none', async () => {
  const io = localFileIO()
  const folder = `file://${root}/runs`
  const runs = Array.from({ length: 20 }, () => run('2024-09-15T06:00:00.000Z'))
  await Promise.all([
    ...runs.map((one) => leaveRun(io, folder, one)),
    ...runs.map(() => pruneRuns(io, folder, 'export', now).catch(() => undefined)),
  ])
  expect((await readRuns(io, folder, { since: '2024-09-15' }, parseRun)).runs).toHaveLength(20)
  const vanishing: FileIO = {
    ...io,
    async read(location) {
      await rm(location.slice('file://'.length), { force: true })
      return io.read(location)
    },
  }
  expect(await readRuns(vanishing, folder, { since: '2024-09-15' }, parseRun)).toEqual({
    runs: [],
    unreadable: [],
  })
})

it('of a folder the days that are empty go, and links that lead round are not followed', async () => {
  const io = localFileIO()
  const folder = `file://${root}/runs`
  await leaveRun(io, folder, run('2024-01-01T06:00:00.000Z'))
  await leaveRun(io, folder, run('2024-09-15T06:00:00.000Z'))
  await mkdir(`${root}/runs/export/2024-01-02`)
  await symlink(root, `${root}/runs/export/2024-01-03`)
  await writeFile(`${root}/runs/export/2024-01-04`, 'a file')
  await pruneRuns(io, folder, 'export', now)
  expect((await readdir(`${root}/runs/export`)).sort()).toEqual(['2024-01-03', '2024-01-04', '2024-09-15'])
})

it('a store that will not list says so, and of many objects no more are looked at than 1000', async () => {
  const io = memoryFileIO(() => now)
  const folder = 'memory://lake/runs'
  for (let index = 0; index < 1100; index++) await leaveRun(io, folder, run('2024-01-01T06:00:00.000Z'))
  await pruneRuns(io, folder, 'export', now)
  expect((await readRuns(io, folder, { since: '0001-01-01' }, parseRun)).runs).toHaveLength(100)
  const denied: FileIO = {
    ...io,
    list: () => {
      throw new Error('denied')
    },
  }
  await expect(pruneRuns(denied, folder, 'export', now)).rejects.toThrow('denied')
  await expect(readRuns(denied, folder, { since: '0001-01-01' }, parseRun)).rejects.toThrow('denied')
})
