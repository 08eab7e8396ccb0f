import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { openLake, type TestLake } from './lake.ts'

/** One server for a file's tests; to each test it hands a lake of its own, and a source made by `sql`. */
export function eachWithLake(sql: string, use: (server: TestPostgres, lake: TestLake) => void): void {
  let server: TestPostgres
  let lake: TestLake
  beforeAll(async () => {
    server = await startPostgres()
  }, 60_000)
  afterAll(() => server.stop())
  beforeEach(async () => {
    lake = await openLake(server)
    await server.query(sql)
    use(server, lake)
  })
  afterEach(async () => {
    await lake.close()
    await server.query('DROP TABLE IF EXISTS t, u, switch CASCADE; DROP SCHEMA IF EXISTS shop CASCADE')
  })
}
