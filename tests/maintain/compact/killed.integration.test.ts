import { describe, expect, it } from '@jest/globals'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { eachWithDatabase } from '../../commands/each-with-database.ts'
import { run, start, summaryOf, type Ran } from '../../support/cli.ts'

const { place } = eachWithDatabase()

const lakejobs = (...words: string[]): Promise<Ran> => run(words, { cwd: place.cwd, env: place.env })
const pointer = async (): Promise<string> =>
  String((await place.query('SELECT metadata_location AS at FROM iceberg_tables'))[0]?.['at'])
const dataFolder = async (): Promise<string> =>
  `${(await pointer()).replace(/^file:\/\/|\/metadata\/.*/g, '')}/data`
const namesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
const isData = (name: string): boolean => name.endsWith('.parquet') && !name.startsWith('.')

/** What one commit of compaction puts together at most. */
const batch = 64
const [days, filesADay, rowsAFile] = [150, 5, 40]

async function fill(): Promise<void> {
  const rows = filesADay * rowsAFile
  await place.query(`
    CREATE TABLE web_logs (timestamp timestamptz, user_id int, url text);
    INSERT INTO web_logs SELECT timestamptz '2024-03-01 00:00+00' + d * interval '1 day' + i * interval '1 minute', i, md5(i::text)
                         FROM generate_series(0, ${days - 1}) d, generate_series(0, ${rows - 1}) i;
    ANALYZE web_logs`)
  const words = ['--mode', 'full', '--partition-by', 'day(timestamp)', '--format', 'iceberg']
  const small = ['--target-file-size', '1KB', '--row-group-rows', String(rowsAFile)]
  expect((await lakejobs('export', ...words, ...small)).exit).toBe(0)
}

/** Ends a compaction when it has committed its first batch and written files of the second. */
async function endedInTheMiddle(
  signal: NodeJS.Signals,
  scratch: string,
): Promise<{ readonly ran: Ran; readonly before: number }> {
  const [folder, first] = [await dataFolder(), await pointer()]
  const before = namesBelow(folder).filter(isData).length
  const words = ['maintain', 'compact', '--table', 'default.web_logs', '--scratch', scratch]
  const { child, ended } = start(words, { cwd: place.cwd, env: place.env })
  while ((await pointer()) === first) await sleep(5)
  while (namesBelow(folder).filter(isData).length < before + batch + 3) await sleep(5)
  child.kill(signal)
  return { ran: await ended, before }
}

const rewritten = (ran: Ran) => summaryOf(ran).tables?.[0]?.maintained?.rewritten
const verified = async (): Promise<unknown> =>
  summaryOf(await lakejobs('verify', '--against', 'source', '--strict'))
const allRows = { exit: 0, rows: days * filesADay * rowsAFile }

describe('lakejobs maintain compact, ended in the middle of a table', () => {
  it('by SIGKILL: no row changes, what was committed is not done again, and orphans finds the rest', async () => {
    await fill()
    const scratch = join(place.cwd, 'scratch')
    mkdirSync(scratch)
    const { ran, before } = await endedInTheMiddle('SIGKILL', scratch)
    expect(ran.signal).toBe('SIGKILL')
    expect(await verified()).toMatchObject(allRows)
    const left = namesBelow(await dataFolder()).filter(isData).length - before - batch
    expect(left).toBeGreaterThanOrEqual(3)

    const rest = days - batch
    const again = await lakejobs('maintain', 'compact', '--scratch', scratch)
    expect(rewritten(again)).toMatchObject({
      from: { files: rest * filesADay },
      to: { files: rest },
      commits: 2,
    })
    expect(await verified()).toMatchObject(allRows)
    expect(
      readdirSync(scratch, { recursive: true }).filter((name) => String(name).includes('rows-')),
    ).toEqual([])

    const young = ['--orphan-age', '0', '--allow-young-orphans', '--max-orphans', '100%']
    const orphans = await lakejobs('maintain', 'orphans', '--delete', ...young)
    expect(summaryOf(orphans).tables![0]!.maintained!.files).toMatchObject([
      { kind: 'data', freed: { files: left } },
      ...['manifest', 'manifest-list', 'metadata', 'version-hint'].map((kind) => ({ kind })),
    ])
    const names = namesBelow(await dataFolder())
    expect(names.filter(isData)).toHaveLength(before + days)
    expect(names.filter((name) => !isData(name))).toEqual([])
    expect(await verified()).toMatchObject(allRows)
  }, 300_000)

  it('by Ctrl-C: exit 130, and nothing of the batch that was under way is left', async () => {
    await fill()
    const scratch = join(place.cwd, 'scratch')
    mkdirSync(scratch)
    const { ran, before } = await endedInTheMiddle('SIGINT', scratch)
    expect(ran.exit).toBe(130)
    const names = namesBelow(await dataFolder())
    expect(names.filter(isData)).toHaveLength(before + batch)
    expect(names.filter((name) => !isData(name))).toEqual([])
    expect(readdirSync(scratch)).toEqual([])
    expect(await verified()).toMatchObject(allRows)
    const rest = days - batch
    expect(rewritten(await lakejobs('maintain', 'compact'))).toMatchObject({
      from: { files: rest * filesADay },
      to: { files: rest },
    })
    expect(await verified()).toMatchObject(allRows)
  }, 300_000)
})
