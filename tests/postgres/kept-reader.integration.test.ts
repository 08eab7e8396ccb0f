import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from '@jest/globals'
import type { Connection } from '../../jobs/postgres/connection/connect.ts'
import { keptReader, type KeptReader } from '../../jobs/postgres/kept-reader.ts'
import { connectSource, openSource, type Source } from '../../jobs/postgres/snapshot.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'

let server: TestPostgres
let source: Source
let reader: KeptReader
const signal = new AbortController().signal

async function open(): Promise<Source> {
  const options = { workers: 1, rowSecurity: false, lockTimeoutMs: 1000 }
  return openSource(await connectSource(server, [], { prefix: 'POSTGRES' }), [], options)
}

beforeAll(async () => {
  server = await startPostgres()
}, 30_000)
afterAll(() => server.stop())
beforeEach(async () => {
  source = await open()
  reader = keptReader()
})
afterEach(async () => {
  await reader.close()
  await source.close()
})

const processOf = async (connection: Connection): Promise<number> =>
  (await connection.query('SELECT pg_backend_pid() AS id'))[0]!['id'] as number
const used = (): Promise<number> => reader.use(source.access, signal, processOf)
/** How many of these processes the server still has, once it has fewer, or has had a second. */
async function left(...ids: number[]): Promise<number> {
  for (let look = 0; ; look++) {
    const found = await server.query('SELECT FROM pg_stat_activity WHERE pid = ANY($1)', [ids])
    if (found.length < ids.length || look === 50) return found.length
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

it('is one process of the server for all uses, until it is closed', async () => {
  const first = await used()
  expect(await used()).toBe(first)
  await reader.close()
  expect(await left(first)).toBe(0)
  expect(await used()).not.toBe(first)
})

it('sees the instant that it was asked for, and no other one', async () => {
  await server.query('CREATE TABLE t AS SELECT 1')
  const later = await open()
  const rows = (from: Source): Promise<unknown> =>
    reader.use(from.access, signal, async (connection) => {
      const [row] = await connection.query(`SELECT to_regclass('t') IS NOT NULL AS found`)
      const [count] = await connection.query('SELECT count(*)::int AS rows FROM t')
      return [row?.['found'], count?.['rows']]
    })
  try {
    expect(await rows(later)).toEqual([true, 1])
    await server.query('INSERT INTO t VALUES (2)')
    const latest = await open()
    try {
      expect([await rows(later), await rows(latest), await rows(later)]).toEqual([
        [true, 1],
        [true, 2],
        [true, 1],
      ])
    } finally {
      await latest.close()
    }
  } finally {
    await later.close()
  }
})

it('has the policies of tables on or off as each use asks for', async () => {
  const settings = (rowSecurity: boolean): Promise<unknown> =>
    reader.use({ ...source.access, rowSecurity }, signal, async (connection) =>
      (await connection.query('SHOW row_security')).map((row) => row['row_security']),
    )
  expect([await settings(true), await settings(false), await settings(true)]).toEqual([
    ['on'],
    ['off'],
    ['on'],
  ])
})

it('closes the connection of what has failed', async () => {
  const first = await used()
  const failing = reader.use(source.access, signal, (connection) => connection.query('SELECT 1 / 0'))
  await expect(failing).rejects.toThrow('division by zero')
  expect(await left(first)).toBe(0)
  expect(await used()).not.toBe(first)
})

it('closes the connection of what ran functions, which may have changed more than a rollback undoes', async () => {
  const first = await used()
  const setting = `current_setting('app.tenant', true) AS tenant`
  const ran = reader.use(
    source.access,
    signal,
    (connection) => connection.query(`SELECT set_config('app.tenant', 'a', true), pg_backend_pid() AS id`),
    true,
  )
  expect(await ran).toMatchObject([{ id: first }])
  expect(await left(first)).toBe(0)
  const next = reader.use(source.access, signal, (connection) => connection.query(`SELECT ${setting}`))
  expect(await next).toEqual([{ tenant: null }])
})

it('cancels what an aborted use does, and that alone', async () => {
  const first = await used()
  const stopping = new AbortController()
  const sleeping = reader.use(source.access, stopping.signal, (connection) =>
    connection.query('SELECT pg_sleep(60)'),
  )
  while ((await server.query(`SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'`)).length === 0);
  stopping.abort(new Error('enough'))
  await expect(sleeping).rejects.toThrow('enough')
  expect(await left(first)).toBe(0)
  const second = await used()
  expect(second).not.toBe(first)
  expect(await used()).toBe(second)
})

it('is not cut by the signal of a use that is over', async () => {
  const over = new AbortController()
  const first = await reader.use(source.access, over.signal, processOf)
  over.abort(new Error('too late'))
  expect(await used()).toBe(first)
})

it('opens another one where the server has ended it', async () => {
  const first = await used()
  await server.query('SELECT pg_terminate_backend($1)', [first])
  await left(first)
  expect(await used()).not.toBe(first)
})
