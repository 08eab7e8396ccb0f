import { afterAll, beforeAll, expect, it } from '@jest/globals'
import { tmpdir } from 'node:os'
import { createReaderPool } from '../../../jobs/export/read/pool.ts'
import type { ReaderThreads } from '../../../jobs/export/read/thread.ts'
import { keptReader } from '../../../jobs/postgres/kept-reader.ts'
import { connectSource, openSource } from '../../../jobs/postgres/snapshot.ts'
import { startPostgres, type TestPostgres } from '../../support/postgres.ts'

let server: TestPostgres
beforeAll(async () => {
  server = await startPostgres()
}, 30_000)
afterAll(() => server.stop())

/** A range whose COPY takes a minute. */
const slow = { from: 'ONLY public.t', where: 'pg_sleep(60) IS NOT NULL', addressable: true }

it('stops the reading of this thread when another one fails', async () => {
  await server.query('CREATE TABLE t AS SELECT 1 AS id')
  const table = { schema: 'public', name: 't' }
  const connected = await connectSource(server, [table], { prefix: 'POSTGRES' })
  const source = await openSource(connected, [{ table }], {
    workers: 2,
    rowSecurity: false,
    lockTimeoutMs: 1000,
  })
  try {
    const [planned] = source.tables
    if (planned === undefined || 'error' in planned) throw new Error('not planned')
    const sleeping = async (): Promise<number> =>
      (await server.query(`SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'`)).length
    const failing = async (): Promise<never> => {
      while ((await sleeping()) === 0) await new Promise(setImmediate)
      throw new Error('the thread failed')
    }
    let closed = 0
    const threads: ReaderThreads = {
      own: keptReader(),
      at: () => ({ read: failing, encode: failing, terminate: failing }),
      close: () => {
        closed++
        return Promise.resolve()
      },
    }
    const pool = createReaderPool(2, threads, new AbortController().signal)
    const plan = { ...planned.plan, estimatedRows: 1_000_000, ranges: [slow, slow] }
    const request = {
      access: source.access,
      plan,
      partition: [],
      groupRows: 1000,
      groupBytes: 2 ** 20,
      scratch: tmpdir(),
      maxRowBytes: 2 ** 20,
    }
    const pages = { pageBytes: 2 ** 20, pageRows: 1000, dictionaryBytes: 2 ** 20, pageIndex: true }
    const settings = { columns: [], types: [], codec: 'none', level: undefined, pages } as const
    await expect(pool.read(request, settings, () => Promise.resolve())).rejects.toThrow('the thread failed')
    expect(closed).toBe(1)
    expect(await sleeping()).toBe(0)
  } finally {
    await source.close()
  }
}, 20_000)
