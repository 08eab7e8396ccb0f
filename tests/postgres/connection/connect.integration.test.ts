import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { connect } from '../../../jobs/postgres/connection/connect.ts'
import { freePort } from '../../support/free-port.ts'
import { startPostgres, type TestPostgres } from '../../support/postgres.ts'

let server: TestPostgres
beforeAll(async () => {
  server = await startPostgres()
}, 30_000)
afterAll(() => server.stop())

const options = { prefix: 'POSTGRES' }
const canary = 'canary-7f3a'

describe('connecting', () => {
  it('names itself', async () => {
    const connection = await connect(server, options)
    expect(await connection.query('SHOW application_name')).toEqual([{ application_name: 'lakejobs' }])
    await connection.close()
    await connection.close()
  })

  it.each([
    ['the password', { password: canary }, 'usage', 'POSTGRES_PASSWORD'],
    ['an empty password', { password: '' }, 'usage', 'POSTGRES_PASSWORD'],
    ['the user', { user: 'nobody', password: canary }, 'usage', 'POSTGRES_PASSWORD'],
    ['the database', { database: 'nowhere' }, 'usage', 'POSTGRES_DB'],
    ['the host', { host: 'no-such-host.invalid', password: canary }, 'failed', 'POSTGRES_HOST'],
  ])('%s that is wrong is named', async (_, wrong, code, field) => {
    const failed = connect({ ...server, ...wrong }, options)
    await expect(failed).rejects.toMatchObject({ code, field, name: 'JobError' })
    await failed.catch((error: unknown) => {
      expect(JSON.stringify(error) + String(error)).not.toContain(canary)
    })
  })

  it('a port where nothing listens is named', async () => {
    const failed = connect({ ...server, port: await freePort() }, options)
    await expect(failed).rejects.toMatchObject({ code: 'failed', field: 'POSTGRES_HOST' })
  })
})

describe('a statement', () => {
  it('that fails names what it was about', async () => {
    const connection = await connect(server, options)
    await expect(connection.query('SELECT * FROM nothing', [], 'nothing')).rejects.toMatchObject({
      code: 'usage',
      field: 'nothing',
    })
    await expect(connection.query(`SELECT 'x'::int`)).rejects.toMatchObject({ code: 'data' })
    await expect(connection.query(`SELECT 1 WHERE`)).rejects.toMatchObject({ code: 'failed' })
    await connection.close()
  })

  it('is cancelled at the server by an abort', async () => {
    const controller = new AbortController()
    const connection = await connect(server, { ...options, signal: controller.signal })
    const sleeping = connection.query('SELECT pg_sleep(60)')
    // Whoever is rejected before it is awaited below is no unhandled failure.
    sleeping.catch(() => undefined)
    const active = `SELECT FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'`
    while ((await server.query(active)).length === 0) await sleep(10)
    controller.abort(new Error('stop it'))
    await expect(sleeping).rejects.toThrow('stop it')
    await expect(connection.query('SELECT 1')).rejects.toThrow('stop it')
    await expect(connect(server, { ...options, signal: controller.signal })).rejects.toThrow('stop it')
    // The server ends it in its own time, long before the minute is over.
    while ((await server.query(active)).length > 0) await sleep(50)
    await connection.close()
  })
})
