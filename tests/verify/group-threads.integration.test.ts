import { beforeEach, expect, it } from '@jest/globals'
import { spawnSync } from 'node:child_process'
import { mkdir, open, readdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { parquetMetadataAsync } from 'hyparquet'
import { asyncBufferFromFile } from 'hyparquet/src/node.js'
import { eachWithDatabase } from '../commands/each-with-database.ts'
import type { Summary } from '../../jobs/summary.ts'
import type * as GroupThreads from '../../jobs/verify/pages/group-threads.ts'
import { build, run, start, summaryOf, type Ran, type Running } from '../support/cli.ts'

const { place } = eachWithDatabase()

/** Of 25 MB in several row groups each: threads have started before the last one is read. */
const dates = ['2024-09-01', '2024-09-02', '2024-09-03']
const days = dates.length
const rows = 360_000
const env = (): Record<string, string> => ({
  ...place.env,
  WAREHOUSE: `${place.cwd}/lake`,
  LAKEJOBS_FORMAT: 'iceberg',
  LAKEJOBS_SCRATCH: `${place.cwd}/scratch`,
  // Node tells of each thread that it starts.
  NODE_DEBUG: 'worker',
})
const verify = ['verify', '--against', 'written', '--log-level', 'warn']
const isThread = /created Worker with ID/g

/** With one processor there is one thread. */
const alone = ['taskset', '-c', '0']
const canBeAlone = spawnSync('taskset', ['-c', '0', 'true']).status === 0 && availableParallelism() > 1
const itBoth = canBeAlone ? it : it.skip

const lakejobs = (words: readonly string[], through: readonly string[] = []): Promise<Ran> =>
  run(words, { cwd: place.cwd, env: env(), through })

beforeEach(async () => {
  await mkdir(join(place.cwd, 'scratch'))
  await place.query(`
    CREATE TABLE t (id int PRIMARY KEY, at timestamptz NOT NULL, text text, price numeric(9,2));
    INSERT INTO t SELECT i, timestamptz '2024-09-01 00:00Z' + i % ${days} * interval '1 day' + i / 10 * interval '1 second',
                         CASE WHEN i % 50 > 0 THEN md5(i::text) || md5((-i)::text) END, i % 5000 / 100.0
                  FROM generate_series(1, ${rows}) i;
    ANALYZE t`)
  const flags = ['--table', 'public.t', '--mode', 'full', '--partition-by', 'day(at)', '--log-level', 'warn']
  const { exit, stderr } = await lakejobs(['export', ...flags])
  if (exit !== 0) throw new Error(stderr)
}, 120_000)

async function dataFiles(): Promise<string[]> {
  const folder = join(place.cwd, 'lake/default/t/data')
  const names = await readdir(folder, { recursive: true })
  return names
    .filter((name) => name.endsWith('.parquet'))
    .sort()
    .map((name) => join(folder, name))
}

/** What a run says of its tables, and how many threads it started. */
const told = (ran: Ran): readonly [number, Partial<Summary>] => {
  const { tables, error, rows: all, bytes, files, exit } = summaryOf(ran)
  return [ran.stderr.match(isThread)?.length ?? 0, { tables, error, rows: all, bytes, files, exit }]
}

/** Turns one bit of a text in the row group at `number` of a file. */
async function damage(path: string, number: number): Promise<void> {
  const { row_groups: groups } = await parquetMetadataAsync(await asyncBufferFromFile(path))
  const { meta_data: data } = groups
    .at(number)!
    .columns.find(({ meta_data: one }) => one?.path_in_schema[0] === 'text')!
  const middle = Number(data!.data_page_offset) + Math.floor(Number(data!.total_compressed_size) / 2)
  const handle = await open(path, 'r+')
  const bytes = Buffer.alloc(2 ** 16)
  const { bytesRead } = await handle.read(bytes, 0, bytes.length, middle)
  // Of the text itself: anything else might make the page one that cannot be read.
  const at = bytes.toString('latin1', 0, bytesRead).search(/[0-9a-f]{20}/) + 10
  expect(at).toBeGreaterThan(9)
  await handle.write(Buffer.from([bytes[at]! ^ 1]), 0, 1, middle + at)
  await handle.close()
}

itBoth(
  'several threads say what one says, without DuckDB',
  async () => {
    const files = await dataFiles()
    expect(files).toHaveLength(days)
    const groups = await Promise.all(
      files.map(
        async (path) => (await parquetMetadataAsync(await asyncBufferFromFile(path))).row_groups.length,
      ),
    )
    expect(Math.min(...groups)).toBeGreaterThan(1)
    // DuckDB would say that it has too little.
    const words = [...verify, '--memory-limit', '1MB']
    const [threads, together] = told(await lakejobs(words))
    expect(threads).toBe(Math.min(availableParallelism(), 4) - 1)
    expect(together).toMatchObject({
      exit: 0,
      rows,
      tables: [{ status: 'ok', verified: { match: days, mismatch: 0, incomplete: 0, unverified: 0 } }],
    })
    expect(told(await lakejobs(words, alone))).toEqual([0, together])
  },
  120_000,
)

itBoth(
  'a damage in any row group is found, and told as by one thread',
  async () => {
    const files = await dataFiles()
    // From behind: more and more is damaged.
    for (const [file, group] of [
      [2, -1],
      [1, 0],
      [0, 1],
    ] as const) {
      await damage(files[file]!, group)
      const [threads, together] = told(await lakejobs(verify))
      expect(threads).toBeGreaterThan(0)
      const found = together.tables?.[0]?.verified?.intervals.map(
        ({ interval, result }) => `${interval} ${result}`,
      )
      expect(found?.sort()).toEqual(dates.map((date, at) => `${date} ${at < file ? 'match' : 'mismatch'}`))
      expect(together.exit).toBe(3)
      expect(told(await lakejobs(verify, alone))).toEqual([0, together])
    }
  },
  120_000,
)

it('a thread that has started is given row groups, and says of them what this one says', async () => {
  if (availableParallelism() === 1) return
  build()
  const threads = join(import.meta.dirname, '../../dist/modules/verify/pages/group-threads.js')
  const { groupHasher } = (await import(threads)) as typeof GroupThreads
  const hasher = groupHasher(new AbortController().signal)
  try {
    const columns = { types: [], mixed: 0 }
    const hashed: unknown[] = []
    // What is given to a thread is no longer here.
    for (let isHere = true; isHere;) {
      await setTimeout(10)
      const bytes = hasher.room(8)
      hashed.push(await hasher.hash(columns, { group: { rows: 3, chunks: [] }, bytes, offset: 0 }, false))
      isHere = bytes.length > 0
    }
    const [own] = hashed
    expect(own).toMatchObject({ rows: 3 })
    expect(hashed.at(-1)).toEqual(own)
    // Nothing has been given before a thread was there.
    expect(hashed.length).toBeGreaterThan(1)
  } finally {
    await hasher.close()
  }
}, 60_000)

it('Ctrl-C while threads hash is exit 130, and leaves nothing', async () => {
  if (availableParallelism() === 1) return
  const running: Running = start(verify, { cwd: place.cwd, env: env() })
  running.child.stderr!.on('data', (text: string) => {
    if (text.match(isThread)) running.child.kill('SIGINT')
  })
  const ran = await running.ended
  expect(summaryOf(ran)).toMatchObject({ exit: 130, status: 'failed', error: { code: 'interrupted' } })
  expect(await readdir(join(place.cwd, 'scratch'))).toEqual([])
}, 60_000)
