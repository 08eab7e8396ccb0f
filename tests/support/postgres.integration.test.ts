import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { startPostgres, type TestPostgres } from './postgres.ts'

describe('the test server', () => {
  let server: TestPostgres
  beforeAll(async () => {
    server = await startPostgres()
  }, 30_000)
  afterAll(() => server.stop())

  it('is PostgreSQL 18 in UTF-8, away from UTC', async () => {
    const [row] = await server.query(
      `SELECT current_setting('server_version') AS version, current_setting('server_encoding') AS encoding,
              current_setting('timezone') AS zone`,
    )
    expect(row).toMatchObject({ encoding: 'UTF8', zone: 'Asia/Kolkata' })
    expect(row?.['version']).toMatch(/^18\./)
  })

  it('makes further databases', async () => {
    await server.createDatabase('ascii', "TEMPLATE template0 ENCODING 'SQL_ASCII'")
    expect(await server.query('SHOW server_encoding', [], 'ascii')).toEqual([
      { server_encoding: 'SQL_ASCII' },
    ])
  })
})
