import { afterAll, afterEach, beforeAll, beforeEach } from '@jest/globals'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from '../support/cli.ts'
import { current } from '../support/current.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'

/** Where a test runs the built jobs. */
export interface Place {
  /** An empty folder. */
  readonly cwd: string
  /** Names the test's own empty database as source and catalog. */
  readonly env: Readonly<Record<string, string>>
  /** Runs SQL in it. */
  readonly query: (sql: string) => Promise<Record<string, unknown>[]>
}

/** One server for a file's tests; each test has a place of its own. */
export function eachWithDatabase(): { readonly server: TestPostgres; readonly place: Place } {
  let server: TestPostgres
  let place: Place
  let round = 0
  beforeAll(async () => {
    build()
    server = await startPostgres()
  }, 120_000)
  afterAll(() => server.stop())
  beforeEach(async () => {
    const database = `each_${++round}`
    await server.createDatabase(database)
    const { host, port, user, password } = server
    const settings = { HOST: host, PORT: String(port), DB: database, USER: user, PASSWORD: password }
    place = {
      cwd: await mkdtemp(join(tmpdir(), 'lakejobs-each-')),
      env: Object.fromEntries(
        ['POSTGRES', 'ICEBERG_POSTGRES'].flatMap((prefix) =>
          Object.entries(settings).map(([name, value]) => [`${prefix}_${name}`, value]),
        ),
      ),
      query: (sql) => server.query(sql, [], database),
    }
  })
  afterEach(() => rm(place.cwd, { recursive: true, force: true }))
  return { server: current(() => server), place: current(() => place) }
}
