import { describe, expect, it } from '@jest/globals'
import { readdirSync } from 'node:fs'
import { eachWithDatabase } from '../../commands/each-with-database.ts'
import { run, summaryOf, type Ran } from '../../support/cli.ts'

const { place } = eachWithDatabase()

const lakejobs = (...words: string[]): Promise<Ran> => run(words, { cwd: place.cwd, env: place.env })
/** Many small files for each partition. */
const exportSmall = (...words: string[]): Promise<Ran> =>
  lakejobs('export', ...['--format', 'iceberg', '--target-file-size', '1KB', ...words])
const webLogs = (days: number): string => `
  CREATE TABLE web_logs (timestamp timestamptz, user_id int, url text, response_time int, status_code int);
  INSERT INTO web_logs SELECT timestamptz '2024-09-01 00:00+00' + i * interval '1 minute', i % 50, md5(i::text), i % 900, 200
                       FROM generate_series(0, ${1440 * days - 1}) i;
  ANALYZE web_logs`
const dataFolder = async (): Promise<string> => {
  const [row] = await place.query('SELECT metadata_location AS at FROM iceberg_tables')
  return String(row?.['at']).replace(/^file:\/\/|\/metadata\/.*/g, '') + '/data'
}
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.parquet'))
const dataFiles = async (): Promise<string[]> => filesIn(await dataFolder())

describe('lakejobs maintain compact', () => {
  it('puts the small files of each day into one, changes no row, and finds nothing more to do', async () => {
    await place.query(webLogs(3))
    expect(
      await exportSmall('--mode', 'full', '--row-group-rows', '100', '--partition-by', 'day(timestamp)'),
    ).toMatchObject({ exit: 0 })
    const before = await dataFiles()
    expect(before.length).toBeGreaterThan(30)
    const looked = await lakejobs('inspect', '--table', 'default.web_logs')
    expect(looked.stdout).toMatch(/lakejobs maintain compact --table default\.web_logs/)
    const dry = await lakejobs('maintain', 'compact', '--dry-run')
    expect(summaryOf(dry).tables).toMatchObject([
      {
        maintained: {
          rewritten: { from: { files: before.length }, to: { files: 3 }, rows: 4320, commits: 0 },
        },
      },
    ])
    expect(await dataFiles()).toHaveLength(before.length)
    const done = await lakejobs('maintain', 'compact', '--table', 'web_logs')
    expect(summaryOf(done)).toMatchObject({
      exit: 0,
      rows: 4320,
      files: 0,
      tables: [{ maintained: { rewritten: { to: { files: 3 }, rows: 4320, deletedRows: 0, commits: 1 } } }],
    })
    // Nothing that was committed is deleted.
    expect(await dataFiles()).toHaveLength(before.length + 3)
    for (const against of ['written', 'source']) {
      const verified = await lakejobs('verify', '--against', against, '--strict')
      expect(summaryOf(verified)).toMatchObject({ exit: 0, rows: 4320, files: 3 })
    }
    const again = await lakejobs('maintain', 'compact')
    expect(summaryOf(again)).toMatchObject({ exit: 0, files: 0 })
    expect(summaryOf(again).tables![0]!.maintained).not.toHaveProperty('rewritten')
    expect((await lakejobs('inspect', '--table', 'default.web_logs')).stdout).not.toMatch(/maintain compact/)
  }, 120_000)
})
