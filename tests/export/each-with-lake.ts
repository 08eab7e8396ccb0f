import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals'
import { current } from '../support/current.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { openLake, type TestLake } from './lake.ts'

/** One server for a file's tests; each test has a lake of its own, and a source made by `sql`. */
export function eachWithLake(sql: string): { readonly server: TestPostgres; readonly lake: TestLake } {
  let server: TestPostgres
  let lake: TestLake
  beforeAll(async () => {
    server = await startPostgres()
  }, 60_000)
  afterAll(() => server.stop())
  beforeEach(async () => {
    lake = await openLake(server)
    await server.query(sql)
  })
  afterEach(async () => {
    await lake.close()
    await server.query('DROP TABLE IF EXISTS t, u, switch CASCADE; DROP SCHEMA IF EXISTS shop CASCADE')
  })
  return { server: current(() => server), lake: current(() => lake) }
}
