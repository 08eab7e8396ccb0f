import { beforeEach, describe, expect, it } from '@jest/globals'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { eachWithDatabase } from '../commands/each-with-database.ts'
import { run, summaryOf, type Ran } from '../support/cli.ts'
import { startPostgres } from '../support/postgres.ts'

const { place } = eachWithDatabase()

beforeEach(() =>
  writeFile(
    join(place.cwd, 'lakejobs.yaml'),
    `version: 1
sources: { crm: { env: CRM } }
tables:
  shop.*: {}
  crm/public.*: {}
  crm/users: { partition-by: [id] }
`,
  ),
)

const called = (args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> =>
  run([...args, ...(args[0] === 'check' ? [] : ['--connections', '1'])], {
    cwd: place.cwd,
    env: { ...place.env, ...env },
  })
const found = (ran: Ran): unknown => [
  ran.exit,
  summaryOf(ran)
    .tables?.map(({ table, status, rows }) => [table, status, rows])
    .sort(),
]

describe('two servers', () => {
  it('one that is away fails its own tables: exit, summary, and what the lake has of them stays', async () => {
    await place.query(
      'CREATE SCHEMA shop; CREATE TABLE shop.orders AS SELECT 1 AS id; CREATE TABLE shop.items AS SELECT 1 AS id',
    )
    const other = await startPostgres()
    let isUp = true
    try {
      await other.query('CREATE TABLE users AS SELECT 7 AS id; CREATE TABLE notes AS SELECT 8 AS id')
      const { host, port, user, password, database } = other
      const its = { HOST: host, PORT: String(port), DB: database, USER: user, PASSWORD: password }
      const crm = Object.fromEntries(Object.entries(its).map(([name, value]) => [`CRM_${name}`, value]))
      const own = [
        ['shop.items', 'ok', 1],
        ['shop.orders', 'ok', 1],
      ]
      const theirs = [
        ['crm.notes', 'ok', 1],
        ['crm.users', 'ok', 1],
      ]
      expect(found(await called(['export'], crm))).toEqual([0, [...theirs, ...own]])
      // The main server's other role, the catalog, is there.
      const mainAway = await called(['export'], { ...crm, POSTGRES_PORT: '1' })
      expect(found(mainAway)).toEqual([1, [...theirs, ['shop.*', 'failed', undefined]]])
      await other.stop()
      isUp = false
      await place.query('INSERT INTO shop.orders VALUES (2)')
      const away = await called(['export'], crm)
      expect(found(away)).toEqual([
        1,
        [
          ['crm.users', 'failed', undefined],
          // Which tables a pattern has, only its source knows.
          ['crm/public.*', 'failed', undefined],
          ['shop.items', 'ok', 1],
          ['shop.orders', 'ok', 2],
        ],
      ])
      const failed = summaryOf(away).tables?.filter(({ status }) => status === 'failed')
      for (const { error } of failed ?? []) expect(error).toContain(`${host}:${port}`)
      expect(found(await called(['verify'], crm))).toEqual([
        1,
        [
          ['crm.notes', 'failed', undefined],
          ['crm.users', 'failed', undefined],
          ['shop.items', 'ok', 1],
          ['shop.orders', 'ok', 2],
        ],
      ])
      expect(found(await called(['verify', '--against', 'written'], crm))).toEqual([
        0,
        [...theirs, ['shop.items', 'ok', 1], ['shop.orders', 'ok', 2]],
      ])
    } finally {
      if (isUp) await other.stop()
    }
  })
})
