import { expect, it } from '@jest/globals'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { filesIn } from '../../export/lake.ts'
import { run, summaryOf, type Ran } from '../../support/cli.ts'
import { eachWithDatabase } from '../each-with-database.ts'

const { place } = eachWithDatabase()

const lakejobs = (...words: readonly string[]): Promise<Ran> =>
  run(words, {
    cwd: place.cwd,
    env: {
      ...place.env,
      WAREHOUSE: `${place.cwd}/iceberg`,
      PARQUET_LOCATION: `${place.cwd}/parquet`,
      LAKEJOBS_TABLE: 'public.t',
      LAKEJOBS_SKIP_UNCHANGED: 'true',
    },
  })
const exported = async (...words: readonly string[]): Promise<unknown> => {
  const ran = await lakejobs('export', '--format', 'iceberg', ...words)
  expect(ran.exit).toBe(0)
  return summaryOf(ran)
}

it('bytes that changed in a file of the same size are left by the flag, found by verify, and mended by its fix', async () => {
  await place.query(
    `CREATE TABLE t AS SELECT i AS id, md5(i::text) AS text, timestamptz '2024-09-01 00:00+00' + i * interval '1 hour' AS at
     FROM generate_series(0, 71) i`,
  )
  expect(await exported('--partition-by', 'day(at)')).toMatchObject({ rows: 72, tables: [{ status: 'ok' }] })
  const done = { status: 'ok', rows: 0, tables: [{ status: 'unchanged', unchangedRows: 72 }] }
  expect(await exported()).toMatchObject(done)
  expect(await exported('--from', '2024-09-01', '--to', '2024-09-03')).toMatchObject(done)

  const file = (await filesIn(place.cwd)).find((name) => name.includes('2024-09-01'))!
  const path = join(place.cwd, file)
  const bytes = readFileSync(path)
  bytes[200]! ^= 0xff
  writeFileSync(path, bytes)
  expect(await exported()).toMatchObject(done)
  const verified = await lakejobs('verify', '--format', 'iceberg', '--against', 'written')
  expect(verified.exit).toBe(3)
  const [, command = ''] = /lakejobs (.* --force)$/.exec(summaryOf(verified).error?.fix ?? '') ?? []
  expect(command).toContain('--date 2024-09-01')
  expect(await lakejobs(...command.replaceAll("'", '').split(' '))).toMatchObject({ exit: 0 })
  expect(await lakejobs('verify', '--format', 'iceberg', '--against', 'written')).toMatchObject({ exit: 0 })
})
