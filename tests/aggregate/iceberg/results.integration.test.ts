import { beforeEach, describe, expect, it } from '@jest/globals'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eachWithDatabase } from '../../commands/each-with-database.ts'
import { run, summaryOf, type Ran } from '../../support/cli.ts'

const { place } = eachWithDatabase()

const lakejobs = (...words: string[]): Promise<Ran> => run(words, { cwd: place.cwd, env: place.env })
const aggregate = (day: string, ...words: string[]): Promise<Ran> =>
  lakejobs('aggregate', day, '--missing-days', 'ignore', '--iceberg', 'crud_weekly', ...words)

const logs = 'data/crud/input'
const log = (day: string, ...rows: string[]): void => {
  const lines = rows.map((one) => `${one},${day} 12:00:00\n`)
  writeFileSync(join(place.cwd, logs, `${day}.csv`), lines.join(''))
}
const result = (day: string): string => readFileSync(join(place.cwd, `data/crud/output/${day}.csv`), 'utf8')

/** What the table has of a day, as the day's result would be written. */
async function inTable(day: string): Promise<string> {
  const counts = 'email, create_count, read_count, update_count, delete_count'
  const sql = `SELECT ${counts} FROM default.crud_weekly WHERE window_end = DATE '${day}' AND days = 7 ORDER BY encode(email)`
  return (await lakejobs('sql', sql, '--csv')).stdout
}
async function tableFolder(): Promise<string> {
  const [row] = await place.query('SELECT metadata_location AS at FROM iceberg_tables')
  return String(row?.['at']).replace(/^file:\/\/|\/metadata\/.*/g, '')
}
/** The paths of the table's data files, whether a snapshot has them or not. */
async function dataFiles(): Promise<string[]> {
  const folder = await tableFolder()
  const names = readdirSync(`${folder}/data`, { recursive: true }).map(String)
  return names.filter((name) => name.endsWith('.parquet')).map((name) => `${folder}/data/${name}`)
}
const snapshots = async (): Promise<number> => {
  const { stdout } = await lakejobs('inspect', 'crud_weekly', '--json')
  return (JSON.parse(stdout) as { tables: [{ snapshots: { count: number } }] }).tables[0].snapshots.count
}

beforeEach(() => {
  mkdirSync(join(place.cwd, logs), { recursive: true })
  log('2024-09-14', 'ann@x.org,CREATE', 'ann@x.org,READ', '"a,""b""@x.org",DELETE')
  log('2024-09-15', 'ann@x.org,UPDATE', 'zoë@x.org,READ', 'zoë@x.org,READ')
})

describe('lakejobs aggregate --iceberg', () => {
  it('puts each result under its day, and nothing where it is there', async () => {
    const first = await aggregate('2024-09-15')
    expect(first).toMatchObject({ exit: 0 })
    const [table] = summaryOf(first).tables ?? []
    expect(table).toMatchObject({
      table: 'default.crud_weekly',
      status: 'ok',
      mode: 'day',
      rows: 3,
      files: 1,
    })
    expect(await inTable('2024-09-15')).toBe(result('2024-09-15'))

    const again = summaryOf(await aggregate('2024-09-15'))
    expect(again).toMatchObject({ status: 'ok', tables: [{ status: 'unchanged', rows: 0 }] })
    expect(await dataFiles()).toHaveLength(1)

    log('2024-09-16', 'bob@x.org,CREATE')
    expect(summaryOf(await aggregate('2024-09-16'))).toMatchObject({ tables: [{ status: 'ok', rows: 4 }] })
    for (const day of ['2024-09-15', '2024-09-16']) expect(await inTable(day)).toBe(result(day))
    expect(await lakejobs('verify', 'crud_weekly')).toMatchObject({ exit: 0 })
    const verified = summaryOf(await lakejobs('verify', 'crud_weekly', '--strict')).tables?.[0]?.verified
    expect(verified).toMatchObject({ match: 2, changed: 0, unverified: 0 })
  })

  it('replaces the days of a corrected log, and of a backfill in one snapshot', async () => {
    const days = ['--from', '2024-09-14', '--to', '2024-09-16']
    const backfill = ['aggregate', ...days, '--missing-days', 'ignore', '--iceberg', 'default.crud_weekly']
    expect(summaryOf(await lakejobs(...backfill))).toMatchObject({ tables: [{ rows: 8, files: 3 }] })
    expect(await snapshots()).toBe(1)
    log('2024-09-15', 'only@x.org,READ')
    expect(summaryOf(await lakejobs(...backfill))).toMatchObject({
      tables: [{ status: 'ok', rows: 6, files: 2 }],
    })
    for (const day of ['2024-09-14', '2024-09-15', '2024-09-16']) expect(await inTable(day)).toBe(result(day))
    expect(await snapshots()).toBe(2)
  })

  it('has with --refresh what a run had refreshed that failed between the files of results and the table', async () => {
    for (const day of ['2024-09-15', '2024-09-16']) await aggregate(day)
    log('2024-09-14', 'late@x.org,CREATE')
    const data = `${await tableFolder()}/data`
    renameSync(data, `${data}.aside`)
    writeFileSync(data, '')
    expect(await aggregate('2024-09-16', '--refresh')).toMatchObject({ exit: 1 })
    rmSync(data)
    renameSync(`${data}.aside`, data)
    expect(result('2024-09-15')).toContain('late@x.org')

    expect(summaryOf(await aggregate('2024-09-16', '--refresh')).refreshed).toEqual(['2024-09-15'])
    for (const day of ['2024-09-15', '2024-09-16']) expect(await inTable(day)).toBe(result(day))
    expect(summaryOf(await aggregate('2024-09-16', '--refresh')).refreshed).toEqual([])
  })

  it('has with --refresh what was refreshed without it', async () => {
    for (const day of ['2024-09-15', '2024-09-16']) await aggregate(day)
    log('2024-09-14', 'late@x.org,CREATE')
    const alone = ['aggregate', '2024-09-16', '--missing-days', 'ignore', '--refresh']
    expect(await lakejobs(...alone)).toMatchObject({ exit: 0 })
    expect(summaryOf(await aggregate('2024-09-16', '--refresh')).refreshed).toEqual(['2024-09-15'])
    for (const day of ['2024-09-15', '2024-09-16']) expect(await inTable(day)).toBe(result(day))
  })

  it('writes a file anew that is gone', async () => {
    await aggregate('2024-09-15')
    const [file] = await dataFiles()
    rmSync(file!)
    const repaired = await aggregate('2024-09-15')
    expect(repaired.stderr).toContain('it is not there')
    expect(summaryOf(repaired)).toMatchObject({ tables: [{ status: 'ok', rows: 3 }] })
    expect(await inTable('2024-09-15')).toBe(result('2024-09-15'))
  })

  it('goes on where another run has made the table or its day meanwhile', async () => {
    const ran = await Promise.all([aggregate('2024-09-15'), aggregate('2024-09-15'), aggregate('2024-09-14')])
    expect(ran.map(({ exit }) => exit)).toEqual([0, 0, 0])
    for (const day of ['2024-09-14', '2024-09-15']) expect(await inTable(day)).toBe(result(day))
    expect(await lakejobs('verify', 'crud_weekly', '--strict')).toMatchObject({ exit: 0 })
    expect(await lakejobs('maintain', 'orphans', '--table', 'default.crud_weekly')).toMatchObject({ exit: 0 })
  })

  it('refuses tables that are not its own, before anything is counted', async () => {
    await place.query('CREATE TABLE web_logs (a int); INSERT INTO web_logs VALUES (1)')
    await lakejobs('export', '--format', 'iceberg')
    const refused = async (table: string, ...words: string[]): Promise<unknown> =>
      summaryOf(await lakejobs('aggregate', '2024-09-15', '--iceberg', table, ...words)).error
    expect(await refused('web_logs')).toMatchObject({
      code: 'usage',
      message: expect.stringContaining('aggregate has not made it') as unknown,
    })
    await aggregate('2024-09-15')
    expect(await refused('crud_weekly', '--days', '3')).toMatchObject({
      code: 'usage',
      message: expect.stringContaining('windows of 7 days, and these have 3') as unknown,
    })
    expect(await refused('a b')).toMatchObject({ code: 'usage', field: '--iceberg' })
    expect(await refused('crud_3_days', '--days', '3', '--missing-days', 'ignore')).toBeUndefined()
  })
})
