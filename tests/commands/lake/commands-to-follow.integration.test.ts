import { expect, it } from '@jest/globals'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run, summaryOf, type Ran } from '../../support/cli.ts'
import { eachWithDatabase } from '../each-with-database.ts'

const { server, place } = eachWithDatabase()
const lakejobs = (...words: readonly string[]): Promise<Ran> =>
  run(words, { cwd: place.cwd, env: { ...place.env, WAREHOUSE: 'iceberg', TZ: 'UTC' } })
const follow = (command = ''): Promise<Ran> => lakejobs(...command.replace(/^.*lakejobs /, '').split(' '))
const day = (ago: number): string => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10)

it('a command that mends a table names the source that lakejobs.yaml has it of', async () => {
  await server.createDatabase('crm')
  const rows = (first: number): string =>
    `CREATE TABLE t AS SELECT ${first} + i AS id, timestamptz '${day(3)} 01:00+00' + i % 3 * interval '1 day' AS at
                       FROM generate_series(1, 30) i`
  await place.query(rows(0))
  await server.query(rows(1000), [], 'crm')
  writeFileSync(
    join(place.cwd, 'lakejobs.yaml'),
    `version: 1
sources: { crm: { env: POSTGRES, database: crm } }
tables: { crm/public.t: { mode: day, partition-by: ["day(at)"] } }`,
  )
  expect(await lakejobs('export', '--from', day(3), '--to', day(2))).toMatchObject({ exit: 0 })
  const folder = join(place.cwd, 'iceberg/crm/t/data', `at_day=${day(3)}`)
  rmSync(join(folder, readdirSync(folder)[0]!))

  const { error: lost } = summaryOf(await lakejobs('verify'))
  const { error: late } = summaryOf(await lakejobs('check', '--fresh', '0'))
  const named = expect.stringContaining(' --table crm/public.t=crm.t --')
  expect([lost?.fix, late?.fix]).toEqual([named, named])
  const { tables } = JSON.parse((await lakejobs('inspect', '--storage', '--json')).stdout) as {
    readonly tables: readonly { readonly verdicts: readonly { readonly commands: readonly string[] }[] }[]
  }
  expect(tables[0]?.verdicts.flatMap(({ commands }) => commands)).toEqual([named])
  const { needs } = JSON.parse((await lakejobs('report', '--json')).stdout) as {
    readonly needs: readonly { readonly command: string }[]
  }
  expect(needs.map(({ command }) => command)).toEqual([named, named, named])

  expect(await follow(lost?.fix)).toMatchObject({ exit: 0 })
  expect(await follow(late?.fix)).toMatchObject({ exit: 0 })
  expect(summaryOf(await lakejobs('verify', '--strict'))).toMatchObject({ exit: 0, rows: 30 })
})

it('one that brings days of weekly counts is an aggregate', async () => {
  expect(await lakejobs('generate', 'data/crud/input', day(9), '9', '3', '50')).toMatchObject({ exit: 0 })
  const counted = ['aggregate', '--iceberg', 'crud_weekly', '--date']
  expect(await lakejobs(...counted, day(3))).toMatchObject({ exit: 0 })
  const { error: late } = summaryOf(await lakejobs('check', '--fresh', '0'))
  expect(late?.fix).toMatch(/run lakejobs aggregate --iceberg default\.crud_weekly --from /)
  expect(await follow(late?.fix)).toMatchObject({ exit: 0 })
  expect(await lakejobs('check', '--fresh', '0')).toMatchObject({ exit: 0 })

  const folder = join(place.cwd, 'iceberg/default/crud_weekly/data', `window_end_day=${day(2)}`)
  rmSync(join(folder, readdirSync(folder)[0]!))
  const { error: lost } = summaryOf(await lakejobs('verify'))
  expect(lost?.fix).toBe(`lakejobs aggregate --iceberg default.crud_weekly --date ${day(2)}`)
  expect(await follow(lost?.fix)).toMatchObject({ exit: 0 })
  expect(await lakejobs('verify')).toMatchObject({ exit: 0 })
})
